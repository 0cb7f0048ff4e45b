//! Intents: what a button that moves money does, kept on the server while the button carries only its id.
mod intent;

pub use intent::{Action, ActionKind, Closed, Intent, IntentState, VALID_SECONDS};
