//! Writes that happen once under the caller's key, with the stored answer and the audit line.

use guerdon_domain::{
    ids::{MemberId, PrincipalId, TelegramId},
    money::Money,
    operators::AuditRecord,
    payments::Refusal,
};
use guerdon_store::{
    requests::StoredResponse,
    table::{Fragment, StoreError, metered},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    audit::{self, Line},
    context::App,
    error::{AppError, refusal},
};

/// A write under a key that the caller chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The name of the caller's credential.
    pub principal: PrincipalId,
    /// The `Idempotency-Key` of the caller.
    pub key: String,
    /// A keyed hash of route and body. The same key with another hash is refused.
    pub input_hash: String,
}

/// A write about a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberCall {
    /// The caller and the key.
    pub call: Call,
    /// The member that the write is about.
    pub user_id: TelegramId,
    /// The reason in the caller's words.
    pub reason: String,
}

/// The result of a change. It is stored with the first answer and returned for every repeated call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The member that the change is about.
    pub user_id: TelegramId,
    /// The id of the new adjustment or commission.
    pub id: String,
    /// The amount that was moved.
    pub amount: Money,
    /// The member's bill credit after the change, in the wallet or on the Stripe balance.
    pub credit_balance: Money,
}

/// The answer of a change: applied by this call or by an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Applied by this call.
    Applied(Change),
    /// Applied by an earlier call under the same key.
    AlreadyApplied(Change),
}

/// The reason why a change was refused. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeRefusal {
    /// No member has this id.
    #[error("no member has this user id")]
    UnknownMember,
    /// The amount is zero, negative, too large, or in the wrong currency.
    #[error("{0}")]
    BadAmount(String),
    /// The available amount is less than the requested amount.
    #[error("{0}")]
    Insufficient(String),
    /// The member was not referred.
    #[error("this member was not referred by anybody")]
    NotReferred,
    /// The referral is converted or expired.
    #[error("this referral is {0}, not pending")]
    NotPending(&'static str),
    /// The program rewards no referrer.
    #[error("the program in force rewards no referrer, so nothing converts a referral")]
    NoReward,
    /// The confirmed payment would not convert the referral.
    #[error("a confirmed payment would not convert this referral: {}", .0.explain())]
    WouldNotConvert(Refusal),
    /// An earlier call used this key with another input.
    #[error("this Idempotency-Key was used for another request")]
    KeyReused,
    /// The change did not complete.
    #[error(transparent)]
    App(#[from] AppError),
}

macro_rules! app_error {
    ($($error:ty),*) => {$(
        impl From<$error> for ChangeRefusal {
            fn from(error: $error) -> Self {
                Self::App(error.into())
            }
        }
    )*};
}

impl From<CallRefusal> for ChangeRefusal {
    fn from(refusal: CallRefusal) -> Self {
        match refusal {
            CallRefusal::KeyReused => Self::KeyReused,
            CallRefusal::App(error) => Self::App(error),
        }
    }
}

app_error!(
    guerdon_store::table::StoreError,
    guerdon_domain::ids::IdError,
    guerdon_domain::money::MoneyError,
    serde_json::Error
);

/// The reason why a stored answer cannot be returned.
#[derive(Debug, thiserror::Error)]
pub enum CallRefusal {
    /// An earlier call used this key with another input.
    #[error("this Idempotency-Key was used for another request")]
    KeyReused,
    /// The read did not complete.
    #[error(transparent)]
    App(#[from] AppError),
}

/// The records that a call adds to the transaction of its change: the stored answer and an audit line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Once {
    response: StoredResponse,
    audit: Option<AuditRecord>,
}

impl Once {
    /// Returns both records as parts of a transaction. The transaction is refused when the call was answered
    /// before.
    pub(crate) fn fragments<E: Clone>(&self, app: &App, answered: E) -> Result<Vec<Fragment<E>>, StoreError> {
        let mut fragments = vec![app.store.requests().insert(&self.response, answered.clone())?];
        if let Some(audit) = &self.audit {
            fragments.push(app.store.audit().insert(audit, answered)?);
        }
        Ok(fragments)
    }
}

impl Call {
    /// Returns the id of the object that the call creates. The same principal and key always give the same
    /// id.
    pub(crate) fn id(&self) -> String {
        let digest = Sha256::digest(format!("{}\n{}", self.principal, self.key));
        hex::encode(&digest[..16])
    }

    /// Returns the answer stored under this key, if the call was answered before.
    pub async fn answered(&self, app: &App) -> Result<Option<String>, CallRefusal> {
        let stored = app.store.requests().answer(&self.principal, &self.key).await.map_err(AppError::from)?;
        match stored {
            Some(stored) if stored.input_hash != self.input_hash => Err(CallRefusal::KeyReused),
            stored => Ok(stored.map(|stored| stored.body)),
        }
    }

    /// Builds the answer and the audit line of the call.
    pub(crate) fn once(&self, app: &App, body: String, line: Line) -> Once {
        self.once_with(app, body, Some(audit::line(self.id(), app.now(), &self.principal, line)))
    }

    /// Builds the answer of the call, with an optional audit line.
    pub(crate) fn once_with(&self, app: &App, body: String, audit: Option<AuditRecord>) -> Once {
        let Self { principal, key, input_hash } = self.clone();
        Once { response: StoredResponse { principal, key, input_hash, body, at: app.now() }, audit }
    }
}

impl MemberCall {
    /// Returns the first answer, if the call was answered before.
    pub(crate) async fn answered(&self, app: &App) -> Result<Option<Answer>, ChangeRefusal> {
        let Some(body) = self.call.answered(app).await? else { return Ok(None) };
        Ok(Some(Answer::AlreadyApplied(serde_json::from_str(&body)?)))
    }

    /// Builds the answer from the change, and its audit line.
    pub(crate) fn once(
        &self,
        app: &App,
        change: &Change,
        (action, member): (&str, &MemberId),
        states: [String; 2],
    ) -> Result<Once, ChangeRefusal> {
        let line = Line::new(action).about(member.clone()).because(self.reason.as_str()).states(states);
        Ok(self.call.once(app, serde_json::to_string(change)?, line))
    }
}

/// Stores the answer of a completed step, with an audit line where the stream writes none. The step comes
/// first and is idempotent: after a crash in between, it runs again with the same result.
pub async fn keep_answer(app: &App, call: &Call, body: String, line: Option<Line>) -> Result<(), AppError> {
    metered("keep_answer", async {
        let audit = line.map(|line| audit::line(call.id(), app.now(), &call.principal, line));
        let writes = call.once_with(app, body, audit).fragments(app, ())?;
        // A refusal means that a concurrent copy of this call has stored its answer.
        refusal(app.store.commit(&writes).await)?;
        Ok(())
    })
    .await
}
