//! Operators who sign in with a password, and their sessions.

use guerdon_domain::{ids::MemberId, operators::Role, time::Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Store, StoreError,
    item::{Index, Key, Record, decode, number, string},
    prefixes::Prefix,
    table::{Update, Written},
};

/// An operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// The pseudonym of their Telegram id, which they sign in with.
    pub id: MemberId,
    /// What they may do.
    pub role: Role,
    /// The password's argon2id hash in PHC form.
    pub password: String,
    /// Attempts since the last one that went well, each counted before its password is looked at.
    pub attempts: u32,
    /// Nobody signs in as this operator before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_until: Option<Timestamp>,
    /// Counts changes of password and role: sessions of an earlier one have ended.
    pub generation: u32,
    /// Since when.
    pub created_at: Timestamp,
}

impl Record for Operator {
    const TYPE: &'static str = "operator";
    fn key(&self) -> Key {
        operator_key(&self.id)
    }
}

/// One sign-in of an operator, kept alive by its refresh token. Every use of that token makes a new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Random.
    pub id: String,
    /// Whose.
    pub operator: MemberId,
    /// The operator's [`Operator::generation`] when it began.
    pub generation: u32,
    /// SHA-256 of the refresh token that is good for the next use, in hex.
    pub token_hash: String,
    /// When it ends, used or not.
    pub expires_at: Timestamp,
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

/// A link with which an operator signs in once, without their password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInLink {
    /// Random.
    pub id: String,
    /// Whose.
    pub operator: MemberId,
    /// The operator's [`Operator::generation`] when it was made.
    pub generation: u32,
    /// SHA-256 of the link's secret, in hex.
    pub token_hash: String,
    /// From then on it opens nothing.
    pub expires_at: Timestamp,
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

fn link_key(operator: &MemberId, id: &str) -> Key {
    Key::new(Prefix::Operator.with(operator), Prefix::SignInLink.with(id))
}

fn operator_key(id: &MemberId) -> Key {
    Prefix::Operator.item(id)
}

fn session_key(operator: &MemberId, id: &str) -> Key {
    Key::new(Prefix::Operator.with(operator), Prefix::Session.with(id))
}

impl Store {
    /// An operator.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn operator(&self, id: &MemberId) -> Result<Option<Operator>, StoreError> {
        self.get(&operator_key(id)).await
    }

    /// Adds an operator. False when there is one with this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_operator(&self, operator: &Operator) -> Result<bool, StoreError> {
        Ok(self.insert(operator).await? != Written::Refused)
    }

    /// Writes how `before` goes on as `after`. False when somebody else changed the operator meanwhile.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn move_operator(&self, before: &Operator, after: &Operator) -> Result<bool, StoreError> {
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
        Ok(self.put_under(after, &unchanged, &terms).await? != Written::Refused)
    }

    /// An operator and one of their sessions, if both are there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn operator_and_session(
        &self,
        id: &MemberId,
        session: &str,
    ) -> Result<Option<(Operator, Session)>, StoreError> {
        let found = self.get_each(&[operator_key(id), session_key(id, session)]).await?;
        let [Some(operator), Some(session)] = <[_; 2]>::try_from(found).unwrap_or_default() else {
            return Ok(None);
        };
        Ok(Some((decode(operator)?, decode(session)?)))
    }

    /// Keeps a link to sign in by.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_sign_in_link(&self, link: &SignInLink) -> Result<(), StoreError> {
        self.put(link).await
    }

    /// Uses a link up. False when it was used before, is over, belongs to an earlier password, or is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn use_sign_in_link(
        &self,
        operator: &Operator,
        id: &str,
        token_hash: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = Update::new("SET used_at = :now")
            .only_if(
                "token_hash = :hash AND generation = :generation AND expires_at > :now \
                 AND attribute_not_exists(used_at)",
            )
            .value(":now", number(now.millis()))
            .value(":hash", string(token_hash))
            .value(":generation", number(operator.generation));
        Ok(self.update(&link_key(&operator.id, id), &update, false).await? != Written::Refused)
    }

    /// Begins a session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_session(&self, session: &Session) -> Result<(), StoreError> {
        self.put(session).await
    }

    /// Uses a session's refresh token up for the next one. False when it was used before, or has ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn renew_session(&self, used_hash: &str, next: &Session) -> Result<bool, StoreError> {
        let terms = Update::default().value(":used", string(used_hash));
        Ok(self.put_under(next, "token_hash = :used", &terms).await? != Written::Refused)
    }

    /// Takes an operator away; their sessions are worth nothing without.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove_operator(&self, id: &MemberId) -> Result<(), StoreError> {
        self.delete(&operator_key(id)).await
    }

    /// Ends a session, if it has not ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_session(&self, operator: &MemberId, id: &str) -> Result<(), StoreError> {
        self.delete(&session_key(operator, id)).await
    }
}
