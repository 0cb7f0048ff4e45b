//! Operators who sign in with a password, and their sessions.

use guerdon_domain::{
    ids::{MemberId, SessionId, SignInLinkId},
    operators::{Operator, Session, SignInLink},
    time::Timestamp,
};

use crate::table::{
    Guarded, StoreError, Update, handle,
    item::{Index, Key, Record, decode, number, string},
    prefixes::Prefix,
};

impl Record for Operator {
    const TYPE: &'static str = "operator";
    fn key(&self) -> Key {
        operator_key(&self.id)
    }
}

impl Record for Session {
    const TYPE: &'static str = "session";
    fn key(&self) -> Key {
        session_key(&self.operator, &self.id)
    }
    fn index(&self) -> Index {
        Index { ttl: Some(self.expires_at.seconds()), ..Index::default() }
    }
}

impl Record for SignInLink {
    const TYPE: &'static str = "sign_in_link";
    fn key(&self) -> Key {
        link_key(&self.operator, &self.id)
    }
    fn index(&self) -> Index {
        Index { ttl: Some(self.expires_at.seconds()), ..Index::default() }
    }
}

fn link_key(operator: &MemberId, id: &SignInLinkId) -> Key {
    Key::new(Prefix::Operator.with(operator), Prefix::SignInLink.with(id))
}

fn operator_key(id: &MemberId) -> Key {
    Prefix::Operator.item(id)
}

fn session_key(operator: &MemberId, id: &SessionId) -> Key {
    Key::new(Prefix::Operator.with(operator), Prefix::Session.with(id))
}

handle! {
    /// The handle for operators, their sessions and sign-in links.
    Operators, operators
}

impl Operators<'_> {
    /// Reads an operator.
    pub async fn find(self, id: &MemberId) -> Result<Option<Operator>, StoreError> {
        self.store.get(&operator_key(id)).await
    }

    /// Adds an operator. [`Guarded::Moved`] when there is one with this id.
    pub async fn insert(self, operator: &Operator) -> Result<Guarded, StoreError> {
        Ok(self.store.insert(operator).await?.guarded())
    }

    /// Writes `after` if the stored operator still equals `before`. [`Guarded::Moved`] when it was
    /// changed in the meantime.
    pub async fn replace(self, before: &Operator, after: &Operator) -> Result<Guarded, StoreError> {
        let lock = match before.locked_until {
            Some(_) => "locked_until = :locked",
            None => "attribute_not_exists(locked_until)",
        };
        let mut terms = Update::default()
            .value(":attempts", number(before.attempts))
            .value(":generation", number(before.generation));
        if let Some(locked_until) = before.locked_until {
            terms = terms.value(":locked", number(locked_until.millis()));
        }
        let unchanged = format!("attempts = :attempts AND generation = :generation AND {lock}");
        Ok(self.store.put_under(after, &unchanged, &terms).await?.guarded())
    }

    /// Reads an operator and one of their sessions, if both exist.
    pub async fn with_session(
        self,
        id: &MemberId,
        session: &SessionId,
    ) -> Result<Option<(Operator, Session)>, StoreError> {
        let found = self.store.get_each(&[operator_key(id), session_key(id, session)]).await?;
        let [Some(operator), Some(session)] = <[_; 2]>::try_from(found).unwrap_or_default() else {
            return Ok(None);
        };
        Ok(Some((decode(operator)?, decode(session)?)))
    }

    /// Writes a sign-in link.
    pub async fn put_link(self, link: &SignInLink) -> Result<(), StoreError> {
        self.store.put(link).await
    }

    /// Uses a link. [`Guarded::Moved`] when it was used before, has expired, belongs to an earlier password, or does not
    /// exist.
    pub async fn use_link(
        self,
        operator: &Operator,
        id: &SignInLinkId,
        token_hash: &str,
        now: Timestamp,
    ) -> Result<Guarded, StoreError> {
        let update = Update::new("SET used_at = :now")
            .only_if(
                "token_hash = :hash AND generation = :generation AND expires_at > :now \
                 AND attribute_not_exists(used_at)",
            )
            .value(":now", number(now.millis()))
            .value(":hash", string(token_hash))
            .value(":generation", number(operator.generation));
        Ok(self.store.update(&link_key(&operator.id, id), &update, false).await?.guarded())
    }

    /// Writes a new session.
    pub async fn put_session(self, session: &Session) -> Result<(), StoreError> {
        self.store.put(session).await
    }

    /// Exchanges a session's refresh token for the next one. [`Guarded::Moved`] when it was used before, or the session
    /// ended.
    pub async fn renew_session(self, used_hash: &str, next: &Session) -> Result<Guarded, StoreError> {
        let terms = Update::default().value(":used", string(used_hash));
        Ok(self.store.put_under(next, "token_hash = :used", &terms).await?.guarded())
    }

    /// Deletes an operator. Their sessions are not valid without them.
    pub async fn remove(self, id: &MemberId) -> Result<(), StoreError> {
        self.store.delete(&operator_key(id)).await
    }

    /// Ends a session, if it has not ended.
    pub async fn end_session(self, operator: &MemberId, id: &SessionId) -> Result<(), StoreError> {
        self.store.delete(&session_key(operator, id)).await
    }
}
