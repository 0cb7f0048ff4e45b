//! Bill credit at rest: what wallets hold is on the balances that are billed, and invoices used what they used once.

use std::{collections::BTreeMap, rc::Rc};

use guerdon_domain::{
    bill_credit::{BillingReport, InvoiceCreditState, PostingState, SubscriptionState},
    ids::{CustomerId, MemberId},
    wallets::WalletKind,
};

use crate::{
    billing::post_credit, bills::Customer, items::Items, kinds::Kind, tasks::until_done, world::World,
};

macro_rules! must {
    ($holds:expr, $($what:tt)+) => {
        if !$holds {
            return Err(format!($($what)+));
        }
    };
}

/// Posts what is left to post.
pub async fn post_all(world: &Rc<World>) {
    if world.plan.kind != Kind::Credit {
        return;
    }
    for member in 0..world.plan.members.len() {
        let id = world.member(member);
        until_done(world, "post at rest", |world| {
            let id = id.clone();
            async move { post_credit(&world, &id, "at rest").await }
        })
        .await;
    }
}

/// Minor units that invoices took from a member's credit and did not give back.
pub fn used(items: &Items, member: &MemberId) -> i64 {
    let mine = |credit: &&guerdon_domain::bill_credit::InvoiceCredit| {
        credit.member == *member && credit.state == InvoiceCreditState::Applied
    };
    items.invoice_credits.iter().filter(mine).map(|credit| credit.taken.minor()).sum()
}

/// Checks balances, invoices and targets.
pub fn check(world: &World, items: &Items) -> Result<(), String> {
    if world.plan.kind != Kind::Credit {
        return Ok(());
    }
    for posting in &items.postings {
        let open = posting.state == PostingState::Claimed;
        must!(!open, "the posting {} is never finished", posting.id);
    }
    invoices(world, items)?;
    let owners: BTreeMap<&CustomerId, &MemberId> =
        items.links.iter().map(|link| (&link.customer, &link.member)).collect();
    for member in items.members.iter() {
        let is_own = |customer: &&Customer| owners.get(&customer.id) == Some(&&member.id);
        let own: Vec<_> = world.plan.bills.customers.iter().filter(is_own).collect();
        let living: Vec<_> = own.iter().filter(|customer| !world.stripe.is_deleted(&customer.id)).collect();
        let wallet = items
            .wallets
            .iter()
            .find(|wallet| wallet.member == member.id && wallet.kind == WalletKind::BillCredit);
        let (available, held) =
            wallet.map_or((0, 0), |wallet| (wallet.buckets.available, wallet.buckets.held));
        let on_balances: i64 = living.iter().map(|customer| world.stripe.balance(&customer.id)).sum();
        must!(held == on_balances, "{}: {held} is held, {on_balances} is on balances", member.id);
        must!(living.is_empty() || available == 0, "{}: {available} was never posted", member.id);
        let target = member.customer.as_ref();
        let known = living.iter().find(|customer| Some(&customer.id) == target);
        must!(known.is_some() != living.is_empty(), "{}: the credit goes to {target:?}", member.id);
        // A report may have reached the member whose customer it was before.
        let moved = own.iter().any(|customer| customer.right.is_some());
        let live = living.iter().any(|customer| is_live(customer));
        let fits = moved || !live || known.is_some_and(|customer| is_live(customer));
        must!(fits, "{}: the credit goes to {target:?}, which has no subscription", member.id);
    }
    Ok(())
}

/// The latest state counts, by Stripe's clock, and what has ended is over.
fn is_live(customer: &Customer) -> bool {
    let states = customer.reports.iter().filter_map(|report| match report {
        BillingReport::Subscribed { state, at, .. } => Some((*at, *state)),
        _ => None,
    });
    states.max().is_some_and(|(_, state)| state == SubscriptionState::Live)
}

/// Checks that each invoice took from its member what it used at Stripe, and gave it back when it was voided.
fn invoices(world: &World, items: &Items) -> Result<(), String> {
    for n in 0..world.plan.bills.bills.len() {
        let Some(invoiced) = world.stripe.invoice(n) else { continue };
        let name = format!("in_bill_{n}");
        let credits = || items.invoice_credits.iter().filter(|credit| credit.invoice.as_str() == name);
        let taken: i64 = credits()
            .filter(|credit| credit.state == InvoiceCreditState::Applied)
            .map(|credit| credit.taken.minor())
            .sum();
        let expected = if invoiced.voided { 0 } else { invoiced.applied };
        must!(taken == expected, "{name} took {taken}, {expected} was used: {invoiced:?}");
    }
    Ok(())
}
