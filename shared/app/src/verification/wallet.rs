//! Verification of one member's ledger: wallets and entries, and everything that moved them, in both directions.

use std::collections::{BTreeMap, BTreeSet};

use guerdon_domain::{
    commissions::{Commission, CommissionState},
    ids::{InvoiceId, MemberId, PostingId, WithdrawalId},
    money::{Currency, Money},
    wallets::{Adjustment, Entry, EntryKind, Wallet, WalletKind},
};
use guerdon_store::verification::{Scanned, Verification};

use super::{
    credit::{adjustment_problems, invoice_problems, posting_problems},
    difference::{Difference, Problem, Problems},
    limits::limit_problems,
    payout::withdrawal_problems,
    statement::statement_problems,
};
use crate::{commissions::digest, context::App, error::AppError};

/// A wallet's place: its owner's part of the key.
pub(super) type Place = (WalletKind, Currency);

/// The wallet that `commission` is released into.
pub(super) fn target(commission: &Commission) -> Place {
    (commission.snapshot.rule.target, commission.amount.currency())
}

/// True when the commission must have an entry in its wallet.
pub(super) const fn is_released(commission: &Commission) -> bool {
    matches!(commission.state, CommissionState::Released { .. })
}

/// Recomputes everything of one member's ledger.
pub(super) async fn member_differences(
    (app, reads): (&App, Verification<'_>),
    member: &MemberId,
) -> Result<Vec<Difference>, AppError> {
    // The wallets come first: what the commissions say later is compared with entries that may be older.
    let (own, commissions) = (reads.of_member(member).await?, reads.commissions(member).await?);
    let tag = app.tag(member);
    let mut found = Vec::new();
    for place in places(&own, &commissions) {
        let (kind, currency) = place;
        let subject = format!("wallet {} {currency} of {tag}", kind.as_str());
        found.extend(wallet_problems(app, &own, &commissions, place).of(&subject));
    }
    found.extend(limit_problems(&own.limits, &commissions).of(&format!("limits of {tag}")));
    Ok(found)
}

/// Every wallet that the member has, or must have.
fn places(own: &Scanned, commissions: &[Commission]) -> BTreeSet<Place> {
    let wallets = own.wallets.iter().map(|wallet| (wallet.kind, wallet.currency));
    wallets.chain(needed(own, commissions).map(|(_, place)| place)).collect()
}

/// The wallets that must exist for these items and commissions, each with its owner.
fn needed<'a>(of: &'a Scanned, commissions: &'a [Commission]) -> impl Iterator<Item = (&'a MemberId, Place)> {
    let credit = |money: Money| (WalletKind::BillCredit, money.currency());
    let entries = of.entries.iter().map(|entry| (&entry.member, (entry.wallet, entry.currency)));
    let used = of.invoice_credits.iter().filter(|credit| credit.taken.is_positive());
    let released = commissions.iter().filter(|commission| is_released(commission));
    entries
        .chain(of.withdrawals.iter().map(|known| (&known.member, (known.wallet, known.amount.currency()))))
        .chain(of.postings.iter().map(move |known| (&known.member, credit(known.amount))))
        .chain(used.map(move |known| (&known.member, credit(known.taken))))
        .chain(of.adjustments.iter().map(move |known| (&known.member, credit(known.amount))))
        .chain(released.map(|commission| (&commission.beneficiary, target(commission))))
}

/// The entries of one wallet, by what they name.
pub(super) struct Lines<'a> {
    pub(super) entries: Vec<&'a Entry>,
    pub(super) postings: BTreeMap<&'a PostingId, Vec<&'a Entry>>,
    pub(super) invoices: BTreeMap<&'a InvoiceId, Vec<&'a Entry>>,
    pub(super) withdrawals: BTreeMap<&'a WithdrawalId, Vec<&'a Entry>>,
    pub(super) adjustments: BTreeMap<&'a str, Vec<&'a Entry>>,
}

impl<'a> Lines<'a> {
    fn of(entries: Vec<&'a Entry>) -> Self {
        let mut lines = Self {
            entries,
            postings: BTreeMap::new(),
            invoices: BTreeMap::new(),
            withdrawals: BTreeMap::new(),
            adjustments: BTreeMap::new(),
        };
        for entry in lines.entries.clone() {
            match &entry.kind {
                EntryKind::CreditPosted { posting } | EntryKind::CreditUnposted { posting } => {
                    lines.postings.entry(posting).or_default().push(entry);
                }
                EntryKind::CreditApplied { invoice } | EntryKind::CreditReturned { invoice } => {
                    lines.invoices.entry(invoice).or_default().push(entry);
                }
                EntryKind::WithdrawalRequested { withdrawal }
                | EntryKind::WithdrawalReturned { withdrawal }
                | EntryKind::WithdrawalPaid { withdrawal } => {
                    lines.withdrawals.entry(withdrawal).or_default().push(entry);
                }
                EntryKind::Adjusted { adjustment } => {
                    lines.adjustments.entry(adjustment.as_str()).or_default().push(entry);
                }
                EntryKind::CommissionsReleased { .. }
                | EntryKind::CreditRecalled { .. }
                | EntryKind::ClawedBack { .. }
                | EntryKind::Reinstated { .. } => {}
            }
        }
        lines
    }
}

