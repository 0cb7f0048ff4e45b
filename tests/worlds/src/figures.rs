//! What the statistics answer, counted again from the items: for each day of the world, and for all time.

use std::{collections::BTreeMap, sync::Arc};

use guerdon_app::{
    context::{App, Clock},
    error::AppError,
    statistics::{
        Figures, Period, Sums, admin_stats, dashboard, leaderboard, payment_monitoring, referral_analytics,
        referral_trends, top_referrers,
    },
};
use guerdon_domain::{
    commissions::{Commission, CommissionState},
    ids::MemberId,
    money::{Currency, Money},
    payments::PaymentRecord,
    referrals::{Referral, ReferralState},
    time::Timestamp,
    wallets::EntryKind,
    withdrawals::{Step, Withdrawal, WithdrawalState},
};

use crate::{clock::BEGINNING, items::Items, world::World};

macro_rules! same {
    ($what:expr, $is:expr, $expected:expr) => {
        let (is, expected) = ($is, $expected);
        if is != expected {
            return Err(format!("{}: {is:?} is shown, there is {expected:?}", $what));
        }
    };
}

/// A clock that stands.
struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Compares the statistics with the items, at the end of each day.
pub async fn check(world: &World, items: &Items) -> Result<(), String> {
    let now = world.apps[0].now();
    let figures = Recount { items, currency: world.plan.preset.currency };
    let mut at = BEGINNING.plus_days(-1);
    while at.day() <= now.day() {
        let app = world.elsewhere(world.apps[0].store().clone(), Arc::new(At(at)));
        figures.of_a_day(&app, at).await.map_err(text)??;
        at = at.plus_days(1);
    }
    figures.of_all(&world.apps[0], now).await.map_err(text)?
}

fn text(error: AppError) -> String {
    error.to_string()
}

/// The items, counted in a currency of account.
struct Recount<'a> {
    items: &'a Items,
    currency: Currency,
}

type Compared = Result<Result<(), String>, AppError>;

fn compared(check: Result<(), String>) -> Compared {
    Ok(check)
}

