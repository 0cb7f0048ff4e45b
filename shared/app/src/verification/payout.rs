//! Verification of withdrawals against the entries that hold, return and pay them.

use guerdon_domain::{
    wallets::{Entry, EntryKind, Wallet, WalletKind},
    withdrawals::{Withdrawal, WithdrawalState},
};
use guerdon_store::{table::withdrawal_id, verification::Scanned};

use super::{
    difference::Problems,
    wallet::{Lines, Place},
};
use crate::context::App;

/// Checks each withdrawal of a wallet against its entries, and each such entry against its withdrawal.
pub(super) fn withdrawal_problems(
    app: &App,
    wallet: Option<&Wallet>,
    lines: &Lines<'_>,
    own: &Scanned,
    place: Place,
    problems: &mut Problems,
) {
    for (id, entries) in &lines.withdrawals {
        let known = own.withdrawals.iter().any(|withdrawal| withdrawal.id == **id);
        let seq = entries.first().map_or(0, |entry| entry.seq);
        problems.check(known, || format!("the withdrawal of entry {seq} does not exist"));
    }
    let mut asked = 0_i128;
    for withdrawal in own.withdrawals.iter().filter(|w| (w.wallet, w.amount.currency()) == place) {
        let entries = lines.withdrawals.get(&withdrawal.id).map(Vec::as_slice).unwrap_or_default();
        one(app, withdrawal, entries, problems);
        if !withdrawal.state().is_final() {
            asked += i128::from(withdrawal.amount.minor());
        }
    }
    let Some(wallet) = wallet.filter(|wallet| wallet.kind != WalletKind::BillCredit) else { return };
    let open = wallet.open_withdrawal.as_ref();
    let open = open.map(|id| own.withdrawals.iter().find(|withdrawal| withdrawal.id == *id));
    match open {
        Some(None) => problems.add("its open withdrawal does not exist"),
        Some(Some(open)) if open.state().is_final() => {
            problems.add(format!("its open withdrawal is {}", open.state().as_str()));
        }
        Some(Some(_)) | None => {}
    }
    let held = wallet.buckets.held;
    problems.check(i128::from(held) == asked, || format!("{held} is held and {asked} was asked for"));
}

/// Checks one withdrawal against its entries: one that holds the money, and one that ends it when it has ended.
fn one(app: &App, withdrawal: &Withdrawal, entries: &[&Entry], problems: &mut Problems) {
    let (seq, amount) = (withdrawal.seq, withdrawal.amount.minor());
    let name = format!("the withdrawal of entry {seq}");
    let own_id = withdrawal_id(&withdrawal.member, seq).is_ok_and(|id| id == withdrawal.id);
    problems.check(own_id, || format!("{name} has the id of another"));
    let of = |wanted: fn(&EntryKind) -> bool| entries.iter().find(|entry| wanted(&entry.kind));
    match of(|kind| matches!(kind, EntryKind::WithdrawalRequested { .. })) {
        None => problems.add(format!("{name} holds nothing of the wallet")),
        Some(entry) => {
            problems.check(entry.seq == seq, || format!("{name} was requested by entry {}", entry.seq));
            let held = entry.delta.held;
            problems.check(held == amount, || format!("{name} is of {amount}, {held} was held for it"));
            problems
                .check(withdrawal.requested_at <= entry.at, || format!("{name} is younger than its entry"));
        }
    }
    let paid = of(|kind| matches!(kind, EntryKind::WithdrawalPaid { .. }));
    let returned = of(|kind| matches!(kind, EntryKind::WithdrawalReturned { .. }));
    let left = |entry: Option<&&Entry>| entry.map(|entry| entry.delta.held);
    let (is_paid, is_returned) = match withdrawal.state() {
        WithdrawalState::Paid => (true, false),
        WithdrawalState::Rejected | WithdrawalState::Failed => (false, true),
        WithdrawalState::Requested | WithdrawalState::Approved | WithdrawalState::Paying => (false, false),
    };
    let state = withdrawal.state().as_str();
    for (what, entry, should) in [("paid", left(paid), is_paid), ("returned", left(returned), is_returned)] {
        match entry {
            None => {
                problems.check(!should, || format!("{name} is {state}, and no entry says that it was {what}"))
            }
            Some(held) => {
                problems.check(should, || format!("{name} is {state}, and an entry says that it was {what}"));
                problems.check(held.checked_neg() == Some(amount), || {
                    format!("{name} is of {amount}, {held} was booked when it was {what}")
                });
            }
        }
    }
    destination(app, withdrawal, &name, problems);
}

/// Checks that the destination is the one that was asked for: it is sealed for this withdrawal.
fn destination(app: &App, withdrawal: &Withdrawal, name: &str, problems: &mut Problems) {
    let sealed = &withdrawal.destination;
    let opened = sealed.open(&app.pseudonyms, &withdrawal.id).ok();
    let shown = |destination: &guerdon_domain::withdrawals::Destination| {
        (destination.fingerprint(&app.pseudonyms), destination.masked())
    };
    let same = opened.as_ref().map(shown) == Some((sealed.fingerprint.clone(), sealed.masked.clone()));
    problems.check(same, || format!("{name} has a destination that was not sealed for it"));
}
