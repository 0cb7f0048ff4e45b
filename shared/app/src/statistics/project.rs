//! The projector: counters, rankings and the sweep's markers, from the table's change stream.

use std::collections::BTreeMap;

use guerdon_domain::{
    commissions::{Commission, CommissionState},
    ids::{MemberId, Rail},
    money::Money,
    operators::AuditRecord,
    payments::{Order, OrderState, PaymentRecord, Place},
    referrals::{Referral, ReferralState},
    time::Timestamp,
    wallets::{Entry, EntryKind},
    withdrawals::{Withdrawal, WithdrawalState},
};
use guerdon_store::{
    changes::{Change, Stored},
    commissions::ReleaseDue,
    payments::PaymentLink,
    statistics::{Contribution, Counters, Projection, SCORE},
    table::metered,
};

use crate::{
    context::App,
    error::AppError,
    programs::program_now,
    statistics::{Lines, Period, bucket_name},
};

/// Types of items whose changes are projected: the trigger's filter lets only these through.
pub const PROJECTED: [&str; 11] = [
    "member",
    "code",
    "click",
    "referral",
    "order",
    "payment",
    "failed_payment",
    "commission",
    "entry",
    "rank",
    "withdrawal",
];

/// Takes a batch of a shard's changes into the projections, each exactly once.
///
/// # Errors
/// [`AppError`]; then the batch must be delivered again.
pub async fn project(app: &App, shard: &str, changes: &[Change]) -> Result<(), AppError> {
    metered("project", async {
        let now = app.now();
        let mut plan = Plan::new(now);
        for change in changes {
            plan.take(change);
        }
        plan.follow_up(app).await?;
        for (target, contributions) in &plan.contributions {
            app.store.statistics().project(target, shard, contributions, now).await?;
        }
        Ok(())
    })
    .await
}

/// Everything a batch adds, grouped so that each projected item is written once.
#[derive(Debug)]
struct Plan {
    now: Timestamp,
    contributions: BTreeMap<Projection, Vec<Contribution>>,
    markers: BTreeMap<(MemberId, Timestamp), ReleaseDue>,
    /// Commissions that convert their referral.
    conversions: Vec<Commission>,
    /// Payments to be listed.
    payments: Vec<PaymentLink>,
    /// Members' latest payments.
    paid: BTreeMap<MemberId, Timestamp>,
    /// What operators did to withdrawals.
    audits: Vec<AuditRecord>,
    /// What lists it changes.
    lines: Lines,
}

impl Plan {
    fn new(now: Timestamp) -> Self {
        Self {
            now,
            contributions: BTreeMap::new(),
            markers: BTreeMap::new(),
            conversions: Vec::new(),
            payments: Vec::new(),
            paid: BTreeMap::new(),
            audits: Vec::new(),
            lines: Lines::default(),
        }
    }

    /// What follows from the batch besides counters. Each of these writes says the same however often it is
    /// made, so a batch that is delivered again does no harm.
    async fn follow_up(&self, app: &App) -> Result<(), AppError> {
        for marker in self.markers.values() {
            app.store.commissions().mark_due(marker).await?;
        }
        for Commission { beneficiary, referee, place, payment, paid_at, .. } in &self.conversions {
            if let Place::Conversion { joined_at } = place {
                app.store.referrals().convert((beneficiary, *joined_at, referee), payment, *paid_at).await?;
            }
        }
        for link in &self.payments {
            app.store.payments().list(link).await?;
        }
        if program_now(app).await?.upline_active_days.is_some() {
            for (member, at) in &self.paid {
                app.store.members().remember_paid(member, *at).await?;
            }
        }
        for audit in &self.audits {
            app.store.audit().put(audit).await?;
        }
        self.lines.write(app).await
    }