impl Recount<'_> {
    async fn of_a_day(&self, app: &App, at: Timestamp) -> Compared {
        let day = at.day();
        let shown = dashboard(app).await?;
        let analytics = referral_analytics(app, Period::Month).await?;
        let boards = self.boards(app, at, &[Period::Week, Period::Month]).await?;
        let is_today = |when: Timestamp| when.day() == day;
        let until_today = |when: Timestamp| when.month() == at.month() && when.day() <= day;
        let check = || {
            boards?;
            same!(format_args!("figures of {day}"), shown.today, self.figures(is_today));
            let is = (analytics.referrals, analytics.converted, analytics.rewards);
            same!(format_args!("the month until {day}"), is, self.program(until_today));
            Ok(())
        };
        compared(check())
    }

    async fn of_all(&self, app: &App, now: Timestamp) -> Compared {
        let (shown, stats) = (dashboard(app).await?, admin_stats(app).await?);
        let (analytics, trends) =
            (referral_analytics(app, Period::All).await?, referral_trends(app, 30).await?);
        let (monitoring, top) = (payment_monitoring(app).await?, top_referrers(app, Period::All, 100).await?);
        let boards = self.boards(app, now, &[Period::All, Period::Week, Period::Month]).await?;
        let check = || {
            boards?;
            same!("all figures", shown.overall, self.figures(|_| true));
            let held = self.commissions(self.currency, |c| c.state == CommissionState::Held);
            same!("pending commissions", shown.pending_commissions.minor(), held);
            for waiting in &shown.waiting {
                let is = (waiting.count, waiting.amount.minor(), waiting.oldest);
                same!(format_args!("{:?}", waiting.state), is, self.waiting(waiting.state));
            }
            same!("active codes", shown.active_codes, self.items.codes as i64);
            let is = (analytics.referrals, analytics.converted, analytics.rewards);
            same!("the program", is, self.program(|_| true));
            for day in trends {
                let of_the_day = self.program(|when| when.day() == day.day);
                same!(&day.day, (day.referrals, day.converted), (of_the_day.0, of_the_day.1));
            }
            let paid = self.items.payments.len() as i64;
            let ways: Vec<_> = monitoring.overall.iter().map(|way| (way.attempts, way.paid)).collect();
            same!("payments by rail", ways, vec![(paid, paid)]);
            self.admin(&stats)?;
            let is = top
                .iter()
                .map(|top| (top.user_id.map(|id| id.get()), top.referrals, top.total_earned.minor()));
            let currency = top.first().map_or(self.currency, |top| top.total_earned.currency());
            let (mut is, mut expected) = (is.collect::<Vec<_>>(), self.top(currency));
            is.sort_unstable();
            expected.sort_unstable();
            same!("top referrers", is, expected);
            Ok(())
        };
        compared(check())
    }

    fn admin(&self, stats: &guerdon_app::statistics::AdminStats) -> Result<(), String> {
        let currency = stats.total_credits_issued.currency();
        let (referrals, converted, _) = self.program(|_| true);
        same!("referrals", (stats.total_referrals, stats.converted_referrals), (referrals, converted));
        same!("issued", stats.total_credits_issued.minor(), self.commissions(currency, |_| true));
        same!("applied", stats.applied_credits.minor(), self.applied(currency));
        let held = self.commissions(currency, |c| c.state == CommissionState::Held);
        let pending =
            self.items.referrals.iter().filter(|r| r.state == ReferralState::Pending).count() as i64;
        let promised = stats.pending_credits.minor() - held;
        let fits = if pending == 0 { promised == 0 } else { promised >= 0 && promised % pending == 0 };
        same!(format_args!("{promised} promised to {pending}"), fits, true);
        for day in &stats.daily {
            let is_then = |when: Timestamp| when.day() == day.day;
            let figures = self.figures(is_then);
            let expected = (figures.members, figures.referrals, figures.converted, figures.payments);
            same!(&day.day, (day.joined, day.referrals, day.converted, day.payments), expected);
            same!(&day.day, day.issued.minor(), self.commissions(currency, |c| is_then(c.paid_at)));
        }
        Ok(())
    }

    /// Everything counts on the day of what it began with.
    fn figures(&self, counts: impl Fn(Timestamp) -> bool) -> Figures {
        let zero = Money::zero(self.currency);
        let money = |minor| Money::new(minor, self.currency);
        let payments = || self.items.payments.iter().filter(|payment| counts(payment.paid_at));
        let in_account = |of: &dyn Fn(&PaymentRecord) -> Money| -> i64 {
            payments().map(|payment| self.in_account(payment, of(payment))).sum()
        };
        let refunded = in_account(&|payment| payment.reversals.undone(payment.paid));
        let revenue = in_account(&|payment| payment.paid) - refunded;
        let cost: i64 = payments().filter_map(|payment| payment.cost).map(Money::minor).sum();
        let joined = self.items.members.iter().filter_map(|member| member.joined.as_ref());
        let (referrals, converted, commissions) = self.program(&counts);
        let commission_amount = self.commissions(self.currency, |c| counts(c.paid_at));
        let paid_out = self.items.withdrawals.iter().filter(|w| paid_at(w).is_some_and(&counts));
        Figures {
            clicks: 0,
            visitors: 0,
            members: joined.filter(|joined| counts(joined.at)).count() as i64,
            referrals,
            converted,
            orders: 0,
            orders_paid: 0,
            payments: payments().count() as i64,
            revenue: money(revenue),
            refunded: money(refunded),
            cost: money(cost),
            profit: money(revenue - cost),
            commissions,
            commission_amount: money(commission_amount),
            profit_after_commissions: money(revenue - cost - commission_amount),
            paid_out: paid_out.fold(zero, |sum, w| money(sum.minor() + w.amount.minor())),
            by_currency: self.by_currency(&counts),
        }
    }

    /// A part of a payment in the currency of account, by the payment's own rate. Without a rate it counts for nothing.
    fn in_account(&self, payment: &PaymentRecord, part: Money) -> i64 {
        if part.currency() == self.currency {
            return part.minor();
        }
        let account = payment.account.map_or(0, Money::minor);
        let (product, whole) =
            (i128::from(account) * i128::from(part.minor()), i128::from(payment.paid.minor()));
        i64::try_from((2 * product + whole).div_euclid(2 * whole.max(1))).unwrap_or(i64::MAX)
    }

    fn by_currency(&self, counts: impl Fn(Timestamp) -> bool) -> Vec<Sums> {
        let mut sums: BTreeMap<String, (Currency, [i64; 4])> = BTreeMap::new();
        let mut add = |money: Money, column: usize| {
            let sum = sums.entry(money.currency().to_string()).or_insert((money.currency(), [0; 4]));
            sum.1[column] += money.minor();
        };
        for payment in self.items.payments.iter().filter(|payment| counts(payment.paid_at)) {
            add(payment.paid, 0);
            add(payment.reversals.undone(payment.paid), 1);
            payment.cost.into_iter().for_each(|cost| add(cost, 2));
        }
        for commission in self.items.commissions.iter().filter(|commission| counts(commission.paid_at)) {
            add(due(commission), 3);
        }
        let moved = sums.into_values().filter(|(_, columns)| columns.iter().any(|minor| *minor != 0));
        let of = |(currency, [paid, refunded, cost, issued]): (Currency, [i64; 4])| Sums {
            revenue: Money::new(paid - refunded, currency),
            refunded: Money::new(refunded, currency),
            cost: Money::new(cost, currency),
            commission_amount: Money::new(issued, currency),
        };
        moved.map(of).collect()
    }

    /// Referrals, those of them that have converted by now, and commissions.
    fn program(&self, counts: impl Fn(Timestamp) -> bool) -> (i64, i64, i64) {
        let referrals = || self.items.referrals.iter().filter(|referral| counts(referral.joined_at));
        let converted = referrals().filter(|referral| conversion(referral).is_some()).count();
        let commissions = self.items.commissions.iter().filter(|c| counts(c.paid_at)).count();
        (referrals().count() as i64, converted as i64, commissions as i64)
    }

    /// What is due for commissions, in minor units.
    fn commissions(&self, currency: Currency, counts: impl Fn(&Commission) -> bool) -> i64 {
        let wanted = |c: &&Commission| c.amount.currency() == currency && counts(c);
        self.items.commissions.iter().filter(wanted).map(|c| due(c).minor()).sum()
    }

    fn applied(&self, currency: Currency) -> i64 {
        let entries = self.items.entries.iter().filter(|entry| entry.currency == currency);
        let moves = |kind: &EntryKind| {
            matches!(kind, EntryKind::CreditApplied { .. } | EntryKind::CreditReturned { .. })
        };
        entries
            .filter(|entry| moves(&entry.kind))
            .filter_map(|entry| entry.house)
            .map(|(_, minor)| minor)
            .sum()
    }

    fn waiting(&self, state: WithdrawalState) -> (i64, i64, Option<Timestamp>) {
        let waiting = || self.items.withdrawals.iter().filter(|w| w.state() == state);
        let amount = waiting().map(|w| w.amount.minor()).sum();
        (waiting().count() as i64, amount, waiting().map(|w| w.requested_at).min())
    }

    /// Scores of the referrers in a period, without those of nothing.
    fn scores(&self, period: Period, at: Timestamp) -> BTreeMap<&MemberId, i64> {
        let mut scores = BTreeMap::new();
        for referral in &self.items.referrals {
            if conversion(referral).is_some_and(|when| period.key(when) == period.key(at)) {
                *scores.entry(&referral.referrer).or_default() += 1;
            }
        }
        scores
    }

    fn top(&self, currency: Currency) -> Vec<(Option<i64>, i64, i64)> {
        let scores = self.scores(Period::All, BEGINNING).into_iter();
        let of = |(member, score): (&MemberId, i64)| {
            let id = self.items.members.iter().find(|known| known.id == *member);
            let earned = self.commissions(currency, |c| c.beneficiary == *member);
            (id.map(|known| known.telegram_id.get()), score, earned)
        };
        scores.map(of).collect()
    }

    async fn boards(
        &self,
        app: &App,
        at: Timestamp,
        periods: &[Period],
    ) -> Result<Result<(), String>, AppError> {
        for &period in periods {
            let mut scores = self.scores(period, at);
            let is_barred = |id: &&MemberId| self.items.members.iter().any(|m| m.id == **id && m.is_barred());
            scores.retain(|member, _| !is_barred(member));
            for viewer in self.items.members.iter().take(3) {
                let board = leaderboard(app, period, &viewer.id, 100).await?;
                let place = |score: i64| 1 + scores.values().filter(|other| **other > score).count() as i64;
                let shown: BTreeMap<_, _> =
                    board.rows.iter().map(|row| (&row.member, (row.score, row.place))).collect();
                let expected: BTreeMap<_, _> =
                    scores.iter().map(|(member, score)| (*member, (*score, place(*score)))).collect();
                let own = scores.get(&viewer.id).map(|score| place(*score));
                let falls = board.rows.is_sorted_by(|a, b| a.score >= b.score);
                if (&shown, board.viewer_place, falls) != (&expected, own, true) {
                    let key = period.key(at);
                    return Ok(Err(format!("board {key}: {board:?} is shown, there is {expected:?}")));
                }
            }
        }
        Ok(Ok(()))
    }
}

const fn conversion(referral: &Referral) -> Option<Timestamp> {
    match &referral.state {
        ReferralState::Converted { at, .. } => Some(*at),
        ReferralState::Pending | ReferralState::Expired => None,
    }
}

/// What the beneficiary is entitled to.
const fn due(commission: &Commission) -> Money {
    match commission.state {
        CommissionState::Void { .. } => Money::zero(commission.amount.currency()),
        CommissionState::Held | CommissionState::Released { .. } => commission.entitlement(),
    }
}

fn paid_at(withdrawal: &Withdrawal) -> Option<Timestamp> {
    match &withdrawal.step {
        Step::Paid { closed, .. } => Some(closed.at),
        _ => None,
    }
}
