//! The rules' answer to what a use case has looked up.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    fraud::{Evidence, Fingerprint, FingerprintKind, FraudAction, FraudRules, Signal},
    ids::{MemberId, PrincipalId},
};

/// Facts that a use case looked up about one member, the subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// Other members have the subject's fingerprint.
    Shared {
        /// The fingerprint that they share.
        fingerprint: Fingerprint,
        /// The others, without the subject; for an address, those seen within the rule's window. A look-up
        /// can stop at [`FraudRules::MOST_MEMBERS`], because no rule asks for more.
        members: Vec<MemberId>,
        /// Those of them who are the subject's referrer or upline, or were brought by the same referrer.
        kin: Vec<MemberId>,
    },
    /// The conversion of the subject's referrals.
    Conversions {
        /// Referrals of the subject. The use case leaves out those that are too young to have paid.
        referrals: u64,
        /// Referrals that have paid.
        converted: u64,
    },
    /// The rate at which the subject brings members.
    Signups {
        /// The number of members who joined through the subject.
        count: u64,
        /// The number of seconds that were counted. A span longer than the rule's window proves nothing.
        within_seconds: u32,
    },
    /// The outcome of payments of the subject's referees.
    Refunds {
        /// The number of payments.
        payments: u64,
        /// The number of payments that were refunded, disputed or otherwise undone.
        undone: u64,
    },
    /// A payer and their referrer, one of them the subject, pay with the same means of payment.
    SelfPaid {
        /// The means of payment.
        fingerprint: Fingerprint,
        /// The payer.
        payer: MemberId,
        /// The payer's referrer, or the referrer's own referrer.
        referrer: MemberId,
    },
}

/// A rule's answer to an observation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The signal that was found.
    pub signal: Signal,
    /// The action that the rule prescribes.
    pub action: FraudAction,
    /// The action taken: `action`, or none in shadow mode.
    pub enforced: FraudAction,
    /// The facts behind it.
    pub evidence: Evidence,
}

impl Finding {
    /// Makes a finding of a decision by operator `by`. Shadow mode applies to rules only, so this is
    /// enforced.
    pub const fn manual(action: FraudAction, by: PrincipalId, reason: String) -> Self {
        Self { signal: Signal::Manual, action, enforced: action, evidence: Evidence::Manual { by, reason } }
    }

    /// Describes the observation and the action in a sentence for operators.
    pub fn explain(&self) -> String {
        explain(&self.evidence, self.action, self.enforced)
    }
}

pub(super) fn explain(evidence: &Evidence, action: FraudAction, enforced: FraudAction) -> String {
    let shadow = if enforced < action { " (in shadow: nothing was done)" } else { "" };
    format!("{}{shadow}", evidence.explain(action))
}

impl FraudRules {
    /// Applies the rules to an observation: one finding for each rule that it breaks. A shared thing can
    /// break two rules: the one for its kind, then the one for rings. A rule that is off finds nothing.
    pub fn judge(&self, observation: &Observation) -> Vec<Finding> {
        let findings = match observation {
            Observation::Shared { fingerprint, members, kin } => {
                vec![self.judge_shared(fingerprint, members), self.judge_ring(fingerprint, kin)]
            }
            Observation::Conversions { referrals, converted } => {
                vec![self.judge_conversions(*referrals, *converted)]
            }
            Observation::Signups { count, within_seconds } => {
                vec![self.judge_signups(*count, *within_seconds)]
            }
            Observation::Refunds { payments, undone } => vec![self.judge_refunds(*payments, *undone)],
            Observation::SelfPaid { fingerprint, payer, referrer } => {
                let (fingerprint, payer, referrer) = (fingerprint.clone(), payer.clone(), referrer.clone());
                let evidence = Evidence::SelfPaid { fingerprint, payer, referrer };
                vec![self.finding(Signal::SelfReferral, self.self_referral.action, evidence)]
            }
        };
        findings.into_iter().flatten().collect()
    }