    fn take(&mut self, change: &Change) {
        let sequence = &change.sequence;
        self.lines.take(change);
        match (&change.before, &change.after) {
            (before, Some(Stored::Member(after))) => {
                let joined_before = matches!(before, Some(Stored::Member(m)) if m.joined.is_some());
                if let (false, Some(joined)) = (joined_before, &after.joined) {
                    self.deployment(sequence, joined.at, &[("members", 1)]);
                }
            }
            (None, Some(Stored::Referral(edge))) => self.referred(sequence, edge),
            (Some(Stored::Referral(before)), Some(Stored::Referral(after))) => {
                self.referral_moved(sequence, before, after);
            }
            (None, Some(Stored::Click(click))) => {
                let new = i64::from(click.first.is_none());
                self.deployment(sequence, click.at, &[("clicks", 1), ("visitors", new)]);
                let owner = Projection::Member(click.owner.clone());
                self.add(owner, sequence, &[("clicks", 1), ("visitors", new)]);
            }
            (None, Some(Stored::Code(_))) => self.add(Projection::Totals, sequence, &[("codes", 1)]),
            (Some(Stored::Code(before)), Some(Stored::Code(after))) if after.expired && !before.expired => {
                self.add(Projection::Totals, sequence, &[("codes_expired", 1)]);
            }
            (before, Some(Stored::Order(order))) => {
                let before = match before {
                    Some(Stored::Order(before)) => Some(before.state),
                    _ => None,
                };
                self.ordered(sequence, before, order);
            }
            (None, Some(Stored::FailedPayment(failed))) => {
                let name = format!("failed_{}", failed.rail.as_str());
                self.deployment(sequence, failed.at, &[(&name, 1)]);
            }
            (None, Some(Stored::Payment(payment))) => self.paid(sequence, payment),
            (Some(Stored::Payment(before)), Some(Stored::Payment(after))) => {
                self.payment_undone(sequence, before, after);
            }
            (None, Some(Stored::Withdrawal(asked))) => self.withdrawal_stands(sequence, None, asked),
            (None, Some(Stored::Commission(commission))) => self.booked(sequence, commission),
            (Some(Stored::Commission(before)), Some(Stored::Commission(after))) => {
                self.commission_moved(sequence, before, after);
            }
            (None, Some(Stored::Entry(entry))) => self.posted(sequence, entry),
            (Some(Stored::Withdrawal(before)), Some(Stored::Withdrawal(after))) => {
                self.withdrawal_moved(before, after);
                self.withdrawal_stands(sequence, Some(before.state), after);
            }
            (before, Some(Stored::Rank { period, score, .. })) => {
                let before = match before {
                    Some(Stored::Rank { score, .. }) => Some(*score),
                    _ => None,
                };
                self.ranked(sequence, period, before, *score);
            }
            _ => {}
        }
    }

    fn referred(&mut self, sequence: &str, edge: &Referral) {
        self.deployment(sequence, edge.joined_at, &[("referrals", 1)]);
        self.add(Projection::Totals, sequence, &[("pending", 1)]);
        self.add(Projection::Member(edge.referrer.clone()), sequence, &[("recruits", 1), ("pending", 1)]);
    }

    fn referral_moved(&mut self, sequence: &str, before: &Referral, after: &Referral) {
        if before.state == after.state {
            return;
        }
        let left_pending = -i64::from(before.state == ReferralState::Pending);
        let left_expired = -i64::from(before.state == ReferralState::Expired);
        let referrer = after.referrer.clone();
        match &after.state {
            ReferralState::Converted { at, .. } => {
                let moves = [("pending", left_pending), ("expired", left_expired), ("converted", 1)];
                self.deployment(sequence, *at, &[("converted", 1)]);
                self.add(
                    Projection::Totals,
                    sequence,
                    &[("pending", left_pending), ("expired", left_expired)],
                );
                self.add(Projection::Member(referrer.clone()), sequence, &moves);
                for period in [Period::All, Period::Week, Period::Month] {
                    let rank = Projection::Rank(referrer.clone(), period.key(*at));
                    self.add(rank, sequence, &[(SCORE, 1)]);
                }
            }
            ReferralState::Expired => {
                let moves = [("pending", left_pending), ("expired", 1)];
                self.add(Projection::Totals, sequence, &moves);
                self.add(Projection::Member(referrer), sequence, &moves);
            }
            ReferralState::Pending => {}
        }
    }

    fn paid(&mut self, sequence: &str, payment: &PaymentRecord) {
        let (member, at) = (payment.member.clone(), payment.paid_at);
        self.payments.push(PaymentLink { payment: payment.payment.clone(), member, paid_at: at });
        // What an operator vouched for is no money that we saw.
        if payment.payment.rail != Rail::Manual {
            let latest = self.paid.entry(payment.member.clone()).or_insert(at);
            *latest = at.max(*latest);
            let (paid, rail) =
                (named("paid", payment.paid), format!("payments_{}", payment.payment.rail.as_str()));
            let mut adds = vec![("payments", 1), (rail.as_str(), 1), (paid.as_str(), payment.paid.minor())];
            let cost = payment.cost.map(|cost| (named("cost", cost), cost.minor()));
            adds.extend(cost.iter().map(|(name, minor)| (name.as_str(), *minor)));
            self.deployment(sequence, at, &adds);
            let payer = Projection::Payer(payment.member.clone());
            self.add(payer, sequence, &[("payments", 1), (&paid, payment.paid.minor())]);
        }
    }

