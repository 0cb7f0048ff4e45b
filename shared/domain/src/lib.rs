//! The rules of Guerdon: money, ids, codes, the ledger, the program, ranks and presets.
//!
//! Everything here is pure: no I/O, no clock, no randomness, no async. Time and random bytes come in as
//! arguments, so a rule can be read, tested and replayed on its own. The vocabulary is the glossary's
//! (docs/ARCHITECTURE.md): a *referrer* brought a *referee*, a *payment* earns a *commission*, a commission
//! is *released* into a *wallet*, and a wallet's statement is made of *entries*.
mod clawback;
mod code;
mod ids;
mod ledger;
mod money;
mod preset;
mod program;
mod rank;
mod referral;
mod time;
mod wallet;

pub use clawback::*;
pub use code::*;
pub use ids::*;
pub use ledger::*;
pub use money::*;
pub use preset::*;
pub use program::*;
pub use rank::*;
pub use referral::*;
pub use time::*;
pub use wallet::*;