fn wallet_problems(app: &App, own: &Scanned, commissions: &[Commission], place: Place) -> Problems {
    let mut problems = Problems::default();
    let entries: Vec<_> = own.entries.iter().filter(|e| (e.wallet, e.currency) == place).cloned().collect();
    let withdrawals: BTreeMap<_, _> = own.withdrawals.iter().map(|known| (&known.id, known)).collect();
    let wallet = own.wallets.iter().find(|wallet| (wallet.kind, wallet.currency) == place);
    match wallet {
        Some(wallet) => statement_problems(wallet, &entries, &withdrawals, &mut problems),
        None => problems.add("it is gone, and entries or what moved it are left"),
    }
    let lines = Lines::of(entries.iter().collect());
    let commissions: Vec<_> = commissions.iter().filter(|commission| target(commission) == place).collect();
    release_problems(&entries, &commissions, &mut problems);
    withdrawal_problems(app, wallet, &lines, own, place, &mut problems);
    if place.0 == WalletKind::BillCredit {
        let adjustments: Vec<&Adjustment> = of_currency(&own.adjustments, place.1, |known| known.amount);
        adjustment_problems(&lines, &adjustments, &mut problems);
        let postings = of_currency(&own.postings, place.1, |known| known.amount);
        posting_problems(&lines, &postings, own.customers.first(), &mut problems);
        let invoices = of_currency(&own.invoice_credits, place.1, |known| known.taken);
        invoice_problems(&lines, &invoices, own.customers.first(), &mut problems);
    }
    problems
}

fn of_currency<T>(all: &[T], currency: Currency, amount: fn(&T) -> Money) -> Vec<&T> {
    all.iter().filter(|one| amount(one).currency() == currency).collect()
}

/// Checks that each release names its commissions, and that the total credited for commissions equals their
/// entitlements.
fn release_problems(entries: &[Entry], commissions: &[&Commission], problems: &mut Problems) {
    let mut released: BTreeMap<u64, Vec<&Commission>> = BTreeMap::new();
    let mut entitled = 0_i128;
    for commission in commissions {
        if let CommissionState::Released { entry_seq, .. } = commission.state {
            released.entry(entry_seq).or_default().push(commission);
            entitled += i128::from(commission.entitlement().minor());
        }
    }
    let mut credited = 0_i128;
    let mut before = None;
    for entry in entries {
        let house = i128::from(entry.house.map_or(0, |(_, minor)| minor));
        match &entry.kind {
            EntryKind::CommissionsReleased { digest: expected, commissions } => {
                let named = released.remove(&entry.seq).unwrap_or_default();
                let known = digest(named.iter().map(|c| &c.id).collect()) == *expected;
                problems
                    .check(known, || format!("entry {} released other commissions than name it", entry.seq));
                let number = named.len();
                problems.check(!known || *commissions as usize == number, || {
                    format!("entry {} says {commissions} commissions, {number} name it", entry.seq)
                });
                let dated = |c: &&Commission| matches!(c.state, CommissionState::Released { at, .. } if Some(at).max(before) == Some(entry.at));
                problems.check(named.iter().all(dated), || {
                    format!("entry {} is of another time than the commissions that it released", entry.seq)
                });
                credited -= house;
            }
            EntryKind::ClawedBack { .. } | EntryKind::Reinstated { .. } => credited -= house,
            _ => {}
        }
        before = Some(entry.at);
    }
    for seq in released.keys() {
        problems.add(format!("commissions name entry {seq}, which released nothing"));
    }
    if credited != entitled {
        problems.add(Problem::that_moves(
            format!("{credited} was credited for commissions that entitle to {entitled}"),
            format!("{:+} was credited beyond what commissions entitle to", credited - entitled),
        ));
    }
}

/// The owners of wallets that must exist and do not.
pub(super) async fn without_wallet(
    reads: Verification<'_>,
    page: &Scanned,
) -> Result<BTreeSet<MemberId>, AppError> {
    let known: BTreeSet<_> =
        page.wallets.iter().map(|wallet| (&wallet.member, (wallet.kind, wallet.currency))).collect();
    let unknown: BTreeSet<_> =
        needed(page, &page.commissions).filter(|wallet| !known.contains(wallet)).collect();
    let keys: Vec<_> =
        unknown.into_iter().map(|(member, (kind, currency))| (member.clone(), kind, currency)).collect();
    let found: Vec<Option<Wallet>> = reads.wallets(&keys).await?;
    let missing = keys.into_iter().zip(found).filter(|(_, wallet)| wallet.is_none());
    Ok(missing.map(|((member, ..), _)| member).collect())
}
