//! Signals that a fraud rule watches for, and actions that it can take.

use serde::{Deserialize, Serialize};

/// A signal. Each has one rule, except [`Signal::Manual`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// Several members are paid out to one destination.
    SharedDestination,
    /// Several members use one device.
    SharedDevice,
    /// Several members came from one IP address within a window.
    SharedIp,
    /// Too few of the member's referees pay.
    LowConversion,
    /// The member brings many others within a short time.
    RapidSignups,
    /// The member and their referrer pay with the same means of payment.
    SelfReferral,
    /// Too many payments of the member's referees are undone.
    RefundRate,
    /// Several members of one referral chain share a device, a destination or a means of payment.
    ReferralRing,
    /// An operator raised the flag by hand.
    Manual,
}

impl Signal {
    /// Every signal, in the order in which settings and lists show them.
    pub const ALL: [Self; 9] = [
        Self::SharedDestination,
        Self::SharedDevice,
        Self::SharedIp,
        Self::LowConversion,
        Self::RapidSignups,
        Self::SelfReferral,
        Self::RefundRate,
        Self::ReferralRing,
        Self::Manual,
    ];

    /// The signal's name in keys, in settings and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SharedDestination => "shared_destination",
            Self::SharedDevice => "shared_device",
            Self::SharedIp => "shared_ip",
            Self::LowConversion => "low_conversion",
            Self::RapidSignups => "rapid_signups",
            Self::SelfReferral => "self_referral",
            Self::RefundRate => "refund_rate",
            Self::ReferralRing => "referral_ring",
            Self::Manual => "manual",
        }
    }

    /// The signal in a sentence for operators.
    pub const fn explain(self) -> &'static str {
        match self {
            Self::SharedDestination => "Several members are paid out to the same destination.",
            Self::SharedDevice => "Several members use the same device.",
            Self::SharedIp => "Many members came from the same IP address within a short time.",
            Self::LowConversion => "Too few of those whom the member brought have paid.",
            Self::RapidSignups => "The member brought many people within a short time.",
            Self::SelfReferral => "The member and their referrer pay by the same means.",
            Self::RefundRate => "Too many payments of those whom the member brought were undone.",
            Self::ReferralRing => {
                "Members of one referral chain share a device, a destination or a means of payment."
            }
            Self::Manual => "An operator set it by hand.",
        }
    }
}

/// The action of a rule against the member it finds, from the weakest to the strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FraudAction {
    /// None: the rule is off.
    Allow,
    /// A person reviews the flag.
    Flag,
    /// The member's commissions are not released until a person has reviewed the flag.
    Hold,
    /// The same, and the member gets no more rewards and cannot withdraw.
    Reject,
}

impl FraudAction {
    /// The action's name in settings and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Flag => "flag",
            Self::Hold => "hold",
            Self::Reject => "reject",
        }
    }

    /// The action as a verb: "the rule flags".
    pub(super) const fn verb(self) -> &'static str {
        match self {
            Self::Allow => "allows",
            Self::Flag => "flags",
            Self::Hold => "holds",
            Self::Reject => "rejects",
        }
    }
}
