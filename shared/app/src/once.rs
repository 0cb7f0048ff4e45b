//! Writes that happen once under the key their caller chose: the stored answer and the audit line.

use guerdon_domain::{
    ids::{MemberId, TelegramId},
    money::Money,
    operators::AuditRecord,
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

/// A write under the key that its caller chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The caller's credential, by name.
    pub principal: String,
    /// The `Idempotency-Key` they chose.
    pub key: String,
    /// Keyed hash of route and body: the same key with another one is refused.
    pub input_hash: String,
}

/// A write about a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberCall {
    /// Who asks, and under which key.
    pub call: Call,
    /// Whom it concerns.
    pub user_id: TelegramId,
    /// Why, in the caller's words.
    pub reason: String,
}

/// What a change came to, as it was answered the first time and is answered again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Whom it concerned.
    pub user_id: TelegramId,
    /// The adjustment or commission that was made.
    pub id: String,
    /// How much was moved.
    pub amount: Money,
    /// Bill credit of the member afterwards, in the wallet or on the Stripe balance.
    pub credit_balance: Money,
}

/// A change that happened now, or the answer of the time it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Now.
    Applied(Change),
    /// Before, under the same key.
    AlreadyApplied(Change),
}

/// Why a change was refused. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeRefusal {
    /// Nobody of that id is known.
    #[error("no member has this user id")]
    UnknownMember,
    /// The amount is zero, negative, too large, or in the wrong currency.
    #[error("{0}")]
    BadAmount(String),
    /// There is less to take than asked.
    #[error("{0}")]
    Insufficient(String),
    /// The member was not referred by anybody.
    #[error("this member was not referred by anybody")]
    NotReferred,
    /// The referral is converted or expired.
    #[error("this referral is {0}, not pending")]
    NotPending(&'static str),
    /// The same key came with another input before.
    #[error("this Idempotency-Key was used for another request")]
    KeyReused,
    /// It did not complete.
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

/// Why a kept answer cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum CallRefusal {
    /// The same key came with another input before.
    #[error("this Idempotency-Key was used for another request")]
    KeyReused,
    /// It did not complete.
    #[error(transparent)]
    App(#[from] AppError),
}

/// What a call leaves in the transaction of its change: the answer to give again, and an audit line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Once {
    response: StoredResponse,
    audit: Option<AuditRecord>,
}

impl Once {
    /// Both as parts of a transaction, which is refused when the call was answered before.
    pub(crate) fn fragments<E: Clone>(&self, app: &App, answered: E) -> Result<Vec<Fragment<E>>, StoreError> {
        let mut fragments = vec![app.store.requests().insert(&self.response, answered.clone())?];
        if let Some(audit) = &self.audit {
            fragments.push(app.store.audit().insert(audit, answered)?);
        }
        Ok(fragments)
    }
}

impl Call {
    /// The id of what the call makes: the same principal and key always give the same one.
    pub(crate) fn id(&self) -> String {
        let digest = Sha256::digest(format!("{}\n{}", self.principal, self.key));
        hex::encode(&digest[..16])
    }

    /// The answer stored under this key, if the call was answered before.
    ///
    /// # Errors
    /// [`CallRefusal`].
    pub async fn answered(&self, app: &App) -> Result<Option<String>, CallRefusal> {
        let stored = app.store.requests().answer(&self.principal, &self.key).await.map_err(AppError::from)?;
        match stored {
            Some(stored) if stored.input_hash != self.input_hash => Err(CallRefusal::KeyReused),
            stored => Ok(stored.map(|stored| stored.body)),
        }
    }

    /// Its answer and its audit line.
    pub(crate) fn once(&self, app: &App, body: String, line: Line) -> Once {
        self.once_with(app, body, Some(audit::line(self.id(), app.now(), &self.principal, line)))
    }

    /// Its answer, and an audit line where there is one.
    pub(crate) fn once_with(&self, app: &App, body: String, audit: Option<AuditRecord>) -> Once {
        let Self { principal, key, input_hash } = self.clone();
        Once { response: StoredResponse { principal, key, input_hash, body, at: app.now() }, audit }
    }
}

impl MemberCall {
    /// The answer of the first time, if the call was answered before.
    pub(crate) async fn answered(&self, app: &App) -> Result<Option<Answer>, ChangeRefusal> {
        let Some(body) = self.call.answered(app).await? else { return Ok(None) };
        Ok(Some(Answer::AlreadyApplied(serde_json::from_str(&body)?)))
    }

    /// The change as its answer, and its audit line.
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

/// Keeps the answer of a step that was done, with an audit line where the stream writes none. The step
/// comes first and is idempotent, so a crash in between costs nothing: it is done again with the same end.
///
/// # Errors
/// [`AppError`].
pub async fn keep_answer(app: &App, call: &Call, body: String, line: Option<Line>) -> Result<(), AppError> {
    metered("keep_answer", async {
        let audit = line.map(|line| audit::line(call.id(), app.now(), &call.principal, line));
        let writes = call.once_with(app, body, audit).fragments(app, ())?;
        // Refused: a twin of this very call has kept its answer.
        refusal(app.store.commit(&writes).await)?;
        Ok(())
    })
    .await
}
