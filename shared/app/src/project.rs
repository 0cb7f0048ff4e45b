//! The projector: counters, rankings and the sweep's markers, from the table's change stream.

use std::collections::BTreeMap;

use guerdon_domain::{
    Commission, CommissionState, Entry, EntryKind, MemberId, Money, Rail, Referral, ReferralState, Timestamp,
};
use guerdon_store::{
    Change, Contribution, Counters, PaymentRecord, Projection, ReleaseDue, SCORE, Stored, metered,
};

use crate::{App, AppError, Period};

/// Types of items whose changes are projected: the trigger's filter lets only these through.
pub const PROJECTED: [&str; 6] = ["member", "referral", "payment", "commission", "entry", "rank"];

/// Takes a batch of a shard's changes into the projections, each exactly once.
///
/// # Errors
/// [`AppError`]; then the batch must be delivered again.
pub async fn project(app: &App, shard: &str, changes: &[Change]) -> Result<(), AppError> {
    metered("project", async {
        let mut plan = Plan::default();
        for change in changes {
            plan.take(change);
        }
        for marker in plan.markers.values() {
            app.store.mark_release_due(marker).await?;
        }
        let now = app.now();
        for (target, contributions) in &plan.contributions {
            app.store.project(target, shard, contributions, now).await?;
        }
        Ok(())
    })
    .await
}

/// Everything a batch adds, grouped so that each projected item is written once.
#[derive(Debug, Default)]
struct Plan {
    contributions: BTreeMap<Projection, Vec<Contribution>>,
    markers: BTreeMap<(MemberId, Timestamp), ReleaseDue>,
}

impl Plan {
    fn take(&mut self, change: &Change) {
        let sequence = &change.sequence;
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
            (None, Some(Stored::Payment(payment))) => self.paid(sequence, payment),
            (None, Some(Stored::Commission(commission))) => self.booked(sequence, commission),
            (Some(Stored::Commission(before)), Some(Stored::Commission(after))) => {
                self.commission_moved(sequence, before, after);
            }
            (None, Some(Stored::Entry(entry))) => self.posted(sequence, entry),
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
        // What an operator vouched for is no money that we saw.
        if payment.payment.rail != Rail::Manual {
            let paid = named("paid", payment.paid);
            self.deployment(sequence, payment.paid_at, &[("payments", 1), (&paid, payment.paid.minor())]);
        }
    }

    fn booked(&mut self, sequence: &str, commission: &Commission) {
        let minor = commission.amount.minor();
        let (issued, held, earned) = (
            named("issued", commission.amount),
            named("held", commission.amount),
            named("earned", commission.amount),
        );
        self.deployment(sequence, commission.paid_at, &[("commissions", 1), (&issued, minor)]);
        self.add(Projection::Totals, sequence, &[(&held, minor)]);
        let member = Projection::Member(commission.beneficiary.clone());
        self.add(member, sequence, &[(&earned, minor), (&held, minor)]);
        let marker = ReleaseDue::of(commission.beneficiary.clone(), commission.due_at, commission.booked_at);
        self.markers.insert((marker.member.clone(), marker.hour), marker);
    }

    fn commission_moved(&mut self, sequence: &str, before: &Commission, after: &Commission) {
        if before.state != CommissionState::Held || after.state == CommissionState::Held {
            return;
        }
        let minor = after.amount.minor();
        let held = named("held", after.amount);
        let member = Projection::Member(after.beneficiary.clone());
        self.add(Projection::Totals, sequence, &[(&held, -minor)]);
        self.add(member.clone(), sequence, &[(&held, -minor)]);
        if let CommissionState::Void { .. } = after.state {
            let (issued, earned) = (named("issued", after.amount), named("earned", after.amount));
            self.deployment(sequence, after.paid_at, &[(&issued, -minor)]);
            self.add(member, sequence, &[(&earned, -minor)]);
        }
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
            _ => {}
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

fn named(word: &str, money: Money) -> String {
    format!("{word}_{}", money.currency())
}

/// Below this, each score has a bucket of its own, so places are exact.
const EXACT_SCORES: i64 = 128;

/// The histogram's bucket of a score: its own up to 127, then 16 to each doubling. A histogram never has
/// more than about a thousand buckets, however far scores go.
pub(crate) fn bucket(score: i64) -> i64 {
    let score = score.max(0);
    if score < EXACT_SCORES {
        return score;
    }
    let octave = i64::from(score.ilog2());
    EXACT_SCORES + (octave - 7) * 16 + ((score >> (octave - 4)) & 15)
}

fn bucket_name(score: i64) -> String {
    format!("{:04}", bucket(score))
}

/// How many members score in a higher bucket than `score`'s.
pub(crate) fn ahead_of(histogram: &Counters, score: i64) -> i64 {
    let own = bucket_name(score);
    histogram.iter().filter(|(name, _)| **name > own).map(|(_, count)| *count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_grow_with_scores_and_are_exact_for_small_ones() {
        assert_eq!((bucket(0), bucket(127), bucket(128), bucket(135), bucket(136)), (0, 127, 128, 128, 129));
        let mut last = -1;
        for score in 0..100_000 {
            assert!(bucket(score) >= last, "{score}");
            last = bucket(score);
        }
        assert!(bucket(i64::MAX) < 2000);
        assert_eq!(bucket(-5), 0);
    }

    #[test]
    fn a_place_counts_those_ahead() {
        let histogram = [(3, 1), (2, 4), (1, 10)].map(|(s, n)| (bucket_name(s), n)).into_iter().collect();
        assert_eq!([3, 2, 1, 0].map(|score| ahead_of(&histogram, score)), [0, 1, 5, 15]);
    }
}