    fn ordered(&mut self, sequence: &str, before: Option<OrderState>, order: &Order) {
        let count = |word: &str| format!("{word}_{}", order.method.as_str());
        if before.is_none() {
            self.deployment(sequence, order.created_at, &[("orders", 1), (&count("orders"), 1)]);
        }
        if order.state == OrderState::Paid && before != Some(OrderState::Paid) {
            let paid_at = order.paid.as_ref().map_or(order.created_at, |stamp| stamp.at);
            self.deployment(sequence, paid_at, &[("orders_paid", 1), (&count("orders_paid"), 1)]);
        }
    }

    /// More or less of a payment is undone: counted today, when it became known.
    fn payment_undone(&mut self, sequence: &str, before: &PaymentRecord, after: &PaymentRecord) {
        let undone = |payment: &PaymentRecord| payment.reversals.undone(payment.paid).minor();
        let more = undone(after) - undone(before);
        if more != 0 && after.payment.rail != Rail::Manual {
            let refunded = named("refunded", after.paid);
            self.deployment(sequence, self.now, &[(&refunded, more)]);
            self.add(Projection::Payer(after.member.clone()), sequence, &[(&refunded, more)]);
        }
    }

    /// How many withdrawals stand where, what they come to, and how long the paid ones took.
    fn withdrawal_stands(&mut self, sequence: &str, before: Option<WithdrawalState>, after: &Withdrawal) {
        if before == Some(after.state) {
            return;
        }
        let minor = after.amount.minor();
        let word = |state: WithdrawalState| {
            (
                format!("withdrawals_{}", state.as_str()),
                named(&format!("withdrawn_{}", state.as_str()), after.amount),
            )
        };
        let (count, sum) = word(after.state);
        let mut adds = vec![(count, 1), (sum, minor)];
        if let Some(before) = before {
            let (count, sum) = word(before);
            adds.extend([(count, -1), (sum, -minor)]);
        }
        if let (WithdrawalState::Paid, Some(closed)) = (after.state, &after.closed) {
            let millis = closed.at.millis().saturating_sub(after.requested_at.millis());
            adds.push(("withdrawal_seconds".to_owned(), millis / 1000));
        }
        let adds: Vec<_> = adds.iter().map(|(name, add)| (name.as_str(), *add)).collect();
        self.add(Projection::Totals, sequence, &adds);
        if after.state == WithdrawalState::Paid {
            let (count, sum) = word(after.state);
            self.add(Projection::Day(self.now.day()), sequence, &[(&count, 1), (&sum, minor)]);
        }
    }

    fn booked(&mut self, sequence: &str, commission: &Commission) {
        if matches!(commission.place, Place::Conversion { .. }) {
            self.conversions.push(commission.clone());
        }
        self.deployment(sequence, commission.paid_at, &[("commissions", 1)]);
        self.add(Projection::Member(commission.beneficiary.clone()), sequence, &[("rewards", 1)]);
        self.count(sequence, commission, Standing::default(), Standing::of(commission));
        self.mark(commission, commission.booked_at);
    }

    fn commission_moved(&mut self, sequence: &str, before: &Commission, after: &Commission) {
        let reversed = i64::from(after.clawed > 0) - i64::from(before.clawed > 0);
        if reversed != 0 {
            self.add(Projection::Member(after.beneficiary.clone()), sequence, &[("reversed", reversed)]);
        }
        self.count(sequence, after, Standing::of(before), Standing::of(after));
        if after.is_releasable() && !before.is_releasable() {
            self.mark(after, self.now);
        }
    }

    fn mark(&mut self, commission: &Commission, since: Timestamp) {
        let marker = ReleaseDue::of(commission.beneficiary.clone(), commission.due_at, since);
        self.markers.insert((marker.member.clone(), marker.hour), marker);
    }

