//! The effects of a batch of changes, grouped so that each projected item is written once.

use std::collections::BTreeMap;

use guerdon_domain::{
    commissions::Commission,
    ids::{ClickId, MemberId},
    members::Joined,
    operators::AuditRecord,
    payments::Place,
    statistics::Counter,
    time::Timestamp,
};
use guerdon_store::{
    commissions::ReleaseDue,
    payments::PaymentLink,
    statistics::{Contribution, Projection},
};

use super::lines::Lines;
use crate::{context::App, error::AppError, settings::settings_now};

/// The counters that a batch adds to, and the items that it writes.
#[derive(Debug)]
pub(super) struct Plan {
    /// Time of processing of the batch.
    pub(super) now: Timestamp,
    /// Lines of lists that the batch writes or removes.
    pub(super) lines: Lines,
    contributions: BTreeMap<Projection, Vec<Contribution>>,
    markers: BTreeMap<(MemberId, Timestamp), ReleaseDue>,
    /// Steps of referrals, in the order of the stream.
    edges: Vec<(Edge, Commission)>,
    /// Payments to add to the lists.
    payments: Vec<PaymentLink>,
    audits: Vec<AuditRecord>,
    /// Clicks that brought a member, and when.
    clicks: Vec<(ClickId, Timestamp)>,
}

/// A step of a referral that follows from its converting commission.
#[derive(Debug, Clone, Copy)]
enum Edge {
    Convert,
    Reopen,
    Restore,
}

impl Edge {
    async fn take(self, app: &App, commission: &Commission) -> Result<(), AppError> {
        let Commission { beneficiary, referee, place, payment, paid_at, .. } = commission;
        let Place::Conversion { joined_at, attempt } = *place else { return Ok(()) };
        let (edge, by) = ((beneficiary, joined_at, referee), (payment, attempt));
        match self {
            Self::Convert => app.store.referrals().convert(edge, by, *paid_at).await?,
            Self::Reopen if settings_now(app).await?.undone_reopens => {
                app.store.referrals().reopen(edge, by).await?
            }
            Self::Reopen => return Ok(()),
            Self::Restore => {
                let next = place.next().map(|place| Commission { place, ..commission.clone() });
                if let Some(next) = next
                    && app.store.commissions().in_place_of(&next).await?.is_some()
                {
                    return Ok(());
                }
                app.store.referrals().restore(edge, by, *paid_at).await?
            }
        };
        Ok(())
    }
}

impl Plan {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            now,
            lines: Lines::default(),
            contributions: BTreeMap::new(),
            markers: BTreeMap::new(),
            edges: Vec::new(),
            payments: Vec::new(),
            audits: Vec::new(),
            clicks: Vec::new(),
        }
    }

    /// Adds to the counters of a projected item.
    pub(super) fn add(&mut self, target: Projection, sequence: &str, adds: &[(Counter, i64)]) {
        let adds = adds.iter().copied().collect();
        let contribution = Contribution { sequence: sequence.to_owned(), adds };
        self.contributions.entry(target).or_default().push(contribution);
    }

    /// Adds to the total counters and to the counters of the day of `at`.
    pub(super) fn add_to_day(&mut self, sequence: &str, at: Timestamp, adds: &[(Counter, i64)]) {
        self.add(Projection::Totals, sequence, adds);
        self.add(Projection::Day(at.day()), sequence, adds);
    }

    /// Writes the marker by which the sweep finds a due commission.
    pub(super) fn mark_due(&mut self, commission: &Commission, since: Timestamp) {
        let marker = ReleaseDue::of(commission.beneficiary.clone(), commission.due_at, since);
        self.markers.insert((marker.member.clone(), marker.hour), marker);
    }

    /// Converts the referral that a commission was booked for.
    pub(super) fn convert(&mut self, commission: &Commission) {
        self.edges.push((Edge::Convert, commission.clone()));
    }

    /// Returns a referral to pending, whose conversion was undone as a whole.
    pub(super) fn reopen(&mut self, commission: &Commission) {
        self.edges.push((Edge::Reopen, commission.clone()));
    }

    /// Converts a referral whose undone conversion was restored.
    pub(super) fn restore(&mut self, commission: &Commission) {
        self.edges.push((Edge::Restore, commission.clone()));
    }

    /// Adds a payment to the lists of its member and of its day.
    pub(super) fn list_payment(&mut self, link: PaymentLink) {
        self.payments.push(link);
    }

    /// Keeps the click that brought a member.
    pub(super) fn keep_click(&mut self, joined: &Joined) {
        self.clicks.extend(joined.click.clone().map(|click| (click, joined.at)));
    }

    /// Writes a line of the audit trail.
    pub(super) fn audit(&mut self, line: AuditRecord) {
        self.audits.push(line);
    }

    /// Writes all effects. The writes other than counters are idempotent, so they come first: a batch that is
    /// delivered again does no harm.
    pub(super) async fn carry_out(&self, app: &App, shard: &str) -> Result<(), AppError> {
        self.follow_up(app).await?;
        for (target, contributions) in &self.contributions {
            app.store.statistics().project(target, shard, contributions, self.now).await?;
        }
        Ok(())
    }

    async fn follow_up(&self, app: &App) -> Result<(), AppError> {
        for marker in self.markers.values() {
            app.store.commissions().mark_due(marker).await?;
        }
        for (step, commission) in &self.edges {
            step.take(app, commission).await?;
        }
        for link in &self.payments {
            app.store.payments().list(link).await?;
        }
        for audit in &self.audits {
            app.store.audit().put(audit).await?;
        }
        for (click, joined_at) in &self.clicks {
            app.store.clicks().keep(click, *joined_at).await?;
        }
        self.lines.write(app).await
    }
}
