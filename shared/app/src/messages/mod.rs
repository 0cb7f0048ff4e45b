//! Messages: notices to one member.
mod notices;

pub use guerdon_store::table::Effect;
pub use notices::{Content, Notice, claim_notice, notice_done, notice_for, remember_update, set_blocked};
