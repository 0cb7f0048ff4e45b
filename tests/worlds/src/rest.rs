//! Checks at rest: every queue is empty, every hold is over, every sweep is done.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use guerdon_app::{
    commissions::sweep_releases, programs::program_at, verification::verify_ledger,
    withdrawals::finish_withdrawal,
};
use guerdon_domain::{
    commissions::{Commission, CommissionState, clawback_target},
    intents::{Action, IntentState},
    money::Money,
    payments::{PaymentRecord, Place},
    programs::Trigger,
    referrals::ReferralState,
    wallets::WalletKind,
    withdrawals::{Step, Withdrawal, WithdrawalState},
};

use crate::{
    credit, desk, figures,
    items::{Items, scan},
    kinds::Kind,
    profit, rates, recount, stream,
    tasks::until_done,
    withdrawals, words,
    world::World,
};

macro_rules! must {
    ($holds:expr, $($what:tt)+) => {
        if !$holds {
            return Err(format!($($what)+));
        }
    };
}

/// Brings the world to rest and checks everything; returns the part of its state that must not depend on the
/// schedule.
pub async fn check(world: &Rc<World>) -> Result<BTreeMap<String, i64>, String> {
    let calm = world.net.clone();
    calm.calm_down();
    let app = &world.apps[0];
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(27 * 3600)).await;
        desk::work_off(world).await?;
        stream::settled(world).await;
        sweep_releases(app).await.map_err(|error| format!("the sweep: {error}"))?;
        credit::post_all(world).await;
        stream::settled(world).await;
        finish(world).await?;
    }
    if calm.draw(4) == 0 {
        stream::again(world).await?;
    }
    let items = scan(world)?;
    verified(world).await?;
    released(world, &items)?;
    undone(world, &items)?;
    granted(world, &items).await?;
    limits(&items)?;
    wallets(&items)?;
    withdrawals(world, &items)?;
    conversions(&items)?;
    must!(items.parked == 0, "{} events are still parked", items.parked);
    profit::check(world, &items)?;
    credit::check(world, &items)?;
    recount::check(app, &items).await?;
    figures::check(world, &items).await?;
    rates::check(app, &items).await?;
    Ok(economy(world, &items))
}

/// Looks up the payouts that were claimed and have no outcome.
async fn finish(world: &Rc<World>) -> Result<(), String> {
    for _ in 0..40 {
        let paying: Vec<_> = scan(world)?
            .withdrawals
            .into_iter()
            .filter(|withdrawal| withdrawal.state() == WithdrawalState::Paying)
            .collect();
        if paying.is_empty() {
            return Ok(());
        }
        for withdrawal in paying {
            let Step::Paying(claim) = withdrawal.step else { continue };
            let by = claim.claimed.by;
            match claim.batch {
                None => {
                    let act = |world| withdrawals::pay(world, withdrawal.id.clone(), by.as_str());
                    until_done(world, "look up", act).await;
                }
                Some(batch) => {
                    let outcome = withdrawals::execute(world, withdrawal.id.as_str(), batch.as_str());
                    let done = finish_withdrawal(&world.apps[0], &withdrawal.id, &by, &outcome).await;
                    done.map_err(|error| format!("finish {}: {error}", withdrawal.id))?;
                }
            }
        }
    }
    Err("a payout never ends".to_owned())
}

async fn verified(world: &World) -> Result<(), String> {
    let mut from = None;
    loop {
        let part =
            verify_ledger(&world.apps[0], from.as_ref(), 100).await.map_err(|error| error.to_string())?;
        if let Some(difference) = part.difference {
            return Err(format!("verify_ledger: {difference}"));
        }
        from = part.next;
        if from.is_none() {
            return Ok(());
        }
    }
}

fn released(world: &World, items: &Items) -> Result<(), String> {
    let now = world.apps[0].now();
    for commission in &items.commissions {
        let waits = commission.is_releasable() && commission.due_at <= now;
        must!(!waits, "{} has been due since {} and was never released", commission.id, commission.due_at);
    }
    Ok(())
}

/// Checks that each payment's record has all its reversals and nothing else, in whatever order they arrived. An intent
/// that paid an invoice counts with it.
fn undone(world: &World, items: &Items) -> Result<(), String> {
    let planned = &world.plan.payments;
    for record in &items.payments {
        must!(planned.iter().any(|paid| paid.key == record.payment), "nobody made {}", record.payment);
    }
    for (n, paid) in planned.iter().enumerate() {
        let record = items.payments.iter().find(|record| record.payment == paid.key);
        let Some(record) = record else {
            must!(paid.invoice.is_some(), "payment {} is lost", paid.key);
            continue;
        };
        let of_intents = planned.iter().filter(|intent| intent.invoice == Some(n)).flat_map(|i| &i.words);
        let words: Vec<_> = paid.words.iter().chain(of_intents).cloned().collect();
        let said = words::undone(paid.paid, paid.settled, &words);
        let target = if paid.invoice.is_some() { paid.paid.minor() } else { said };
        let is = record.reversals.undone(paid.paid).minor();
        must!(is == target, "payment {}: {is} is undone, {target} was said", paid.key);
        for commission in items.commissions.iter().filter(|commission| commission.payment == paid.key) {
            let undone = Money::new(target, paid.paid.currency());
            let clawed =
                clawback_target(commission.amount, commission.paid, undone).map_err(|e| e.to_string())?;
            let expected = if commission.superseded { commission.amount } else { clawed };
            must!(commission.clawed == expected.minor(), "{}: clawed {}", commission.id, commission.clawed);
        }
    }
    Ok(())
}

