//! The rules with their thresholds, and the defaults that Guerdon publishes.
//!
//! Every rule and every threshold that is left out takes its default, so rules that were stored before a
//! threshold existed can still be read.

use serde::{Deserialize, Serialize};

use crate::fraud::FraudAction;

/// The fraud rules of a business. Bounds are those that [`FraudRules::check`] keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FraudRules {
    /// Findings are recorded with what would have been done, and nothing is done.
    pub shadow: bool,
    /// Members who are paid out to one destination.
    pub shared_destination: SharedDestinationRule,
    /// Members on one device.
    pub shared_device: SharedDeviceRule,
    /// Members behind one IP address.
    pub shared_ip: SharedIpRule,
    /// A referrer whose referees hardly ever pay.
    pub low_conversion: LowConversionRule,
    /// A referrer who brings many at once.
    pub rapid_signups: RapidSignupsRule,
    /// A referrer who pays for those they brought.
    pub self_referral: SelfReferralRule,
    /// A referrer whose referees take their money back.
    pub refund_rate: RefundRateRule,
    /// A referral chain that is one person.
    pub referral_ring: ReferralRingRule,
}

/// When members share a payout destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SharedDestinationRule {
    /// What is done.
    pub action: FraudAction,
    /// From how many members with the same destination, the one in question included: 2 to 100.
    pub members: u32,
}

impl Default for SharedDestinationRule {
    /// An account has one owner, so two members are enough; but a couple may share one, and money that has
    /// left does not come back, so it waits for a person and is not refused.
    fn default() -> Self {
        Self { action: FraudAction::Hold, members: 2 }
    }
}

/// When members share a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SharedDeviceRule {
    /// What is done.
    pub action: FraudAction,
    /// From how many members on the same device, the one in question included: 2 to 100.
    pub members: u32,
}

impl Default for SharedDeviceRule {
    /// A private account beside one for work is ordinary, and Telegram's apps switch between them: two are
    /// let be, and a third is worth a look.
    fn default() -> Self {
        Self { action: FraudAction::Flag, members: 3 }
    }
}

/// When members share an IP address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SharedIpRule {
    /// What is done.
    pub action: FraudAction,
    /// From how many members at the same address, the one in question included: 2 to 100.
    pub members: u32,
    /// Seen there within this many seconds: 60 to 2,592,000 (30 days).
    pub within_seconds: u32,
}

impl Default for SharedIpRule {
    /// Households share an address, and a mobile carrier's NAT puts thousands of strangers behind one: it
    /// takes a crowd in one day to mean anything, and even that is never more than a reason to look.
    fn default() -> Self {
        Self { action: FraudAction::Flag, members: 20, within_seconds: DAY }
    }
}

/// When too few referees pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LowConversionRule {
    /// What is done.
    pub action: FraudAction,
    /// Judged from this many referrals: 10 to 100,000. Fewer say nothing.
    pub from_referrals: u32,
    /// Less than this share of them converted, whole percent: 1 to 100.
    pub below_percent: u32,
}

impl Default for LowConversionRule {
    /// An honest referrer whose referees pay one time in five has none of ten in one case of nine: so it
    /// only flags. Of 10 to 20 referrals, below 5 percent is none at all.
    fn default() -> Self {
        Self { action: FraudAction::Flag, from_referrals: 10, below_percent: 5 }
    }
}

/// When one member brings many within a short while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RapidSignupsRule {
    /// What is done.
    pub action: FraudAction,
    /// From how many who joined by one referrer: 2 to 100,000.
    pub signups: u32,
    /// Within this many seconds: 60 to 2,592,000 (30 days).
    pub within_seconds: u32,
}

impl Default for RapidSignupsRule {
    /// A post in a busy channel brings as many as a script does, and it is what the program pays for: so it
    /// only flags. By word of mouth nobody brings twenty people in an hour.
    fn default() -> Self {
        Self { action: FraudAction::Flag, signups: 20, within_seconds: HOUR }
    }
}

/// When payer and referrer pay by the same means. It knows no threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SelfReferralRule {
    /// What is done.
    pub action: FraudAction,
}

impl Default for SelfReferralRule {
    /// Whoever pays for those they brought gives themselves a discount, and no program means that. A card
    /// is the strongest proof there is, so this alone rejects.
    fn default() -> Self {
        Self { action: FraudAction::Reject }
    }
}

/// When too many payments of a member's referees are undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RefundRateRule {
    /// What is done.
    pub action: FraudAction,
    /// Judged from this many payments: 1 to 100,000.
    pub from_payments: u32,
    /// More than this share of them was undone, whole percent: 0 to 99.
    pub above_percent: u32,
}

impl Default for RefundRateRule {
    /// Shops see a few percent undone. Three of ten may still be a bad week, a fourth is a pattern: released
    /// commissions have to be clawed back from a wallet that may be empty by then, so it holds.
    fn default() -> Self {
        Self { action: FraudAction::Hold, from_payments: 10, above_percent: 30 }
    }
}

/// When members of one referral chain share a device, a destination or a means of payment. Addresses do
/// not count: flatmates who bring each other are what a program is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReferralRingRule {
    /// What is done.
    pub action: FraudAction,
    /// From how many of one chain, 2 to 100: the member in question, their referrer, their upline, and whom
    /// the same referrer brought.
    pub members: u32,
}

impl Default for ReferralRingRule {
    /// Two may be a couple with one tablet. Three who brought each other and share one are hardly ever
    /// three people, but a family might be: so it holds until somebody has looked.
    fn default() -> Self {
        Self { action: FraudAction::Hold, members: 3 }
    }
}

const HOUR: u32 = 3600;
const DAY: u32 = 24 * HOUR;