    /// Counts by how much a commission stands differently now.
    fn count(&mut self, sequence: &str, commission: &Commission, before: Standing, after: Standing) {
        let (issued, held) = (named("issued", commission.amount), named("held", commission.amount));
        let (earned, clawed) = (named("earned", commission.amount), named("clawed", commission.amount));
        let due = (after.due - before.due, after.held - before.held, after.clawed - before.clawed);
        if due == (0, 0, 0) {
            return;
        }
        self.deployment(sequence, commission.paid_at, &[(&issued, due.0)]);
        self.add(Projection::Totals, sequence, &[(&held, due.1), (&clawed, due.2)]);
        let member = Projection::Member(commission.beneficiary.clone());
        self.add(member, sequence, &[(&earned, due.0), (&held, due.1)]);
    }

    /// What an operator did to a withdrawal, and what it changed, for the audit trail.
    fn withdrawal_moved(&mut self, before: &Withdrawal, after: &Withdrawal) {
        let stamp = match after.state {
            WithdrawalState::Approved => &after.approved,
            WithdrawalState::Paying => &after.claimed,
            _ => &after.closed,
        };
        let Some(stamp) = stamp.as_ref().filter(|_| before.state != after.state) else { return };
        let (from, to) = (before.state.as_str(), after.state.as_str());
        self.audits.push(AuditRecord {
            id: format!("{}-{to}", after.id),
            at: stamp.at,
            principal: stamp.by.clone(),
            action: format!("withdrawal.{to}"),
            member: Some(after.member.clone()),
            reason: after.reason.clone().or_else(|| after.proof.clone()).unwrap_or_default(),
            before: format!("\"{from}\""),
            after: format!("\"{to}\""),
        });
    }

    fn posted(&mut self, sequence: &str, entry: &Entry) {
        let house = entry.house.map_or(0, |(_, minor)| minor);
        let name = |word: &str| format!("{word}_{}", entry.currency);
        match entry.kind {
            EntryKind::Adjusted { .. } => {
                let given = house.saturating_neg();
                self.add(Projection::Totals, sequence, &[(&name("adjusted"), given)]);
                self.add(Projection::Member(entry.member.clone()), sequence, &[(&name("adjusted"), given)]);
            }
            EntryKind::CreditApplied { .. } | EntryKind::CreditReturned { .. } => {
                self.add(Projection::Totals, sequence, &[(&name("applied"), house)]);
            }
            EntryKind::WithdrawalPaid { .. } => {
                self.add(Projection::Totals, sequence, &[(&name("paid_out"), house)]);
            }
            _ => {}
        }
        if entry.delta.owed != 0 {
            self.add(Projection::Totals, sequence, &[(&name("owed"), entry.delta.owed)]);
        }
    }

    fn ranked(&mut self, sequence: &str, period: &str, before: Option<i64>, after: i64) {
        if before == Some(after) {
            return;
        }
        let mut adds = Counters::new();
        for (score, add) in before.map(|score| (score, -1)).into_iter().chain([(after, 1)]) {
            *adds.entry(bucket_name(score)).or_default() += add;
        }
        let contribution = Contribution { sequence: sequence.to_owned(), adds };
        self.contributions.entry(Projection::Histogram(period.to_owned())).or_default().push(contribution);
    }

    /// Adds to the totals and to the day of `at`.
    fn deployment(&mut self, sequence: &str, at: Timestamp, adds: &[(&str, i64)]) {
        self.add(Projection::Totals, sequence, adds);
        self.add(Projection::Day(at.day()), sequence, adds);
    }

    fn add(&mut self, target: Projection, sequence: &str, adds: &[(&str, i64)]) {
        let adds: Counters = adds.iter().map(|(name, add)| ((*name).to_owned(), *add)).collect();
        let contribution = Contribution { sequence: sequence.to_owned(), adds };
        self.contributions.entry(target).or_default().push(contribution);
    }
}

/// What a commission counts for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Standing {
    /// What the beneficiary is entitled to, released or not.
    due: i64,
    /// Of that, what is not released yet.
    held: i64,
    /// What reversals have undone.
    clawed: i64,
}

impl Standing {
    fn of(commission: &Commission) -> Self {
        let due = match commission.state {
            CommissionState::Void { .. } => 0,
            CommissionState::Held | CommissionState::Released { .. } => commission.entitlement().minor(),
        };
        let held = if commission.state == CommissionState::Held { due } else { 0 };
        Self { due, held, clawed: commission.clawed }
    }
}

fn named(word: &str, money: Money) -> String {
    format!("{word}_{}", money.currency())
}