/// Checks that each rule has granted as often as when payments arrive one after the other.
async fn granted(world: &World, items: &Items) -> Result<(), String> {
    for payment in &items.payments {
        let program = program_at(&world.apps[1], payment.paid_at).await.map_err(|error| error.to_string())?;
        let (was, is) = (payment.program_version, program.version);
        must!(was == is, "{} was decided by version {was}, in force was {is}", payment.payment);
    }
    let grants: usize = items.payments.iter().map(|payment| payment.grants().count()).sum();
    must!(grants == items.commissions.len(), "{grants} grants, {} commissions", items.commissions.len());
    // Where the profit is shared, it depends on the costs.
    if world.plan.bars || world.plan.kind == Kind::Profit {
        return Ok(());
    }
    for referral in &items.referrals {
        for rule in &world.plan.preset.program.rules {
            let of_referee = items.payments.iter().filter(|payment| payment.member == referral.referee);
            let in_time = |p: &PaymentRecord| p.paid_at.seconds() >= referral.joined_at.seconds();
            let is_eligible = |p: &PaymentRecord| {
                let net = p.facts().net().map_or(0, Money::minor);
                p.purpose == rule.trigger.purpose()
                    && net.min(p.tier.minor()) >= rule.minimum_payment.minor()
                    && net > 0
                    && in_time(p)
            };
            let eligible = of_referee.clone().filter(|p| is_eligible(p)).count();
            let grants_it = |p: &&PaymentRecord| p.grants().any(|(candidate, ..)| candidate.rule == rule.id);
            let granted = of_referee.clone().filter(grants_it).count();
            // Each reward whose payment was undone as a whole makes room for the next one. A payment that was undone when
            // the next came did not count.
            let undone = of_referee.clone().filter(grants_it).filter(|p| !p.reversals.is_empty()).count();
            let certain = of_referee.filter(|p| is_eligible(p) && p.reversals.is_empty()).count();
            let upline = rule.beneficiary.level() == 2;
            let expected = match rule.trigger {
                _ if upline && referral.upline.is_none() => 0..=0,
                Trigger::FirstPayment => eligible.min(1)..=undone.saturating_add(1).min(eligible),
                Trigger::NthPayment(n) if eligible < n as usize => 0..=0,
                Trigger::NthPayment(n) => usize::from(certain >= n as usize)..=undone.saturating_add(1),
                _ => eligible..=eligible,
            };
            let id = &rule.id;
            must!(
                expected.contains(&granted),
                "rule {id} granted {granted} times and not {expected:?} of {eligible}"
            );
            let is_standing = |c: &&Commission| {
                c.referee == referral.referee && c.snapshot.rule.id == rule.id && !c.is_undone()
            };
            let standing = items.commissions.iter().filter(is_standing).count();
            must!(
                !rule.trigger.is_once() || standing <= 1,
                "rule {id} rewards {standing} payments of one referee"
            );
        }
    }
    Ok(())
}

fn limits(items: &Items) -> Result<(), String> {
    let mut used: BTreeMap<(String, String), (i64, i64)> = BTreeMap::new();
    for commission in items.commissions.iter().filter(|c| matches!(c.state, CommissionState::Released { .. }))
    {
        let (rule, paid_at) = (&commission.snapshot.rule, commission.paid_at);
        let budget = commission.snapshot.budget.map(|cap| {
            ((format!("BUDGET#{}", cap.per.key(paid_at)), "BUDGET".to_owned()), cap.amount.minor())
        });
        let own = rule.cap_member.map(|cap| {
            let sk = format!("CAP#{}#{}", rule.id, cap.per.key(paid_at));
            ((format!("M#{}", commission.beneficiary), sk), cap.amount.minor())
        });
        for (key, cap) in budget.into_iter().chain(own) {
            let slot = used.entry(key).or_insert((0, cap));
            slot.0 += commission.entitlement().minor();
        }
    }
    for ((pk, sk), (taken, cap)) in used {
        must!(taken <= cap, "{taken} was released under the limit {pk} {sk} of {cap}");
        let on_record =
            items.limits.iter().find(|limit| (&limit.0, &limit.1) == (&pk, &sk)).map(|limit| limit.2);
        let on_record = on_record.unwrap_or_default();
        must!(
            (taken..=cap).contains(&on_record),
            "{pk} {sk}: {on_record} is on record, {taken} was released"
        );
    }
    Ok(())
}

