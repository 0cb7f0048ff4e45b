//! Checks of every threshold, made before a rule runs on it.

use std::ops::RangeInclusive;

use crate::fraud::FraudRules;

/// A threshold that is out of bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("fraud setting '{setting}' must be {least} to {most}, not {value}")]
pub struct FraudRulesError {
    /// Path of the setting: `shared_ip.members`.
    pub setting: &'static str,
    /// The value that was given.
    pub value: u32,
    /// The least it may be.
    pub least: u32,
    /// The most it may be.
    pub most: u32,
}

/// Bounds of the number of members who share something. One member alone shares nothing.
const MEMBERS: RangeInclusive<u32> = 2..=FraudRules::MOST_MEMBERS;
/// Bounds of a window: a minute to 30 days.
const WITHIN_SECONDS: RangeInclusive<u32> = 60..=2_592_000;
/// The largest number of referrals, sign-ups or payments that a rule can ask for.
const MOST_COUNTED: u32 = 100_000;

impl FraudRules {
    /// The most members that a rule can ask for. It bounds the look-up of members who share something.
    pub const MOST_MEMBERS: u32 = 100;

    /// Checks every threshold, also of rules that are off, because they may be switched on later.
    ///
    /// # Errors
    /// [`FraudRulesError`] names the first setting that is out of bounds.
    pub fn check(&self) -> Result<(), FraudRulesError> {
        for (setting, value, bounds) in self.settings() {
            if !bounds.contains(&value) {
                let (least, most) = bounds.into_inner();
                return Err(FraudRulesError { setting, value, least, most });
            }
        }
        Ok(())
    }

    /// The lowest and the highest value of a threshold; nothing when the setting is not a threshold.
    pub(crate) fn bounds_of(&self, setting: &str) -> Option<(u32, u32)> {
        let found = self.settings().into_iter().find(|(name, ..)| *name == setting);
        found.map(|(_, _, bounds)| bounds.into_inner())
    }

    const fn settings(&self) -> [(&'static str, u32, RangeInclusive<u32>); 11] {
        let (conversion, refunds) = (self.low_conversion, self.refund_rate);
        [
            ("shared_destination.members", self.shared_destination.members, MEMBERS),
            ("shared_device.members", self.shared_device.members, MEMBERS),
            ("shared_ip.members", self.shared_ip.members, MEMBERS),
            ("shared_ip.within_seconds", self.shared_ip.within_seconds, WITHIN_SECONDS),
            // A rate of fewer than ten referrals means nothing.
            ("low_conversion.from_referrals", conversion.from_referrals, 10..=MOST_COUNTED),
            ("low_conversion.below_percent", conversion.below_percent, 1..=100),
            ("rapid_signups.signups", self.rapid_signups.signups, 2..=MOST_COUNTED),
            ("rapid_signups.within_seconds", self.rapid_signups.within_seconds, WITHIN_SECONDS),
            ("refund_rate.from_payments", refunds.from_payments, 1..=MOST_COUNTED),
            // No share is above 100 percent.
            ("refund_rate.above_percent", refunds.above_percent, 0..=99),
            ("referral_ring.members", self.referral_ring.members, MEMBERS),
        ]
    }
}
