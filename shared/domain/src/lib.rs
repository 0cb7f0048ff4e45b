//! The rules of Guerdon: money, ids, codes, the ledger, the program, ranks and presets.
//!
//! Everything here is pure: no I/O, no clock, no randomness, no async. Time and random bytes come in as
//! arguments, so a rule can be read, tested and replayed on its own. The terms are those of the glossary
//! (docs/ARCHITECTURE.md): a *referrer* brought a *referee*, a *payment* earns a *commission*, a commission
//! is *released* into a *wallet*, and a wallet's statement is made of *entries*.
//!
//! There is one module for each concern, with the same name in every layer. Nothing is re-exported at the
//! root: the path `wallets::Wallet` shows where a wallet is found. Concerns use each other in this order and
//! form no circle: `stored`, `decimal`, `money`, `time` and `ids`; `exchange`; `referrals`, `members`, `wallets`, `operators`; `withdrawals`,
//! `fraud`, `payments`; `intents`, `programs`, `commissions`, `bill_credit`, `gamification`, `statistics`; `settings`,
//! whose presets contain the numbers of every concern.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod bill_credit;
pub mod commissions;
pub mod decimal;
pub mod exchange;
pub mod fraud;
pub mod gamification;
pub mod ids;
pub mod intents;
pub mod members;
pub mod money;
pub mod operators;
pub mod payments;
pub mod programs;
pub mod referrals;
pub mod settings;
pub mod statistics;
pub mod stored;
pub mod time;
pub mod wallets;
pub mod withdrawals;
