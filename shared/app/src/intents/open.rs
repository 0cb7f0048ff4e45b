//! Opening an intent.

use guerdon_domain::{
    ids::{IntentId, MemberId},
    intents::{Action, ActionKind, Intent},
};
use guerdon_store::table::Guarded;

use crate::{context::App, error::AppError};

/// Names the intent of `member` that the message or tap `cause` asks for.
pub(crate) fn intent_id(app: &App, member: &MemberId, kind: ActionKind, cause: &str) -> IntentId {
    Intent::id_for(&app.pseudonyms, member, kind, cause)
}

/// Opens an intent under this id, in place of the member's previous one of the same kind. When the same update
/// opened it before, returns that one, in the state that it is in now.
pub(crate) async fn open_intent(
    app: &App,
    id: IntentId,
    member: &MemberId,
    action: Action,
) -> Result<Intent, AppError> {
    let intent = Intent::open(id, member.clone(), action, app.now());
    if app.store.intents().open(&intent).await? == Guarded::Written {
        return Ok(intent);
    }
    let known = app.store.intents().find(member, intent.action.kind()).await?;
    // Another message may have opened another one meanwhile: then a tap on this one finds that it is outdated.
    Ok(known.filter(|known| known.id == intent.id).unwrap_or(intent))
}
