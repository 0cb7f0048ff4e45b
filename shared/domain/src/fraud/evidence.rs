//! Evidence: the observed numbers, beside the thresholds they were measured against.

use serde::{Deserialize, Serialize};

use crate::{
    fraud::{Fingerprint, FraudAction},
    ids::{MemberId, PrincipalId},
};

/// The facts behind a finding. They are stored with the flag, together with the rule's thresholds of that
/// time, so that the finding can be understood after the rules have changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Evidence {
    /// Members share something.
    Shared {
        /// The fingerprint that they share.
        fingerprint: Fingerprint,
        /// The number of members seen with it, including the member in question.
        seen: u64,
        /// The rule's threshold.
        from: u32,
        /// The rule's window, where it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        within_seconds: Option<u32>,
        /// Up to [`Evidence::MOST_MEMBERS`] of the others.
        members: Vec<MemberId>,
    },
    /// Members of one referral chain share something.
    Ring {
        /// The fingerprint that they share.
        fingerprint: Fingerprint,
        /// The number of members of the chain seen with it, including the member in question.
        seen: u64,
        /// The rule's threshold.
        from: u32,
        /// Up to [`Evidence::MOST_MEMBERS`] of the others.
        members: Vec<MemberId>,
    },
    /// Referrals, and how many of them converted.
    Conversions {
        /// Referrals of the member.
        referrals: u64,
        /// Referrals that have paid.
        converted: u64,
        /// The number of referrals from which the rule applies.
        from_referrals: u32,
        /// The rule's threshold, whole percent.
        below_percent: u32,
    },
    /// Sign-ups within a window.
    Signups {
        /// The number of members who joined through this member.
        seen: u64,
        /// The rule's threshold.
        from: u32,
        /// The rule's window.
        within_seconds: u32,
    },
    /// Payments, and how many of them were undone.
    Refunds {
        /// Payments of the member's referees.
        payments: u64,
        /// Payments that were undone.
        undone: u64,
        /// The number of payments from which the rule applies.
        from_payments: u32,
        /// The rule's threshold, whole percent.
        above_percent: u32,
    },
    /// A payer and their referrer pay with the same means of payment.
    SelfPaid {
        /// The means of payment.
        fingerprint: Fingerprint,
        /// The payer.
        payer: MemberId,
        /// The payer's referrer, or the referrer's own referrer.
        referrer: MemberId,
    },
    /// A decision of an operator.
    Manual {
        /// The operator.
        by: PrincipalId,
        /// The reason.
        reason: String,
    },
}

impl Evidence {
    /// The most other members that are stored as evidence: enough for an investigation, and the flag stays
    /// small.
    pub const MOST_MEMBERS: usize = 20;

    /// The shared fingerprint, if the evidence has one.
    pub const fn fingerprint(&self) -> Option<&Fingerprint> {
        match self {
            Self::Shared { fingerprint, .. }
            | Self::Ring { fingerprint, .. }
            | Self::SelfPaid { fingerprint, .. } => Some(fingerprint),
            Self::Conversions { .. } | Self::Signups { .. } | Self::Refunds { .. } | Self::Manual { .. } => {
                None
            }
        }
    }

    /// What identifies the finding, whenever it is made; `bucket` for what has no fingerprint.
    pub(super) fn natural_key(&self, bucket: &str) -> String {
        match self {
            Self::SelfPaid { payer, referrer, .. } => format!("{payer}\n{referrer}"),
            _ => self.fingerprint().map_or(bucket, Fingerprint::as_str).to_owned(),
        }
    }

    /// The other members whom the evidence names.
    pub(super) fn others(&self, subject: &MemberId) -> Vec<MemberId> {
        match self {
            Self::Shared { members, .. } | Self::Ring { members, .. } => members.clone(),
            Self::SelfPaid { payer, referrer, .. } => {
                [payer, referrer].into_iter().filter(|member| *member != subject).cloned().collect()
            }
            Self::Conversions { .. } | Self::Signups { .. } | Self::Refunds { .. } | Self::Manual { .. } => {
                Vec::new()
            }
        }
    }

    /// Describes the observation and the rule's action in a sentence for operators. `action` is the rule's.
    pub fn explain(&self, action: FraudAction) -> String {
        let rule = action.verb();
        match self {
            Self::Shared { fingerprint, seen, from, within_seconds, .. } => {
                let noun = fingerprint.kind().noun();
                let window = within_seconds.map(|it| format!(" within {}", span(it))).unwrap_or_default();
                format!("{seen} members share one {noun}{window}; the rule {rule} from {from}")
            }
            Self::Ring { fingerprint, seen, from, .. } => {
                let noun = fingerprint.kind().noun();
                format!("{seen} members of one referral chain share one {noun}; the rule {rule} from {from}")
            }
            Self::Conversions { referrals, converted, from_referrals, below_percent } => format!(
                "{converted} of {referrals} referrals converted; the rule {rule} below {below_percent}% from \
                 {from_referrals} referrals"
            ),
            Self::Signups { seen, from, within_seconds } => {
                let window = span(*within_seconds);
                format!("{seen} members joined within {window}; the rule {rule} from {from}")
            }
            Self::Refunds { payments, undone, from_payments, above_percent } => format!(
                "{undone} of {payments} payments were undone; the rule {rule} above {above_percent}% from \
                 {from_payments} payments"
            ),
            Self::SelfPaid { .. } => {
                format!("the member and their referrer share one means of payment; the rule {rule}")
            }
            Self::Manual { by, reason } => format!("set by {by}: {reason}"),
        }
    }
}

/// Formats a span in the largest unit that divides it: `1 day`, `90 minutes`.
#[allow(clippy::arithmetic_side_effects, reason = "no length is zero")]
fn span(seconds: u32) -> String {
    let units = [(86_400, "day"), (3600, "hour"), (60, "minute")];
    let unit = units.into_iter().find(|(length, _)| seconds >= *length && seconds.is_multiple_of(*length));
    let (length, name) = unit.unwrap_or((1, "second"));
    let count = seconds / length;
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}
