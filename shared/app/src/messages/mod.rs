//! Messages: notices to one member.
mod notices;

pub use notices::{Content, Notice, claim_notice, notice_done, notice_for, set_blocked};
