//! Sends members messages in Telegram about what happened.
pub mod handler;
