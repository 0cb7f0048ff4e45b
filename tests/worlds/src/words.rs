//! An independent computation of how much of a payment its reversals undo, from the set of reversals alone. (A
//! reversal is a *word* here.)

use std::collections::BTreeMap;

use guerdon_domain::{
    money::Money,
    payments::{DisputeStage, RefundStage, Reversal, ReversalKind},
    time::Timestamp,
};

/// Minor units of `paid` that `words` undo, in whatever order they arrived. A dispute in another currency disputes all.
pub fn undone(paid: Money, paid_at: Timestamp, words: &[Reversal]) -> i64 {
    let (paid, currency) = (paid.minor(), paid.currency());
    let mut refunds: BTreeMap<&str, (Timestamp, RefundStage, i64)> = BTreeMap::new();
    let mut disputes: BTreeMap<&str, (Timestamp, DisputeStage, i64)> = BTreeMap::new();
    let mut notes: BTreeMap<&str, (bool, Timestamp, i64, &[String])> = BTreeMap::new();
    let mut total: Option<(Timestamp, i64)> = None;
    // The payment itself says that it was paid.
    let mut given_up = (paid_at, false);
    for Reversal { at, kind } in words {
        match kind {
            ReversalKind::Refund { id, amount, stage } => {
                let word = (*at, *stage, amount.minor());
                let known = refunds.entry(id).or_insert(word);
                *known = (*known).max(word);
            }
            ReversalKind::Dispute { id, amount, stage } => {
                let minor = if amount.currency() == currency { amount.minor() } else { paid };
                let word = (*at, *stage, minor);
                let known = disputes.entry(id).or_insert(word);
                *known = (*known).max(word);
            }
            ReversalKind::CreditNote { id, amount, refunds, voided } => {
                let word = (*voided, *at, amount.minor(), refunds.as_slice());
                let known = notes.entry(id).or_insert(word);
                *known = (*known).max(word);
            }
            ReversalKind::RefundedTotal { amount } => total = total.max(Some((*at, amount.minor()))),
            ReversalKind::Invoice { undone } => given_up = given_up.max((*at, *undone)),
        }
    }
    if given_up.1 {
        return paid;
    }
    let noted = notes.values().filter(|note| !note.0).map(|(_, _, minor, ids)| {
        let told: i64 = ids.iter().filter_map(|id| refunds.get(id.as_str())).map(|refund| refund.2).sum();
        (minor - told).max(0)
    });
    let refunded: i64 = match total {
        Some((_, minor)) if refunds.is_empty() => minor,
        _ => refunds.values().filter(|refund| refund.1 != RefundStage::Failed).map(|refund| refund.2).sum(),
    };
    let taken = |stage| matches!(stage, DisputeStage::Withdrawn | DisputeStage::Lost);
    let disputed: i64 = disputes.values().filter(|dispute| taken(dispute.1)).map(|dispute| dispute.2).sum();
    (refunded + disputed + noted.sum::<i64>()).min(paid)
}
