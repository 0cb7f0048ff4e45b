//! The bot: Telegram posts updates here, and the answer rides in the response.
//!
//! An update is answered in three steps: work out the reply (every use case behind it is idempotent),
//! remember the `update_id`, answer. A redelivery finds the id and gets a bare 200; a crash in between
//! costs nothing, because Telegram delivers again and the work comes out the same.
mod dispatch;
pub mod handler;
mod pages;
mod withdraw;
