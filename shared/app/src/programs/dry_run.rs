//! Simulation of a program on recorded payments.

use std::collections::BTreeMap;

use guerdon_domain::{
    ids::{MemberId, RuleId},
    money::Money,
    payments::{PaymentFacts, PaymentRecord, Place, Verdict},
    programs::{Cap, Decision, Grant, Program, Surroundings},
    referrals::{Referral, ReferralState},
    time::{DAY_SECONDS, Timestamp},
};
use guerdon_store::table::metered;
use serde::Serialize;

use crate::{
    context::App,
    error::AppError,
    programs::{last_paid, rewarded_too_late, surroundings},
};

/// The totals of one rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RuleTotal {
    /// Number of commissions.
    pub commissions: u64,
    /// Sum of the commissions after all limits, in minor units.
    pub minor: i64,
    /// Amount that the limits removed, in minor units.
    pub cut_minor: i64,
}

/// The commissions that a program would have paid, next to the commissions that were granted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Simulation {
    /// Number of payments simulated.
    pub payments: u64,
    /// Simulated totals by rule.
    pub rules: BTreeMap<RuleId, RuleTotal>,
    /// Number of simulated refusals by reason.
    pub refusals: BTreeMap<&'static str, u64>,
    /// Granted totals by rule, before limits and reversals.
    pub granted: BTreeMap<RuleId, RuleTotal>,
    /// True when the period contains more payments than one simulation reads.
    pub truncated: bool,
}

/// Maximum number of days in one simulation.
pub const MOST_DAYS: i64 = 92;
/// Maximum number of payments in one simulation.
const MOST_PAYMENTS: u64 = 50_000;

/// Decides all payments of `days` days, starting at `first`, as if `program` had been in force. Writes
/// nothing. Referrals that were converted before the period stay converted. Counts of payments start at zero.
pub async fn simulate(
    app: &App,
    program: &Program,
    first: Timestamp,
    days: i64,
) -> Result<Simulation, AppError> {
    metered("simulate", async {
        let mut run = Run { app, program, first, result: Simulation::default(), world: World::default() };
        for day in 0..days.clamp(0, MOST_DAYS) {
            let at = first.plus_seconds(day * DAY_SECONDS);
            let mut payments = app.store.payments().on(&at.day()).await?;
            payments.sort_by_key(|payment| (payment.paid_at, payment.payment.to_string()));
            for payment in payments {
                if run.result.payments == MOST_PAYMENTS {
                    run.result.truncated = true;
                    return Ok(run.result);
                }
                run.pay(&payment).await?;
            }
        }
        Ok(run.result)
    })
    .await
}

/// The state that changes during a simulation.
#[derive(Default)]
struct World {
    around: BTreeMap<MemberId, Surroundings>,
    used: BTreeMap<(String, String), i64>,
}

struct Run<'a> {
    app: &'a App,
    program: &'a Program,
    first: Timestamp,
    result: Simulation,
    world: World,
}

impl Run<'_> {
    async fn pay(&mut self, payment: &PaymentRecord) -> Result<(), AppError> {
        self.result.payments += 1;
        for (candidate, _, reward) in payment.grants() {
            let total = self.result.granted.entry(candidate.rule.clone()).or_default();
            total.commissions += 1;
            total.minor = total.minor.saturating_add(reward.minor());
        }
        let facts = payment.facts();
        let around = self.around(&facts).await?;
        let mut around = around;
        let mut decision = self.program.decide(&facts, &around);
        let late = rewarded_too_late(self.app, self.program, (&decision, &facts), &around).await?;
        // Payments of the period are in the surroundings already.
        let late: BTreeMap<_, _> = late.into_iter().filter(|(_, at)| *at < self.first).collect();
        if !late.is_empty() {
            around.spent.extend(late);
            decision = self.program.decide(&facts, &around);
        }
        for candidate in &decision.trace {
            if let Verdict::Refused { reason } = candidate.verdict {
                *self.result.refusals.entry(reason.code()).or_default() += 1;
            }
        }
        let converted = decision.converts();
        for grant in &decision.grants {
            self.grant(grant, payment.paid_at)?;
        }
        let around = after(around, payment, converted, &decision);
        self.world.around.insert(facts.member, around);
        Ok(())
    }

    /// The surroundings of a payment. Those of a member's earlier payment are taken over, but an upline's latest payment is
    /// looked up for each.
    async fn around(&mut self, facts: &PaymentFacts) -> Result<Surroundings, AppError> {
        let Some(mut around) = self.world.around.remove(&facts.member) else {
            let payer = self.app.store.members().find(&facts.member).await?;
            let around = surroundings(self.app, payer.as_ref(), self.program, facts.paid_at).await?;
            return Ok(self.before(around));
        };
        if let Some(upline) = &mut around.upline {
            upline.last_paid_at = last_paid(self.app, self.program, &upline.member, facts.paid_at).await?;
        }
        Ok(around)
    }

    /// Resets the surroundings to their state before the simulated period.
    fn before(&self, around: Surroundings) -> Surroundings {
        let as_before = |referral: Referral| {
            let earlier = matches!(referral.state, ReferralState::Converted { at, .. } if at < self.first);
            let state = if earlier { referral.state } else { ReferralState::Pending };
            Referral { state, progress: BTreeMap::new(), undone: 0, ..referral }
        };
        let spent = around.spent.into_iter().filter(|(_, at)| *at < self.first).collect();
        let undone = BTreeMap::new();
        Surroundings { referral: around.referral.map(as_before), spent, undone, ..around }
    }

    fn grant(&mut self, grant: &Grant, paid_at: Timestamp) -> Result<(), AppError> {
        let rule = &grant.snapshot.rule;
        let own = rule.cap_member.map(|cap| (format!("{}:{}", grant.beneficiary, rule.id), cap));
        let budget = grant.snapshot.budget.map(|cap| ("budget".to_owned(), cap));
        let limits: Vec<(String, Cap)> = own.into_iter().chain(budget).collect();
        let mut paid = grant.amount.minor();
        for (name, cap) in &limits {
            let used =
                self.world.used.get(&(name.clone(), cap.per.key(paid_at))).copied().unwrap_or_default();
            paid = paid.min(cap.amount.minor().saturating_sub(used).max(0));
        }
        for (name, cap) in limits {
            *self.world.used.entry((name, cap.per.key(paid_at))).or_default() += paid;
        }
        let total = self.result.rules.entry(rule.id.clone()).or_default();
        total.commissions += u64::from(paid > 0);
        total.minor = Money::new(total.minor, grant.amount.currency())
            .checked_add(Money::new(paid, grant.amount.currency()))?
            .minor();
        total.cut_minor = total.cut_minor.saturating_add(grant.amount.minor() - paid);
        Ok(())
    }
}

/// Returns the payer's surroundings after the decision on the payment.
fn after(
    around: Surroundings,
    payment: &PaymentRecord,
    converted: bool,
    decision: &Decision,
) -> Surroundings {
    let moved = |mut referral: Referral| {
        if converted {
            referral.state =
                ReferralState::Converted { payment: payment.payment.clone(), at: payment.paid_at };
        }
        referral.progress = decision.progress.clone().unwrap_or(referral.progress);
        referral
    };
    let mut after = Surroundings { referral: around.referral.map(moved), ..around };
    for grant in &decision.grants {
        let rule = grant.snapshot.rule.id.clone();
        if let Place::Conversion { .. } = grant.place {
            after.converted_by = Some(rule);
        } else if let Place::Once { .. } = grant.place {
            after.spent.insert(rule, payment.paid_at);
        }
    }
    after
}
