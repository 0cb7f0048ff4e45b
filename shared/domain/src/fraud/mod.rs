//! Fraud rules as data: what is noticed about a member, what the rules say to it, and what is kept of it.
//!
//! A use case looks something up and hands it in as an [`Observation`]. [`FraudRules::judge`] answers with a
//! [`Finding`] for each rule that it breaks; each becomes a [`FraudFlag`], whose id depends on what was found
//! and not on when, so that a redelivered event raises nothing twice. Who shares what with whom is known by
//! [`Fingerprint`] alone: what a member typed or connected from is never kept.
mod check;
mod evidence;
mod fingerprint;
mod flag;
mod judge;
mod rules;
mod signal;
#[cfg(test)]
mod tests;

pub use check::FraudRulesError;
pub use evidence::Evidence;
pub use fingerprint::{Fingerprint, FingerprintError, FingerprintKind};
pub use flag::{FraudFlag, FraudFlagError, FraudFlagState, FraudVerdict};
pub use judge::{Finding, Observation};
pub use rules::{
    FraudRules, LowConversionRule, RapidSignupsRule, ReferralRingRule, RefundRateRule, SelfReferralRule,
    SharedDestinationRule, SharedDeviceRule, SharedIpRule,
};
pub use signal::{FraudAction, Signal};
