//! The use cases. Each one loads its input, decides with `guerdon-domain`, and commits one transaction.
//!
//! They do not depend on HTTP, on Lambda, or on the formats of Stripe and Telegram: the functions decode
//! those and call the use cases. A result that the caller must show to a person is in the outcome of the use
//! case. An [`AppError`](error::AppError) means that the use case did not complete, and says whether a retry
//! helps.
//!
//! Every use case can be called twice, concurrently, or again after a crash at any point, with the same
//! result.
//!
//! Each concern has one module, with the same name in every layer. The modules below them are [`context`]
//! (the input of every use case), [`error`], and [`once`] (the caller's key, the stored answer and the audit
//! line of a write). The modules beside them are [`events`] (the meaning of a change on the stream) and
//! [`jobs`] (the results of scheduled jobs).
mod attempt;
pub mod audit;
pub mod bill_credit;
pub mod cached;
pub mod commissions;
pub mod context;
pub mod entropy;
pub mod error;
pub mod events;
pub mod fraud;
pub mod gamification;
pub mod intents;
pub mod jobs;
pub mod members;
pub mod memory;
pub mod messages;
pub mod observe;
pub mod once;
pub mod operators;
pub mod payments;
pub mod programs;
pub mod referrals;
pub mod settings;
pub mod statistics;
pub mod stored;
pub mod verification;
pub mod wallets;
pub mod withdrawals;
