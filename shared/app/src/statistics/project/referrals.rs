//! Projection of codes, clicks on shared links, referrals, and the rankings of referrers.

use guerdon_domain::{
    referrals::{Click, CodeRecord, Referral, ReferralState},
    statistics::Counter,
    time::Timestamp,
};
use guerdon_store::statistics::Projection;

use super::{Changed, plan::Plan};
use crate::statistics::Period;

pub(super) fn changed(plan: &mut Plan, change: &Changed<'_, Referral>) {
    match (change.before, change.after) {
        (None, Some(referral)) => joined(plan, change.sequence, referral),
        (Some(before), Some(after)) if before.state != after.state => {
            moved(plan, change.sequence, before, after);
        }
        _ => {}
    }
}

pub(super) fn code_changed(plan: &mut Plan, change: &Changed<'_, CodeRecord>) {
    let counter = match (change.before, change.after) {
        (None, Some(_)) => Counter::Codes,
        (Some(before), Some(after)) if after.expired && !before.expired => Counter::CodesExpired,
        _ => return,
    };
    plan.add(Projection::Totals, change.sequence, &[(counter, 1)]);
}

pub(super) fn clicked(plan: &mut Plan, change: &Changed<'_, Click>) {
    let (None, Some(click)) = (change.before, change.after) else { return };
    let adds = [(Counter::Clicks, 1), (Counter::Visitors, i64::from(click.first.is_none()))];
    plan.add_to_day(change.sequence, click.at, &adds);
    plan.add(Projection::Member(click.owner.clone()), change.sequence, &adds);
}

fn joined(plan: &mut Plan, sequence: &str, referral: &Referral) {
    plan.add_to_day(sequence, referral.joined_at, &[(Counter::Referrals, 1)]);
    plan.add(Projection::Totals, sequence, &[(Counter::Pending, 1)]);
    let referrer = Projection::Member(referral.referrer.clone());
    plan.add(referrer, sequence, &[(Counter::Recruits, 1), (Counter::Pending, 1)]);
}

/// Counts a conversion on the day of the joining, so that no day has more conversions than referrals. The rankings count it
/// when it happened.
fn moved(plan: &mut Plan, sequence: &str, before: &Referral, after: &Referral) {
    let referrer = Projection::Member(after.referrer.clone());
    if let ReferralState::Converted { at, .. } = &before.state {
        plan.add_to_day(sequence, after.joined_at, &[(Counter::Converted, -1)]);
        plan.add(referrer.clone(), sequence, &[(Counter::Converted, -1)]);
        score(plan, sequence, after, *at, -1);
    }
    let left_pending = (Counter::Pending, -i64::from(before.state == ReferralState::Pending));
    let left_expired = (Counter::Expired, -i64::from(before.state == ReferralState::Expired));
    match &after.state {
        ReferralState::Converted { at, .. } => {
            plan.add_to_day(sequence, after.joined_at, &[(Counter::Converted, 1)]);
            plan.add(Projection::Totals, sequence, &[left_pending, left_expired]);
            plan.add(referrer, sequence, &[left_pending, left_expired, (Counter::Converted, 1)]);
            score(plan, sequence, after, *at, 1);
        }
        ReferralState::Expired => {
            let moves = [left_pending, (Counter::Expired, 1)];
            plan.add(Projection::Totals, sequence, &moves);
            plan.add(referrer, sequence, &moves);
        }
        ReferralState::Pending => {
            let moves = [(Counter::Pending, 1), left_expired];
            plan.add(Projection::Totals, sequence, &moves);
            plan.add(referrer, sequence, &moves);
        }
    }
}

fn score(plan: &mut Plan, sequence: &str, referral: &Referral, at: Timestamp, more: i64) {
    for period in [Period::All, Period::Week, Period::Month] {
        let rank = Projection::Rank(referral.referrer.clone(), period.key(at));
        plan.add(rank, sequence, &[(Counter::Score, more)]);
    }
}
