//! Verification of adjustments, postings and invoices against the entries of the bill credit.

use std::collections::BTreeMap;

use guerdon_domain::{
    bill_credit::{BilledCustomers, InvoiceCredit, InvoiceCreditState, Posting, PostingState},
    ids::CustomerId,
    wallets::{Adjustment, Entry, EntryKind},
};
use guerdon_store::table::posting_id;

use super::{difference::Problems, wallet::Lines};

fn house(entry: &Entry) -> i128 {
    i128::from(entry.house.map_or(0, |(_, minor)| minor))
}

/// Checks that each adjustment has its entry, and each such entry its adjustment.
pub(super) fn adjustment_problems(lines: &Lines<'_>, known: &[&Adjustment], problems: &mut Problems) {
    for (id, entries) in &lines.adjustments {
        let seq = entries.first().map_or(0, |entry| entry.seq);
        let named: Vec<_> = known.iter().filter(|adjustment| adjustment.id.as_str() == *id).collect();
        problems.check(!named.is_empty(), || format!("the adjustment of entry {seq} does not exist"));
        for adjustment in named {
            let (is, given) =
                (adjustment.amount.minor(), -entries.iter().map(|entry| house(entry)).sum::<i128>());
            problems.check(i128::from(is) == given, || {
                format!("the adjustment of entry {seq} is of {is}, {given} was booked")
            });
        }
    }
    for adjustment in known.iter().filter(|known| !lines.adjustments.contains_key(known.id.as_str())) {
        let (amount, at) = (adjustment.amount, adjustment.at);
        problems.add(format!("no entry booked the adjustment of {amount} at {at}"));
    }
}

/// Checks that each posting is claimed by its entry, given back if Stripe refused it, and for a customer of the member.
pub(super) fn posting_problems(
    lines: &Lines<'_>,
    known: &[&Posting],
    customers: Option<&BilledCustomers>,
    problems: &mut Problems,
) {
    for (id, entries) in &lines.postings {
        let seq = entries.first().map_or(0, |entry| entry.seq);
        let exists = known.iter().any(|posting| posting.id == **id);
        problems.check(exists, || format!("the posting of entry {seq} does not exist"));
    }
    let latest = known.iter().map(|posting| posting.seq).max();
    for posting in known {
        let name = format!("the posting of entry {}", posting.seq);
        let own_id = posting_id(&posting.member, posting.seq).is_ok_and(|id| id == posting.id);
        problems.check(own_id, || format!("{name} has the id of another"));
        let entries = lines.postings.get(&posting.id).map(Vec::as_slice).unwrap_or_default();
        let held = |wanted: fn(&EntryKind) -> bool| {
            let found = entries.iter().find(|entry| wanted(&entry.kind));
            found.map(|entry| (entry.seq, entry.delta.held))
        };
        let amount = posting.amount.minor();
        let claimed = held(|kind| matches!(kind, EntryKind::CreditPosted { .. }));
        problems.check(claimed == Some((posting.seq, amount)), || {
            format!("{name} is of {amount}, its entry claimed {:?}", claimed.map(|(_, held)| held))
        });
        let given_back = held(|kind| matches!(kind, EntryKind::CreditUnposted { .. })).map(|(_, held)| held);
        let refused = matches!(posting.state, PostingState::Refused { .. });
        let should = refused.then(|| amount.saturating_neg());
        problems.check(given_back == should, || {
            format!("{name} is {}, and {given_back:?} of its credit was returned", state(&posting.state))
        });
        let open = posting.state == PostingState::Claimed;
        problems.check(!open || Some(posting.seq) == latest, || {
            format!("{name} is still claimed, and a later one was made")
        });
        problems.check(is_of(customers, &posting.customer), || {
            format!("{name} went to a customer that the member never had")
        });
    }
}

const fn state(state: &PostingState) -> &'static str {
    match state {
        PostingState::Claimed => "claimed",
        PostingState::Posted { .. } => "posted",
        PostingState::Refused { .. } => "refused",
    }
}

fn is_of(customers: Option<&BilledCustomers>, customer: &CustomerId) -> bool {
    customers.is_none_or(|known| known.get(customer).is_some() || known.are_full())
}

/// Checks what invoices used and gave back against their entries, and the credit that was recalled from the balances of
/// lost customers.
pub(super) fn invoice_problems(
    lines: &Lines<'_>,
    known: &[&InvoiceCredit],
    customers: Option<&BilledCustomers>,
    problems: &mut Problems,
) {
    for (invoice, entries) in &lines.invoices {
        let seq = entries.first().map_or(0, |entry| entry.seq);
        let exists = known.iter().any(|credit| credit.invoice == **invoice);
        problems.check(exists, || format!("the invoice of entry {seq} is not on record"));
    }
    for credit in known {
        let entries = lines.invoices.get(&credit.invoice).map(Vec::as_slice).unwrap_or_default();
        let seq = entries.first().map_or(0, |entry| entry.seq);
        let sum = |wanted: fn(&EntryKind) -> bool| {
            entries.iter().filter(|entry| wanted(&entry.kind)).map(|entry| house(entry)).sum::<i128>()
        };
        let taken = i128::from(credit.taken.minor());
        let used = sum(|kind| matches!(kind, EntryKind::CreditApplied { .. }));
        problems.check(used == taken, || {
            format!("the invoice of entry {seq} says that it used {taken}, {used} was booked")
        });
        let back = -sum(|kind| matches!(kind, EntryKind::CreditReturned { .. }));
        let should = if credit.state == InvoiceCreditState::Returned { taken } else { 0 };
        problems.check(back == should, || {
            format!("the invoice of entry {seq} gave back {should}, {back} was booked")
        });
        let own = credit.customer.as_ref().is_none_or(|customer| is_of(customers, customer));
        problems
            .check(own, || format!("the invoice of entry {seq} is of a customer that the member never had"));
    }
    recalled(lines, known, customers, problems);
}

/// Compares what was recalled from each customer's balance with the entries: credit that was given back, less what an
/// invoice that was told late had used of it.
fn recalled(
    lines: &Lines<'_>,
    known: &[&InvoiceCredit],
    customers: Option<&BilledCustomers>,
    problems: &mut Problems,
) {
    let mut sums: BTreeMap<&CustomerId, i128> = BTreeMap::new();
    for entry in &lines.entries {
        match &entry.kind {
            EntryKind::CreditRecalled { customer } => {
                *sums.entry(customer).or_default() -= i128::from(entry.delta.held);
            }
            EntryKind::CreditApplied { invoice } if entry.delta.held == 0 => {
                let credit = known.iter().find(|credit| credit.invoice == *invoice);
                if let Some(customer) = credit.and_then(|credit| credit.customer.as_ref()) {
                    *sums.entry(customer).or_default() -= house(entry);
                }
            }
            _ => {}
        }
    }
    for (customer, known) in customers.into_iter().flat_map(BilledCustomers::iter) {
        let should = sums.remove(customer).unwrap_or_default();
        let is = known.recalled;
        problems.check(i128::from(is) == should, || {
            format!("{is} is noted as recalled from a customer's balance, {should} was booked")
        });
    }
    let lost: i128 = sums.into_values().filter(|sum| *sum != 0).sum();
    problems.check(lost == 0, || format!("{lost} was recalled from customers that the member never had"));
}
