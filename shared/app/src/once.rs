//! Writes that happen once under the key their caller chose: the stored answer and the audit line.

use guerdon_domain::{
    ids::{MemberId, TelegramId},
    money::Money,
    operators::AuditRecord,
};
use guerdon_store::{requests::StoredResponse, table::metered};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    context::App,
    error::{AppError, refusal},
};

/// Who asks for a change, and under which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskRequest {
    /// The operator's credential, by name.
    pub principal: String,
    /// The `Idempotency-Key` they chose.
    pub key: String,
    /// SHA-256 of route and body.
    pub input_hash: String,
    /// Whom it concerns.
    pub user_id: TelegramId,
    /// Why, in the operator's words.
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
pub enum DeskError {
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

impl DeskRequest {
    /// The change's own id: the same principal and key always give the same one.
    pub(crate) fn digest(&self) -> String {
        let digest = Sha256::digest(format!("{}\n{}", self.principal, self.key));
        hex::encode(&digest[..16])
    }
}

macro_rules! app_error {
    ($($error:ty),*) => {$(
        impl From<$error> for DeskError {
            fn from(error: $error) -> Self {
                Self::App(error.into())
            }
        }
    )*};
}

app_error!(
    guerdon_store::table::StoreError,
    guerdon_domain::ids::IdError,
    guerdon_domain::money::MoneyError,
    serde_json::Error
);

/// A write under its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskCall {
    /// The operator's credential, by name.
    pub principal: String,
    /// The `Idempotency-Key` they chose.
    pub key: String,
    /// SHA-256 of route and body.
    pub input_hash: String,
}

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

/// What goes into the audit trail about a write that the stream tells nothing of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// What was done.
    pub action: &'static str,
    /// To whom, if to somebody.
    pub member: Option<MemberId>,
    /// Why.
    pub reason: String,
    /// The state before, as JSON.
    pub before: String,
    /// The state after, as JSON.
    pub after: String,
}

/// The answer kept under this key, if the call was answered before.
///
/// # Errors
/// [`CallRefusal`].
pub async fn answered_call(app: &App, call: &DeskCall) -> Result<Option<String>, CallRefusal> {
    let stored = app.store.requests().answer(&call.principal, &call.key).await.map_err(AppError::from)?;
    match stored {
        Some(stored) if stored.input_hash != call.input_hash => Err(CallRefusal::KeyReused),
        stored => Ok(stored.map(|stored| stored.body)),
    }
}

/// Keeps the answer of a step that was done, with an audit line where the stream writes none. The step
/// comes first and is idempotent, so a crash in between costs nothing: it is done again with the same end.
///
/// # Errors
/// [`AppError`].
pub async fn keep_answer(
    app: &App,
    call: &DeskCall,
    body: String,
    line: Option<Line>,
) -> Result<(), AppError> {
    metered("keep_answer", async {
        let silent = line.is_none();
        let (audit, response) = trail(app, call, line.unwrap_or_default(), body);
        let [response, audit] = app.store.requests().audited(&audit, &response, ())?;
        let writes = if silent { vec![response] } else { vec![response, audit] };
        // Refused: a twin of this very call has kept its answer.
        refusal(app.store.commit(&writes).await)?;
        Ok(())
    })
    .await
}

pub(crate) fn trail(app: &App, call: &DeskCall, line: Line, body: String) -> (AuditRecord, StoredResponse) {
    let at = app.now();
    let digest = Sha256::digest(format!("{}\n{}", call.principal, call.key));
    let audit = AuditRecord {
        id: hex::encode(&digest[..16]),
        at,
        principal: call.principal.clone(),
        action: line.action.to_owned(),
        member: line.member,
        reason: line.reason,
        before: line.before,
        after: line.after,
    };
    let response = StoredResponse {
        principal: call.principal.clone(),
        key: call.key.clone(),
        input_hash: call.input_hash.clone(),
        body,
        at,
    };
    (audit, response)
}

pub(crate) async fn answered(app: &App, request: &DeskRequest) -> Result<Option<Answer>, DeskError> {
    let Some(stored) = app.store.requests().answer(&request.principal, &request.key).await? else {
        return Ok(None);
    };
    if stored.input_hash != request.input_hash {
        return Err(DeskError::KeyReused);
    }
    Ok(Some(Answer::AlreadyApplied(serde_json::from_str(&stored.body)?)))
}

pub(crate) fn desk_trail(
    app: &App,
    request: &DeskRequest,
    action: &str,
    member: &MemberId,
    (before, after): (String, String),
    change: &Change,
) -> Result<(AuditRecord, StoredResponse), DeskError> {
    let now = app.now();
    let audit = AuditRecord {
        id: request.digest(),
        at: now,
        principal: request.principal.clone(),
        action: action.to_owned(),
        member: Some(member.clone()),
        reason: request.reason.clone(),
        before,
        after,
    };
    let response = StoredResponse {
        principal: request.principal.clone(),
        key: request.key.clone(),
        input_hash: request.input_hash.clone(),
        body: serde_json::to_string(change)?,
        at: now,
    };
    Ok((audit, response))
}
