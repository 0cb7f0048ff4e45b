//! The rules of Guerdon: money, ids, codes, the ledger, the program, ranks and presets.
//!
//! Everything here is pure: no I/O, no clock, no randomness, no async. Time and random bytes come in as
//! arguments, so a rule can be read, tested and replayed on its own. The vocabulary is the glossary's
//! (docs/ARCHITECTURE.md): a *referrer* brought a *referee*, a *payment* earns a *commission*, a commission
//! is *released* into a *wallet*, and a wallet's statement is made of *entries*.
mod clawback;
mod click;
mod code;
mod destination;
mod entry;
mod fraud;
mod ids;
mod ledger;
mod money;
mod operator;
mod order;
mod preset;
mod program;
mod rank;
mod referral;
mod reversal;
mod setting;
mod tier;
mod time;
mod wallet;
mod withdrawal;

pub use clawback::*;
pub use click::*;
pub use code::*;
pub use destination::*;
pub use entry::*;
pub use fraud::*;
pub use ids::*;
pub use ledger::*;
pub use money::*;
pub use operator::*;
pub use order::*;
pub use preset::*;
pub use program::*;
pub use rank::*;
pub use referral::*;
pub use reversal::*;
pub use setting::*;
pub use tier::*;
pub use time::*;
pub use wallet::*;
pub use withdrawal::*;
