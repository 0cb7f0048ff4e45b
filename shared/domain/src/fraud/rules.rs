//! The rules with their thresholds, and the defaults that Guerdon publishes.
//!
//! A rule or threshold that is left out takes its default, so rules that were stored before a threshold
//! existed can still be read.

use serde::{Deserialize, Serialize};

use crate::fraud::FraudAction;

/// The fraud rules of a business. Bounds are those that [`FraudRules::check`] keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FraudRules {
    /// In shadow mode findings are recorded with the action that the rule prescribes, but not enforced.
    pub shadow: bool,
    /// Members who are paid out to one destination.
    pub shared_destination: SharedDestinationRule,
    /// Members on one device.
    pub shared_device: SharedDeviceRule,
    /// Members behind one IP address.
    pub shared_ip: SharedIpRule,
    /// A referrer whose referees hardly ever pay.
    pub low_conversion: LowConversionRule,
    /// A referrer who brings many members in a short time.
    pub rapid_signups: RapidSignupsRule,
    /// A referrer who pays for their own referees.
    pub self_referral: SelfReferralRule,
    /// A referrer whose referees get their money back.
    pub refund_rate: RefundRateRule,
    /// A referral chain that is one person.
    pub referral_ring: ReferralRingRule,
}

/// The rule for members who share a payout destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SharedDestinationRule {
    /// The action.
    pub action: FraudAction,
    /// The number of members with the same destination, including the member in question: 2 to 100.
    pub members: u32,
}

impl Default for SharedDestinationRule {
    /// Holds from two members, because an account has one owner. It does not reject: a couple may share an
    /// account. It does not only flag: money that was paid out does not come back.
    fn default() -> Self {
        Self { action: FraudAction::Hold, members: 2 }
    }
}

/// The rule for members who share a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SharedDeviceRule {
    /// The action.
    pub action: FraudAction,
    /// The number of members on the same device, including the member in question: 2 to 100.
    pub members: u32,
}

impl Default for SharedDeviceRule {
    /// Flags from three members: Telegram's apps switch between a private account and one for work, so two
    /// accounts on a device are ordinary.
    fn default() -> Self {
        Self { action: FraudAction::Flag, members: 3 }
    }
}

/// The rule for members who share an IP address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SharedIpRule {
    /// The action.
    pub action: FraudAction,
    /// The number of members at the same address, including the member in question: 2 to 100.
    pub members: u32,
    /// The window in seconds: 60 to 2,592,000 (30 days).
    pub within_seconds: u32,
}

impl Default for SharedIpRule {
    /// Only flags, and only many members within a day: households share an address, and a mobile carrier's
    /// NAT puts thousands of strangers behind one.
    fn default() -> Self {
        Self { action: FraudAction::Flag, members: 20, within_seconds: DAY }
    }
}

/// The rule for referrers whose referees rarely pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LowConversionRule {
    /// The action.
    pub action: FraudAction,
    /// The number of referrals from which the rule applies: 10 to 100,000. Fewer mean nothing.
    pub from_referrals: u32,
    /// The rule finds a converted share below this, in whole percent: 1 to 100.
    pub below_percent: u32,
}

impl Default for LowConversionRule {
    /// Only flags: an honest referrer whose referees pay one time in five has, with one chance in nine, no
    /// paying one among the first ten. Of 10 to 20 referrals, below 5 percent means none.
    fn default() -> Self {
        Self { action: FraudAction::Flag, from_referrals: 10, below_percent: 5 }
    }
}

/// The rule for members who bring many others in a short time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RapidSignupsRule {
    /// The action.
    pub action: FraudAction,
    /// The number of members who joined through one referrer: 2 to 100,000.
    pub signups: u32,
    /// The window in seconds: 60 to 2,592,000 (30 days).
    pub within_seconds: u32,
}

impl Default for RapidSignupsRule {
    /// Only flags: a post in a busy channel, which the program wants to reward, brings as many members as a
    /// script does. Twenty in an hour do not come by word of mouth.
    fn default() -> Self {
        Self { action: FraudAction::Flag, signups: 20, within_seconds: HOUR }
    }
}

/// The rule for a payer and a referrer with the same means of payment. It has no threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SelfReferralRule {
    /// The action.
    pub action: FraudAction,
}

impl Default for SelfReferralRule {
    /// Rejects: a referrer who pays for their own referees gives themselves a discount, which no program
    /// intends, and a shared card is the strongest proof there is.
    fn default() -> Self {
        Self { action: FraudAction::Reject }
    }
}

/// The rule for members whose referees' payments are undone too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RefundRateRule {
    /// The action.
    pub action: FraudAction,
    /// The number of payments from which the rule applies: 1 to 100,000.
    pub from_payments: u32,
    /// The rule finds an undone share above this, in whole percent: 0 to 99.
    pub above_percent: u32,
}

impl Default for RefundRateRule {
    /// Holds: shops see a few percent undone. Three of ten may still be a bad week, four are a pattern, and
    /// released commissions would have to be clawed back from a wallet that may be empty by then.
    fn default() -> Self {
        Self { action: FraudAction::Hold, from_payments: 10, above_percent: 30 }
    }
}

/// The rule for members of one referral chain who share a device, a destination or a means of payment.
/// Addresses do not count: flatmates who bring each other are what a program is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReferralRingRule {
    /// The action.
    pub action: FraudAction,
    /// The number of members of one chain, 2 to 100: the member in question, their referrer, their upline,
    /// and members brought by the same referrer.
    pub members: u32,
}

impl Default for ReferralRingRule {
    /// Holds from three members until a person has reviewed it: two may be a couple with one tablet; three
    /// who brought each other and share one are rarely three people, but may be a family.
    fn default() -> Self {
        Self { action: FraudAction::Hold, members: 3 }
    }
}

const HOUR: u32 = 3600;
const DAY: u32 = 24 * HOUR;
