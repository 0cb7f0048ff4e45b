//! Verification of commissions: their terms follow from the payment, the frozen rule and the referral.

use std::collections::{BTreeMap, HashMap};

use guerdon_domain::{
    commissions::{Commission, CommissionState, VoidReason},
    ids::{MemberId, PaymentKey},
    members::Member,
    money::Money,
    payments::{Candidate, PaymentRecord, Place},
    programs::Trigger,
    referrals::{Referral, ReferralState},
};

use guerdon_store::verification::Verification;

use super::{
    difference::{Difference, Problems},
    known::Known,
};
use crate::{context::App, error::AppError};

/// What the commissions of a page depend on, read at once.
struct Around {
    payments: HashMap<PaymentKey, PaymentRecord>,
    referees: BTreeMap<MemberId, Member>,
    referrals: BTreeMap<MemberId, Referral>,
}

impl Around {
    async fn read(reads: Verification<'_>, commissions: &[Commission]) -> Result<Self, AppError> {
        let keys: Vec<_> = commissions.iter().map(|commission| commission.payment.clone()).collect();
        let payments = reads.payments(&keys).await?.into_iter().flatten();
        let ids: Vec<_> = commissions.iter().map(|commission| commission.referee.clone()).collect();
        let referees: BTreeMap<_, _> =
            reads.members(&ids).await?.into_iter().flatten().map(|known| (known.id.clone(), known)).collect();
        let referrals = reads.referrals_of(referees.values()).await?;
        Ok(Self {
            payments: payments.map(|known| (known.payment.clone(), known)).collect(),
            referrals,
            referees,
        })
    }
}

