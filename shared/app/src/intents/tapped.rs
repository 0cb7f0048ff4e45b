//! Intents at the tap on their button.

use guerdon_domain::{
    ids::{IntentId, MemberId},
    intents::{ActionKind, Closed, Intent},
};
use guerdon_store::table::{Effect, Guarded, metered};

use crate::{attempt::Attempts, context::App, error::AppError};

/// The reason why a tap on a button did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IntentRefusal {
    /// The button was made for another member.
    #[error("the button is another member's")]
    NotYours,
    /// The member has a newer button for the same kind of action, or the button is too old to be known.
    #[error("the button is outdated")]
    Outdated,
    /// The button was used or cancelled, or its time is over.
    #[error(transparent)]
    Closed(#[from] Closed),
}

/// The result of a tap on a button that cancels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// The intent is cancelled, by this tap or an earlier one.
    Done(Effect),
    /// Nothing was changed.
    Refused(IntentRefusal),
}

/// Finds the intent of a button that `member` tapped, in whatever state.
pub(crate) async fn tapped_intent(
    app: &App,
    member: &MemberId,
    kind: ActionKind,
    id: &IntentId,
) -> Result<Result<Intent, IntentRefusal>, AppError> {
    if !id.may_be_of(member) {
        return Ok(Err(IntentRefusal::NotYours));
    }
    let latest = app.store.intents().find(member, kind).await?;
    Ok(latest.filter(|intent| intent.id == *id).ok_or(IntentRefusal::Outdated))
}

/// Cancels an intent, so that its button does nothing any more.
pub async fn cancel_intent(
    app: &App,
    member: &MemberId,
    kind: ActionKind,
    id: &IntentId,
) -> Result<Cancelled, AppError> {
    metered("cancel_intent", async {
        let mut attempts = Attempts::default();
        loop {
            let before = match tapped_intent(app, member, kind, id).await? {
                Ok(intent) => intent,
                Err(refusal) => return Ok(Cancelled::Refused(refusal)),
            };
            let after = match before.clone().cancel(app.now()) {
                Ok(after) => after,
                Err(Closed::Cancelled) => return Ok(Cancelled::Done(Effect::AlreadyApplied)),
                Err(closed) => return Ok(Cancelled::Refused(closed.into())),
            };
            if app.store.intents().step(&before, &after).await? == Guarded::Written {
                return Ok(Cancelled::Done(Effect::Applied));
            }
            attempts.at_once()?;
        }
    })
    .await
}