    fn judge_shared(&self, fingerprint: &Fingerprint, members: &[MemberId]) -> Option<Finding> {
        let (destination, device, ip) = (self.shared_destination, self.shared_device, self.shared_ip);
        let (signal, action, from, within_seconds) = match fingerprint.kind() {
            FingerprintKind::Destination => {
                (Signal::SharedDestination, destination.action, destination.members, None)
            }
            FingerprintKind::Device => (Signal::SharedDevice, device.action, device.members, None),
            FingerprintKind::Ip => (Signal::SharedIp, ip.action, ip.members, Some(ip.within_seconds)),
            // Families share a card. It means something within a referral chain only.
            FingerprintKind::Payment => return None,
        };
        let (seen, members) = crowd(members, from)?;
        let fingerprint = fingerprint.clone();
        self.finding(signal, action, Evidence::Shared { fingerprint, seen, from, within_seconds, members })
    }

    fn judge_ring(&self, fingerprint: &Fingerprint, kin: &[MemberId]) -> Option<Finding> {
        if fingerprint.kind() == FingerprintKind::Ip {
            return None;
        }
        let rule = self.referral_ring;
        let (seen, members) = crowd(kin, rule.members)?;
        let fingerprint = fingerprint.clone();
        let evidence = Evidence::Ring { fingerprint, seen, from: rule.members, members };
        self.finding(Signal::ReferralRing, rule.action, evidence)
    }

    fn judge_conversions(&self, referrals: u64, converted: u64) -> Option<Finding> {
        let rule = self.low_conversion;
        let (from_referrals, below_percent) = (rule.from_referrals, rule.below_percent);
        if referrals < u64::from(from_referrals) || hundredfold(converted) >= times(referrals, below_percent)
        {
            return None;
        }
        let evidence = Evidence::Conversions { referrals, converted, from_referrals, below_percent };
        self.finding(Signal::LowConversion, rule.action, evidence)
    }

    fn judge_signups(&self, seen: u64, within_seconds: u32) -> Option<Finding> {
        let rule = self.rapid_signups;
        // Members who joined within less than the window also joined within the window.
        if seen < u64::from(rule.signups) || within_seconds > rule.within_seconds {
            return None;
        }
        let evidence = Evidence::Signups { seen, from: rule.signups, within_seconds: rule.within_seconds };
        self.finding(Signal::RapidSignups, rule.action, evidence)
    }

    fn judge_refunds(&self, payments: u64, undone: u64) -> Option<Finding> {
        let rule = self.refund_rate;
        let (from_payments, above_percent) = (rule.from_payments, rule.above_percent);
        if payments < u64::from(from_payments) || hundredfold(undone) <= times(payments, above_percent) {
            return None;
        }
        let evidence = Evidence::Refunds { payments, undone, from_payments, above_percent };
        self.finding(Signal::RefundRate, rule.action, evidence)
    }

    fn finding(&self, signal: Signal, action: FraudAction, evidence: Evidence) -> Option<Finding> {
        let enforced = if self.shadow { FraudAction::Allow } else { action };
        (action != FraudAction::Allow).then_some(Finding { signal, action, enforced, evidence })
    }
}

/// Counts the members including the subject and takes the first of the others as evidence; nothing below
/// `from`. A member who is listed twice counts once.
fn crowd(others: &[MemberId], from: u32) -> Option<(u64, Vec<MemberId>)> {
    let others: BTreeSet<&MemberId> = others.iter().collect();
    let seen = u64::try_from(others.len()).unwrap_or(u64::MAX).saturating_add(1);
    let members = others.into_iter().take(Evidence::MOST_MEMBERS).cloned().collect();
    (seen >= u64::from(from)).then_some((seen, members))
}

/// Multiplies for a comparison of shares by cross-multiplication. 64 bits times 32 fit 128, so it cannot
/// overflow.
#[allow(clippy::arithmetic_side_effects, reason = "64 bits times 32 fit 128")]
const fn times(count: u64, percent: u32) -> u128 {
    count as u128 * percent as u128
}

const fn hundredfold(part: u64) -> u128 {
    times(part, 100)
}
