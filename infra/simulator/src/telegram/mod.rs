//! The stand-in Telegram: people with their chats, and the Bot API.

mod actions;
pub(crate) mod api;
pub(crate) mod controls;
mod markup;
mod methods;
pub(crate) mod state;
