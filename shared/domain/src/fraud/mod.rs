//! Fraud rules as data: observations of a member, the rules' findings, and the flags that are kept.
//!
//! A use case looks something up and passes it as an [`Observation`]. [`FraudRules::judge`] answers with a
//! [`Finding`] for each rule that it breaks; each becomes a [`FraudFlag`]. A flag's id depends on what was
//! found and not on when, so a redelivered event raises no second flag. Shared things are known by their
//! [`Fingerprint`] only: the text that a member typed, or the address they connected from, is never stored.
mod check;
mod evidence;
mod fingerprint;
mod flag;
mod judge;
mod rules;
mod signal;
#[cfg(test)]
mod tests;
mod usable;

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
