//! What is known around a payment when it is decided.

use crate::{ids::MemberId, referrals::Referral, time::Timestamp};

/// What is known of a possible beneficiary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// The member.
    pub member: MemberId,
    /// An operator has barred them from rewards.
    pub barred: bool,
    /// Their own latest payment.
    pub last_paid_at: Option<Timestamp>,
}

/// What is known around a payment when it is decided.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The payer's referral.
    pub referral: Option<Referral>,
    /// The referrer.
    pub referrer: Option<Party>,
    /// The referrer's referrer.
    pub upline: Option<Party>,
    /// Rules whose one commission for this referral is booked already.
    pub spent: Vec<String>,
}
