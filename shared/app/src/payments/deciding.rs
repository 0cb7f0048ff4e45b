//! The decision about a payment while other payments of the same member are decided: what it depends on is read, and read
//! again after a conflict.

use std::collections::BTreeMap;

use guerdon_domain::{
    commissions::{Commission, CommissionState},
    ids::RuleId,
    members::Member,
    payments::{PaymentFacts, PaymentRecord, Place},
    programs::{Beneficiary, Decision, Grant, Program, Surroundings, Trigger},
    referrals::Referral,
    time::Timestamp,
};
use guerdon_store::table::Fragment;

use crate::{
    attempt::Attempts,
    context::App,
    error::AppError,
    programs::{rewarded_too_late, surroundings},
    settings::settings_now,
};

/// The write that another one came before.
#[derive(Clone)]
pub(super) enum Refused {
    /// The payment was recorded, decided again or reversed.
    PaymentMoved,
    /// A commission of this payment exists already.
    CommissionBooked,
    /// Another payment of the same member converted the referral or counted towards a rule.
    ReferralMoved,
    /// Another payment used the single commission of this rule.
    RuleSpent(Box<Commission>),
    /// The call was answered.
    RequestAnswered,
}

/// What conflicts have shown so far.
#[derive(Default)]
pub(super) struct Deciding {
    attempts: Attempts,
    spent: BTreeMap<RuleId, Timestamp>,
    undone: BTreeMap<RuleId, u32>,
}

impl Deciding {
    /// Decides by what is stored now.
    pub(super) async fn decide(
        &mut self,
        app: &App,
        program: &Program,
        facts: &PaymentFacts,
        payer: Option<&Member>,
    ) -> Result<(Surroundings, Decision), AppError> {
        loop {
            let mut around = surroundings(app, payer, program, facts.paid_at).await?;
            around.spent.extend(self.spent.clone());
            around.undone.extend(self.undone.clone());
            let decision = program.decide(facts, &around);
            let late = rewarded_too_late(app, program, (&decision, facts), &around).await?;
            if late.is_empty() {
                return Ok((around, decision));
            }
            self.spent.extend(late);
            self.attempts.at_once()?;
        }
    }

    /// Learns from a refused transaction. A concurrent delivery or another payment of this member was first.
    ///
    /// # Errors
    /// [`AppError::Corrupt`] for a commission without its payment, [`AppError::Conflict`] after the last try.
    pub(super) async fn learn(&mut self, app: &App, refused: Refused) -> Result<(), AppError> {
        match refused {
            Refused::PaymentMoved | Refused::ReferralMoved | Refused::RequestAnswered => {}
            Refused::CommissionBooked => {
                return Err(AppError::Corrupt("a commission exists whose payment does not".into()));
            }
            Refused::RuleSpent(wanted) => {
                let rule = wanted.snapshot.rule.id.clone();
                match app.store.commissions().in_place_of(&wanted).await? {
                    Some(taken) if taken.is_undone() && settings_now(app).await?.undone_reopens => {
                        let attempt: &mut u32 = self.undone.entry(rule).or_default();
                        *attempt = attempt.saturating_add(1);
                    }
                    taken => {
                        let at = taken.map_or(wanted.paid_at, |taken| taken.paid_at);
                        self.spent.insert(rule, at);
                    }
                }
            }
        }
        self.attempts.at_once()
    }
}

/// Makes the writes of a decision: the referral's counts and the commissions of `record`. The part of the payment that is
/// undone already is taken back from them at once.
pub(super) fn decision_writes(
    app: &App,
    record: &PaymentRecord,
    referral: Option<&Referral>,
    decision: Decision,
    now: Timestamp,
) -> Result<Vec<Fragment<Refused>>, AppError> {
    let mut writes = Vec::new();
    if let (Some(referral), Some(progress)) = (referral, &decision.progress)
        && *progress != referral.progress
    {
        writes.push(app.store.referrals().count_progress(referral, progress, Refused::ReferralMoved)?);
    }
    let undone = record.reversals.undone(record.paid);
    let mut next_conversion = None;
    for grant in decision.grants {
        let booked = commission_of(grant, record, now);
        let (commission, _) = booked.after_reversal(undone, record.reversals.is_disputed(), now)?;
        let taken = match commission.place {
            Place::Payment => Refused::CommissionBooked,
            Place::Conversion { .. } => Refused::ReferralMoved,
            Place::Once { .. } => Refused::RuleSpent(Box::new(commission.clone())),
        };
        // The commission before this one may be restored at the same time.
        if let Some(place) = commission.place.previous() {
            let before = Commission { place, ..commission.clone() };
            writes.push(app.store.commissions().still_undone(&before, Refused::ReferralMoved)?);
        }
        if let Place::Conversion { joined_at, attempt: 1.. } = commission.place
            && commission.snapshot.rule.trigger == Trigger::FirstPayment
        {
            // Between two conversions the rule may have rewarded a payment in its own place.
            writes.push(app.store.commissions().never_first(
                &commission,
                joined_at,
                Refused::ReferralMoved,
            )?);
        }
        // The conversion may be undone at the same time, and the rule may reward another payment as the next one.
        if let (Place::Once { joined_at, .. }, Some(referral)) = (commission.place, referral)
            && commission.snapshot.rule.beneficiary == Beneficiary::Referrer
            && referral.is_converted()
        {
            let place = Place::Conversion { joined_at, attempt: referral.undone.saturating_add(1) };
            next_conversion.get_or_insert(Commission { place, ..commission.clone() });
        }
        writes.push(app.store.commissions().insert(&commission, taken)?);
    }
    if let Some(next) = next_conversion {
        writes.push(app.store.commissions().place_is_free(&next, Refused::ReferralMoved)?);
    }
    Ok(writes)
}

fn commission_of(grant: Grant, record: &PaymentRecord, now: Timestamp) -> Commission {
    Commission {
        id: grant.commission,
        beneficiary: grant.beneficiary,
        referee: record.member.clone(),
        payment: record.payment.clone(),
        amount: grant.amount,
        base: grant.base,
        paid: record.paid,
        place: grant.place,
        snapshot: grant.snapshot,
        paid_at: record.paid_at,
        booked_at: now,
        due_at: grant.due_at,
        clawed: 0,
        frozen: false,
        superseded: false,
        claimed_at: None,
        allowed: None,
        state: CommissionState::Held,
    }
}
