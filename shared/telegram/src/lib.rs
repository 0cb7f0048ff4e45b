//! Telegram, both ways: what comes in is read, what goes out is built, and nothing in between is decided.
//!
//! **In.** [`Update::parse`] reads a webhook body with structs of our own. They ask for as little as
//! possible, because Telegram adds fields and kinds faster than any library follows, and a library that
//! swallows what it cannot read would swallow money. A kind that carries money is read in full or refused
//! loudly ([`ParseError::BadMoneyUpdate`]); everything else we do not handle is [`UpdateKind::Other`].
//! [`Command`], [`StartPayload`] and [`Nav`] turn texts and taps into words.
//!
//! **Out.** [`Outgoing`] is one Bot API call, made of teloxide-core's payload types. It is sent either as
//! the body of the webhook's answer ([`Outgoing::webhook_body`], one round trip saved, result unknowable)
//! or, with the feature `client`, through `BotApi::send`, which says what became of it ([`SendError`]).
//!
//! ```
//! use guerdon_domain::ids::TelegramId;
//! use guerdon_telegram::{Button, Command, Keyboard, Nav, Outgoing, StartPayload, Update, UpdateKind};
//!
//! let body = br#"{"update_id":7,"message":{"message_id":1,"date":1790000000,"text":"/start ref_ABCD2345",
//!     "chat":{"id":5001,"type":"private"},"from":{"id":5001,"is_bot":false,"first_name":"Ada"}}}"#;
//! let update = Update::parse(body)?;
//! let UpdateKind::Message(message) = update.kind else { panic!("a message") };
//! let command = Command::parse(message.text.as_deref().unwrap_or(""), "GuerdonBot");
//! assert!(matches!(command, Some(Command::Start(StartPayload::Referral(_)))));
//!
//! let keyboard = Keyboard::new().row([Button::nav("Invite friends", Nav::Recruit)]);
//! let reply = Outgoing::send_html(TelegramId::try_new(message.chat.id)?, "<b>Welcome</b>", keyboard);
//! assert_eq!(reply.webhook_body()["method"], "sendMessage");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
mod callback;
#[cfg(feature = "client")]
mod client;
mod command;
pub mod html;
mod keyboard;
mod links;
mod offer;
mod outbound;
mod reply;
mod secret;
pub mod texts;
mod update;
mod username;

pub use callback::{Nav, Period};
#[cfg(feature = "client")]
pub use client::{BotApi, ClientError};
pub use command::{Command, MENU, MENU_WITHDRAW, StartPayload};
pub use keyboard::{Button, Keyboard};
pub use links::{click_link, deep_link, share_link};
pub use offer::{Offer, Purse};
pub use outbound::Outgoing;
pub use reply::{SendError, read_reply};
pub use secret::secret_matches;
pub use update::{
    ALLOWED_UPDATES, Callback, Chat, ChatKind, Message, MessageRef, ParseError, PreCheckoutQuery,
    RefundedPayment, SubscriptionState, SuccessfulPayment, Update, UpdateKind, User,
};
pub use username::{BotUsername, UsernameError};
