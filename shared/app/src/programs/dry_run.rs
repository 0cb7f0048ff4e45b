//! What a program would have paid on payments that are on record.

use std::collections::BTreeMap;

use guerdon_domain::{
    ids::MemberId,
    money::Money,
    payments::{PaymentRecord, Verdict},
    programs::{Cap, Grant, Program, Surroundings},
    referrals::{Progress, Referral, ReferralState},
    time::{DAY_SECONDS, Timestamp},
};
use guerdon_store::table::metered;
use serde::Serialize;

use crate::{context::App, error::AppError, programs::surroundings};

/// What one rule came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RuleTotal {
    /// Commissions.
    pub commissions: u64,
    /// Their sum, minor units, after all limits.
    pub minor: i64,
    /// What limits cut off, minor units.
    pub cut_minor: i64,
}

/// What a program would have paid, beside what was granted really.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Simulation {
    /// Payments looked at.
    pub payments: u64,
    /// What each rule would have paid.
    pub rules: BTreeMap<String, RuleTotal>,
    /// How often which reason would have been given.
    pub refusals: BTreeMap<&'static str, u64>,
    /// What was really granted, by rule, before limits and reversals.
    pub granted: BTreeMap<String, RuleTotal>,
    /// The period holds more payments than one simulation looks at.
    pub truncated: bool,
}

/// Days that one simulation looks at.
pub const MOST_DAYS: i64 = 92;
/// Payments that one simulation looks at.
const MOST_PAYMENTS: u64 = 50_000;

/// Decides all payments of the `days` from `first` on by `program`, as if it had been in force then.
/// Nothing is written. Referrals that had been converted before stay converted; counts of payments start
/// at zero.
///
/// # Errors
/// [`AppError`].
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

/// What changes while a simulation runs.
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
        let around = match self.world.around.remove(&facts.member) {
            Some(around) => around,
            None => {
                let payer = self.app.store.members().find(&facts.member).await?;
                self.before(surroundings(self.app, payer.as_ref(), self.program).await?)
            }
        };
        let decision = self.program.decide(&facts, &around)?;
        for candidate in &decision.trace {
            if let Verdict::Refused { reason } = candidate.verdict {
                *self.result.refusals.entry(reason.code()).or_default() += 1;
            }
        }
        let converted = decision.converts();
        for grant in &decision.grants {
            self.grant(grant, payment.paid_at)?;
        }
        let spent = decision.grants.iter().map(|grant| grant.snapshot.rule.id.clone());
        let around = after(around, payment, converted, decision.progress, spent.collect());
        self.world.around.insert(facts.member, around);
        Ok(())
    }

    /// The surroundings as they were before the simulated period.
    fn before(&self, around: Surroundings) -> Surroundings {
        let as_before = |referral: Referral| {
            let earlier = matches!(referral.state, ReferralState::Converted { at, .. } if at < self.first);
            let state = if earlier { referral.state } else { ReferralState::Pending };
            Referral { state, progress: BTreeMap::new(), ..referral }
        };
        Surroundings { referral: around.referral.map(as_before), ..around }
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

/// The payer's surroundings once the payment is decided.
fn after(
    around: Surroundings,
    payment: &PaymentRecord,
    converted: bool,
    progress: Option<BTreeMap<String, Progress>>,
    spent: Vec<String>,
) -> Surroundings {
    let moved = |mut referral: Referral| {
        if converted {
            referral.state =
                ReferralState::Converted { payment: payment.payment.clone(), at: payment.paid_at };
        }
        referral.progress = progress.unwrap_or(referral.progress);
        referral
    };
    let mut all_spent = around.spent;
    all_spent.extend(spent);
    Surroundings { referral: around.referral.map(moved), spent: all_spent, ..around }
}
