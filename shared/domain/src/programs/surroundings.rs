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
    /// The rule whose commission converted the referral.
    pub converted_by: Option<RuleId>,
    /// Rules that reward a first payment and have rewarded one in their own place, with its instant.
    pub spent: BTreeMap<RuleId, Timestamp>,
    /// The number of commissions in such a rule's own place whose payment was undone as a whole.
    pub undone: BTreeMap<RuleId, u32>,
}
