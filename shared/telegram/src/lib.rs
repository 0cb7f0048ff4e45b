//! Telegram's formats: updates are parsed, calls are built and sent. This crate decides nothing.
//!
//! **In.** [`Update::parse`] reads a webhook body with structs of our own. They need as few fields as
//! possible, because Telegram adds fields and kinds faster than libraries follow, and a library that
//! ignores what it cannot read could lose a payment. A kind that carries money is read in full or is an
//! error ([`ParseError::BadMoneyUpdate`]); everything else that we do not handle is [`UpdateKind::Other`].
//! [`Command`], [`StartPayload`], [`Nav`] and [`Spend`] are the meanings of texts and taps.
//!
//! **Out.** [`Outgoing`] is one Bot API call, made of teloxide-core's payload types. It is sent either as
//! the body of the webhook's answer ([`Outgoing::webhook_body`]: one round trip less, but no result)
//! or, with the feature `client`, by `BotApi::send`, which returns the result ([`SendError`]).
//!
//! ```
//! use guerdon_domain::ids::TelegramId;
//! use guerdon_telegram::{
//!     command::{Command, StartPayload},
//!     keyboard::{Button, Keyboard},
//!     nav::Nav,
//!     outbound::Outgoing,
//!     update::{Update, UpdateKind},
//! };
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
//!
//! [`Update::parse`]: update::Update::parse
//! [`ParseError::BadMoneyUpdate`]: update::ParseError::BadMoneyUpdate
//! [`UpdateKind::Other`]: update::UpdateKind::Other
//! [`Command`]: command::Command
//! [`StartPayload`]: command::StartPayload
//! [`Nav`]: nav::Nav
//! [`Spend`]: spend::Spend
//! [`Outgoing`]: outbound::Outgoing
//! [`Outgoing::webhook_body`]: outbound::Outgoing::webhook_body
//! [`SendError`]: reply::SendError

#[cfg(feature = "client")]
pub mod client;
pub mod command;
pub mod html;
pub mod keyboard;
pub mod links;
pub mod nav;
pub mod offer;
pub mod outbound;
pub mod purse;
pub mod reply;
pub mod secret;
pub mod spend;
pub mod texts;
pub mod update;
pub mod username;
