//! Intents: opening one when a button that moves money is shown, and finding or cancelling it at the tap. The
//! concern that the action belongs to uses it up, in the transaction of the action.
mod open;
mod tapped;

pub(crate) use open::{intent_id, open_intent};
pub(crate) use tapped::tapped_intent;
pub use tapped::{Cancelled, IntentRefusal, cancel_intent};
