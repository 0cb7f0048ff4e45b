//! Tells members in Telegram what happened.
pub mod handler;
