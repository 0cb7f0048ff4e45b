//! The use cases. Each one loads what it needs, decides with `guerdon-domain`, and commits one transaction.
//!
//! They know neither HTTP nor Lambda, neither Stripe's nor Telegram's formats: the functions decode those
//! and call in here. Anything a caller must show somebody is in a use case's outcome; an
//! [`AppError`](error::AppError) means that it did not complete, and says whether trying again helps.
//!
//! Every use case may be called twice, at once, or again after a crash at any point, with the same end.
//!
//! One module for each concern, under the name that it has in every layer. Below them stand [`context`] (what a use
//! case is given), [`error`], and what each writes with: [`once`] (a caller's key, the stored answer, the audit line).
//! Beside them stand [`events`], what a change on the stream means to others, and [`jobs`], what schedules did.
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
pub mod jobs;
pub mod members;
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