fn wallets(items: &Items) -> Result<(), String> {
    for wallet in &items.wallets {
        let mine = |c: &&Commission| {
            c.beneficiary == wallet.member
                && c.snapshot.rule.target == wallet.kind
                && c.amount.currency() == wallet.currency
                && matches!(c.state, CommissionState::Released { .. })
        };
        let entitled: i64 = items.commissions.iter().filter(mine).map(|c| c.entitlement().minor()).sum();
        let paid = |w: &&Withdrawal| {
            w.member == wallet.member && w.wallet == wallet.kind && w.state() == WithdrawalState::Paid
        };
        let paid_out: i64 = items.withdrawals.iter().filter(paid).map(|w| w.amount.minor()).sum();
        let on_bills =
            if wallet.kind == WalletKind::BillCredit { credit::used(items, &wallet.member) } else { 0 };
        let worth = wallet.buckets.available + wallet.buckets.held - wallet.buckets.owed;
        let left = entitled - paid_out - on_bills;
        must!(worth == left, "a wallet is worth {worth}, not {entitled} less {paid_out} and {on_bills}");
    }
    Ok(())
}

fn withdrawals(world: &World, items: &Items) -> Result<(), String> {
    for withdrawal in &items.withdrawals {
        let (id, state) = (withdrawal.id.as_str(), withdrawal.state());
        let (times, expected) = (world.bank.times_paid(id), usize::from(state == WithdrawalState::Paid));
        must!(times == expected, "withdrawal {id} is {} and was paid {times} times", state.as_str());
    }
    for intent in &items.intents {
        let (Action::Withdraw { amount, .. }, IntentState::Used { .. }) = (&intent.action, intent.state)
        else {
            continue;
        };
        let key = format!("intent-{}", intent.id);
        let made = |w: &&Withdrawal| w.member == intent.member && w.request_key == key && w.amount == *amount;
        must!(
            items.withdrawals.iter().any(|w| made(&w)),
            "intent {} is used and asked for nothing",
            intent.id
        );
    }
    Ok(())
}

fn conversions(items: &Items) -> Result<(), String> {
    for referral in &items.referrals {
        let converts = |c: &&Commission| {
            let place = Place::Conversion { joined_at: referral.joined_at, attempt: referral.undone };
            c.place == place && c.referee == referral.referee
        };
        let by: Vec<_> = items.commissions.iter().filter(converts).map(|c| &c.payment).collect();
        let said = match &referral.state {
            ReferralState::Converted { payment, .. } => vec![payment],
            ReferralState::Pending | ReferralState::Expired => vec![],
        };
        must!(by == said, "a referral says it was converted by {said:?}, its commission by {by:?}");
    }
    let mut once = BTreeMap::<_, usize>::new();
    for commission in items.commissions.iter().filter(|c| is_granted_once(c) && !c.is_undone()) {
        let (rule, level) = (&commission.snapshot.rule.id, commission.snapshot.level);
        let granted = once.entry((&commission.beneficiary, &commission.referee, rule, level)).or_default();
        *granted += 1;
        must!(*granted == 1, "rule {rule} rewards one referral {granted} times");
    }
    Ok(())
}

fn is_granted_once(commission: &Commission) -> bool {
    commission.snapshot.rule.trigger.is_once()
}

/// The part of the state that must not depend on the schedule: what is undone of each payment, how often each rule
/// granted to whom, and, where no payment races another, the amount of each commission.
fn economy(world: &World, items: &Items) -> BTreeMap<String, i64> {
    let mut economy: BTreeMap<String, i64> = BTreeMap::new();
    for payment in items.payments.iter().filter(|payment| !payment.payment.is_payment_intent()) {
        economy.insert(format!("undone {}", payment.payment), payment.reversals.undone(payment.paid).minor());
    }
    // Whether an intent is booked before its invoice depends on the schedule.
    let has_intents = world.plan.payments.iter().any(|paid| paid.invoice.is_some());
    if world.plan.bars || world.plan.changes || has_intents {
        return economy;
    }
    // Whether the first payment is undone before the second one comes depends on the schedule.
    let reopens = items.payments.iter().any(|payment| !payment.reversals.is_empty());
    for commission in items.commissions.iter().filter(|c| !(reopens && is_granted_once(c))) {
        let (rule, level) = (&commission.snapshot.rule.id, commission.snapshot.level);
        *economy.entry(format!("count {rule} {level} {}", commission.beneficiary)).or_default() += 1;
        if world.plan.kind == Kind::Ott {
            let due = match commission.state {
                CommissionState::Void { .. } => 0,
                _ => commission.entitlement().minor(),
            };
            economy.insert(format!("due {}", commission.id), due);
        }
    }
    economy
}