/// Compares commissions with their payments, rules and referrals.
pub(super) async fn commission_differences(
    (app, reads): (&App, Verification<'_>),
    known: &Known,
    commissions: &[Commission],
) -> Result<Vec<Difference>, AppError> {
    let around = Around::read(reads, commissions).await?;
    let mut found = Vec::new();
    for commission in commissions {
        let subject = format!("commission {}", app.pseudonyms.log_tag(commission.id.as_str()));
        let mut problems = Problems::default();
        match around.payments.get(&commission.payment) {
            None => problems.add("its payment is not on record"),
            Some(payment) => {
                granted(commission, payment, &mut problems);
                terms(commission, payment, known, &mut problems);
            }
        }
        referred(commission, &around, &mut problems);
        steps(commission, &mut problems);
        found.extend(problems.of(&subject));
    }
    Ok(found)
}

/// Checks that the payment's trace grants the commission. One transaction writes both, so neither can exist without the
/// other.
fn granted(commission: &Commission, payment: &PaymentRecord, problems: &mut Problems) {
    let rule = &commission.snapshot.rule.id;
    let is_it = |(candidate, beneficiary, reward): (&Candidate, &MemberId, Money)| {
        candidate.rule == *rule
            && candidate.level == commission.snapshot.level
            && *beneficiary == commission.beneficiary
            && reward == commission.amount
    };
    problems.check(payment.grants().any(is_it), || {
        format!("no rule granted it on its payment's trace: {} by {rule}", commission.amount)
    });
    let own_id = payment.payment.commission(rule, commission.snapshot.level);
    problems.check(own_id.is_ok_and(|id| id == commission.id), || "its id is that of another".to_owned());
    problems.check(commission.referee == payment.member, || "its payment is of another payer".to_owned());
    problems.check(commission.paid == payment.paid, || {
        format!("it says that {} was paid, and {} was", commission.paid, payment.paid)
    });
    problems.check(commission.paid_at == payment.paid_at, || {
        format!("it says that the payment is of {}, and it is of {}", commission.paid_at, payment.paid_at)
    });
}

/// Recomputes base, amount and due date from the payment and the frozen rule, and compares the rule with the program.
fn terms(commission: &Commission, payment: &PaymentRecord, known: &Known, problems: &mut Problems) {
    let snapshot = &commission.snapshot;
    problems.check(known.has(snapshot), || {
        format!("rule {} of version {} is another on record", snapshot.rule.id, snapshot.version)
    });
    let decided = payment
        .trace
        .iter()
        .find(|candidate| (&candidate.rule, candidate.level) == (&snapshot.rule.id, snapshot.level));
    let version = decided.and_then(|decided| decided.version).unwrap_or(payment.program_version);
    problems.check(snapshot.version == version, || {
        format!("it is of version {}, its payment was decided by {version}", snapshot.version)
    });
    match snapshot.recompute(&payment.facts()) {
        Ok((base, amount)) => {
            problems.check(commission.base == base, || {
                format!("its base is {}, its payment gives {base}", commission.base)
            });
            problems.check(commission.amount == amount, || {
                format!("its amount is {}, its rule gives {amount}", commission.amount)
            });
        }
        Err(error) => problems.add(format!("its amount cannot be computed again: {error}")),
    }
    let due = commission.paid_at.plus_seconds(snapshot.rule.hold_seconds);
    // A dispute that ends gives the time to claim again.
    let may_be_later = snapshot.rule.claim_within_days.is_some() && payment.reversals.was_disputed();
    let is_due = commission.due_at == due || (may_be_later && commission.due_at > due);
    problems.check(is_due, || format!("it is due at {}, its rule gives {due}", commission.due_at));
}

/// Checks who is rewarded against the referral, and the referral's conversion.
fn referred(commission: &Commission, around: &Around, problems: &mut Problems) {
    let Some(referee) = around.referees.get(&commission.referee) else {
        return problems.add("its referee is not a member");
    };
    let joined = referee.joined.as_ref();
    let referral = around.referrals.get(&commission.referee);
    let beneficiary = match commission.snapshot.level {
        0 => Some(&commission.referee),
        1 => joined.and_then(|joined| joined.referrer.as_ref()),
        _ => referral.and_then(|referral| referral.upline.as_ref()),
    };
    problems.check(beneficiary == Some(&commission.beneficiary), || {
        format!("it rewards another member than level {} of its referral", commission.snapshot.level)
    });
    if let Place::Conversion { joined_at, .. } | Place::Once { joined_at, .. } = commission.place {
        problems.check(joined.is_some_and(|joined| joined.at == joined_at), || {
            format!("it is of a referral of {joined_at}, its referee joined at another time")
        });
    }
    if let Place::Conversion { attempt, .. } = commission.place {
        conversion(commission, referral, attempt, problems);
    }
}

/// Checks that a commission that converts a referral belongs to a referral that no other payment converted.
fn conversion(commission: &Commission, referral: Option<&Referral>, attempt: u32, problems: &mut Problems) {
    let Some(referral) = referral else {
        return problems.add("it converted a referral that does not exist");
    };
    // The stream may count an undone conversion a moment later.
    if referral.undone < attempt {
        return;
    }
    if referral.undone > attempt {
        let once = commission.snapshot.rule.trigger == Trigger::FirstPayment;
        return problems.check(!once || commission.is_undone(), || {
            "it was undone, and another payment may convert its referral, but something is left of it"
                .to_owned()
        });
    }
    match &referral.state {
        ReferralState::Converted { payment, .. } if *payment != commission.payment => {
            problems.add("its referral was converted by another payment");
        }
        // The stream may update the referral a moment later.
        _ => {}
    }
}

/// Checks that its state can follow from its rule.
fn steps(commission: &Commission, problems: &mut Problems) {
    let to_claim = commission.snapshot.rule.claim_within_days.is_some();
    problems.check(to_claim || commission.claimed_at.is_none(), || {
        "it was claimed, and its rule asks for no claim".to_owned()
    });
    let limits = !commission.limits().is_empty();
    problems.check(limits || commission.allowed.is_none(), || {
        "a limit that it does not have left less".to_owned()
    });
    let unclaimed = to_claim && commission.claimed_at.is_none();
    match &commission.state {
        CommissionState::Held => {
            problems
                .check(commission.allowed.is_none(), || "limits took of it before its release".to_owned());
        }
        CommissionState::Released { .. } => {
            problems
                .check(!unclaimed, || "it was released without the claim that its rule asks for".to_owned());
        }
        CommissionState::Void { reason: VoidReason::Capped, .. } => {
            let left = commission.allowed;
            problems.check(left == Some(0), || format!("it is void by a limit that left {left:?} of it"));
        }
        CommissionState::Void { reason: VoidReason::Unclaimed, .. } => {
            problems.check(unclaimed, || "it is void as not claimed, which it need not be or was".to_owned());
        }
        CommissionState::Void { reason: VoidReason::Reversed, .. } => {}
    }
}
