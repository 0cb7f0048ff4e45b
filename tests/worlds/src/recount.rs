//! Projections, counted again from the items.

use std::collections::BTreeMap;

use guerdon_app::context::App;
use guerdon_domain::{
    commissions::CommissionState, ids::MemberId, referrals::ReferralState, wallets::EntryKind,
    withdrawals::Step,
};
use guerdon_store::statistics::Projection;

use crate::items::Items;

/// Totals by their stored names, which are repeated here on purpose.
type Counters = BTreeMap<String, i64>;

fn add(counters: &mut Counters, name: impl Into<String>, minor: i64) {
    *counters.entry(name.into()).or_default() += minor;
}

/// Compares totals, members' counters and the ranking with the items.
pub async fn check(app: &App, items: &Items) -> Result<(), String> {
    same(app, &Projection::Totals, totals(items)).await?;
    let members = by_member(items);
    let mut histogram = Counters::new();
    for (member, expected) in members {
        let score = expected.get("converted").copied().unwrap_or_default();
        same(app, &Projection::Member(member.clone()), expected).await?;
        let on_record =
            app.store().statistics().score(&member, "all").await.map_err(|error| error.to_string())?;
        if on_record.unwrap_or_default() != score {
            return Err(format!("a member's score is {on_record:?}, not {score}"));
        }
        if score > 0 {
            add(&mut histogram, format!("{score:04}"), 1);
        }
    }
    same(app, &Projection::Histogram("all".to_owned()), histogram).await
}

async fn same(app: &App, target: &Projection, mut expected: Counters) -> Result<(), String> {
    let counted = app.store().statistics().counters(target).await.map_err(|error| error.to_string())?;
    let mut counted: Counters = counted.into_iter().collect();
    counted.retain(|_, count| *count != 0);
    expected.retain(|_, count| *count != 0);
    if counted == expected {
        Ok(())
    } else {
        Err(format!("{target:?} says {counted:?}, there is {expected:?}"))
    }
}

fn totals(items: &Items) -> Counters {
    let mut counters = Counters::new();
    let joined = items.members.iter().filter(|member| member.joined.is_some());
    add(&mut counters, "members", joined.count() as i64);
    for referral in &items.referrals {
        add(&mut counters, "referrals", 1);
        add(&mut counters, state_of(&referral.state), 1);
    }
    add(&mut counters, "codes", items.codes as i64);
    for payment in &items.payments {
        let currency = payment.paid.currency();
        add(&mut counters, "payments", 1);
        add(&mut counters, format!("payments_{}", payment.payment.rail.as_str()), 1);
        add(&mut counters, format!("paid_{currency}"), payment.paid.minor());
        if let Some(cost) = payment.cost {
            add(&mut counters, format!("cost_{}", cost.currency()), cost.minor());
        }
        let undone = payment.reversals.undone(payment.paid);
        if let Some(account) = payment.account {
            let currency = account.currency();
            let part = |money| payment.in_account(money).map_or(0, |part| part.minor());
            add(&mut counters, format!("foreign_paid_{currency}"), account.minor());
            add(&mut counters, format!("foreign_refunded_{currency}"), part(undone));
            add(&mut counters, format!("foreign_cost_{currency}"), payment.cost.map_or(0, part));
        }
        add(&mut counters, format!("refunded_{currency}"), undone.minor());
    }
    for withdrawal in &items.withdrawals {
        let state = withdrawal.state().as_str();
        add(&mut counters, format!("withdrawals_{state}"), 1);
        let sum = format!("withdrawn_{state}_{}", withdrawal.amount.currency());
        add(&mut counters, sum, withdrawal.amount.minor());
        if let Step::Paid { closed, .. } = &withdrawal.step {
            let took = closed.at.millis() - withdrawal.requested_at.millis();
            add(&mut counters, "withdrawal_seconds", took / 1000);
        }
    }
    for commission in &items.commissions {
        let currency = commission.amount.currency();
        let (due, held) = standing(commission);
        add(&mut counters, "commissions", 1);
        add(&mut counters, format!("issued_{currency}"), due);
        add(&mut counters, format!("held_{currency}"), held);
        add(&mut counters, format!("clawed_{currency}"), commission.clawed);
    }
    for entry in &items.entries {
        add(&mut counters, format!("owed_{}", entry.currency), entry.delta.owed);
        let used = matches!(entry.kind, EntryKind::CreditApplied { .. } | EntryKind::CreditReturned { .. });
        if let (true, Some((_, minor))) = (used, entry.house) {
            add(&mut counters, format!("applied_{}", entry.currency), minor);
        }
        if let (EntryKind::WithdrawalPaid { .. }, Some((_, minor))) = (&entry.kind, entry.house) {
            add(&mut counters, format!("paid_out_{}", entry.currency), minor);
        }
    }
    counters
}

fn by_member(items: &Items) -> BTreeMap<MemberId, Counters> {
    let mut members: BTreeMap<MemberId, Counters> = BTreeMap::new();
    for referral in &items.referrals {
        let counters = members.entry(referral.referrer.clone()).or_default();
        add(counters, "recruits", 1);
        add(counters, state_of(&referral.state), 1);
    }
    for commission in &items.commissions {
        let counters = members.entry(commission.beneficiary.clone()).or_default();
        let (due, held) = standing(commission);
        add(counters, "rewards", 1);
        add(counters, "reversed", i64::from(commission.clawed > 0));
        add(counters, format!("earned_{}", commission.amount.currency()), due);
        add(counters, format!("held_{}", commission.amount.currency()), held);
    }
    members
}

const fn state_of(state: &ReferralState) -> &'static str {
    match state {
        ReferralState::Pending => "pending",
        ReferralState::Converted { .. } => "converted",
        ReferralState::Expired => "expired",
    }
}

/// The amount that a commission grants, and the part of it that is not released yet.
fn standing(commission: &guerdon_domain::commissions::Commission) -> (i64, i64) {
    let entitled = commission.entitlement().minor();
    match commission.state {
        CommissionState::Held => (entitled, entitled),
        CommissionState::Released { .. } => (entitled, 0),
        CommissionState::Void { .. } => (0, 0),
    }
}
