//! The facts about a payment's members that a decision needs.

use std::collections::BTreeMap;

use crate::{
    ids::{MemberId, RuleId},
    referrals::Referral,
    time::Timestamp,
};

/// The facts about a possible beneficiary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// The member.
    pub member: MemberId,
    /// True when an operator has barred them from rewards.
    pub barred: bool,
    /// Their own latest payment.
    pub last_paid_at: Option<Timestamp>,
}

/// The facts about a payment's members that a decision needs.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The payer's referral.
    pub referral: Option<Referral>,
    /// The referrer.
    pub referrer: Option<Party>,
    /// The referrer's referrer.
    pub upline: Option<Party>,
    /// Rules that have booked their one commission for this referral.
    pub spent: Vec<RuleId>,
    /// The number of commissions of rules that grant once whose payment was undone as a whole.
    pub undone: BTreeMap<RuleId, u32>,
}
