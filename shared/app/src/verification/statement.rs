//! Recomputation of a wallet from its statement.

use std::collections::BTreeMap;

use guerdon_domain::{
    ids::WithdrawalId,
    time::Timestamp,
    wallets::{Buckets, Entry, EntryKind, House, Wallet},
    withdrawals::Withdrawal,
};

use super::difference::{Problems, short};

/// Compares a wallet with its statement, and each line with the one before. Unlike
/// [`verify_statement`](guerdon_domain::wallets::verify_statement), it goes on behind what it finds.
pub(super) fn statement_problems(
    wallet: &Wallet,
    entries: &[Entry],
    withdrawals: &BTreeMap<&WithdrawalId, &Withdrawal>,
    problems: &mut Problems,
) {
    let (mut sum, mut head, mut seq) = (Buckets::default(), String::new(), 0_u64);
    for entry in entries {
        let (expected, found) = (seq.saturating_add(1), entry.seq);
        problems.check(found == expected, || format!("entry {found} stands where {expected} should"));
        let computed = entry.compute_hash();
        let sound = entry.prev_hash == head && entry.hash == computed && entry.operation().is_ok();
        problems.check(sound, || {
            let [stored, computed, after] = [&entry.hash, &computed, &head].map(|hash| short(hash));
            format!(
                "entry {found} does not match its hash: {stored} is stored, {computed} follows, after {after}"
            )
        });
        let gives = moved(sum, &[(entry.delta.available, entry.delta.held, entry.delta.owed)]);
        let off = apart(entry.after, gives);
        problems.check(off.is_none(), || {
            let off = off.as_deref().unwrap_or_default();
            format!("entry {found} shows a balance that its changes do not give: {off}")
        });
        (sum, head, seq) = (entry.after, entry.hash.clone(), found);
    }
    let off = apart(wallet.buckets, wide(sum));
    problems.check(off.is_none(), || {
        format!("the wallet does not match its last entry: {}", off.as_deref().unwrap_or_default())
    });
    let more = i128::from(wallet.seq) - i128::from(seq);
    problems
        .check(more == 0, || format!("the wallet does not match its last entry: it counts {more:+} entries"));
    problems.check(wallet.head == head, || {
        let [stored, last] = [&wallet.head, &head].map(|hash| short(hash));
        format!("the wallet does not match its last entry: its head is {stored}, not {last}")
    });
    let last = entries.last().map(|entry| entry.at);
    problems.check(wallet.moved_at.is_none_or(|at| Some(at) == last), || {
        format!("the wallet does not match its last entry: it moved at {:?}, not {last:?}", wallet.moved_at)
    });
    derived(wallet, entries, withdrawals, problems);
}

/// Compares what a wallet repeats of its entries beside the balance.
fn derived(
    wallet: &Wallet,
    entries: &[Entry],
    withdrawals: &BTreeMap<&WithdrawalId, &Withdrawal>,
    problems: &mut Problems,
) {
    let by_invoices = |entry: &&Entry| matches!(entry.house, Some((House::InvoiceRevenue, _)));
    let used = entries.iter().filter(by_invoices).filter_map(|entry| entry.house);
    let used: i128 = used.map(|(_, minor)| i128::from(minor)).sum();
    let more = i128::from(wallet.applied) - used;
    problems.check(more == 0, || format!("the wallet says that invoices used {more:+} more than they did"));
    let (mut open, mut asked) = (None, None::<Timestamp>);
    for entry in entries {
        match &entry.kind {
            EntryKind::WithdrawalRequested { withdrawal } => {
                open = Some(withdrawal);
                asked = withdrawals.get(withdrawal).map(|known| known.requested_at);
            }
            EntryKind::WithdrawalReturned { .. } => (open, asked) = (None, None),
            EntryKind::WithdrawalPaid { .. } => open = None,
            _ => {}
        }
    }
    problems.check(wallet.open_withdrawal.as_ref() == open, || match (&wallet.open_withdrawal, open) {
        (None, _) => "its open withdrawal is not named".to_owned(),
        (Some(_), _) => "it names an open withdrawal that its entries do not have".to_owned(),
    });
    problems.check(wallet.withdrew_at == asked, || {
        format!("the latest request is of {asked:?}, the wallet says {:?}", wallet.withdrew_at)
    });
}

/// Available, held and owed, wide enough for sums of any stored numbers.
type Wide = [i128; 3];

fn wide(buckets: Buckets) -> Wide {
    [buckets.available, buckets.held, buckets.owed].map(i128::from)
}

fn moved(from: Buckets, deltas: &[(i64, i64, i64)]) -> Wide {
    deltas.iter().fold(wide(from), |[available, held, owed], (a, h, o)| {
        [available + i128::from(*a), held + i128::from(*h), owed + i128::from(*o)]
    })
}

/// Says how far buckets are from what they should be; nothing when they are the same. Movements that follow do not
/// change the text.
fn apart(is: Buckets, should: Wide) -> Option<String> {
    let [available, held, owed] = wide(is);
    let [a, h, o] = [available - should[0], held - should[1], owed - should[2]];
    ([a, h, o] != [0; 3]).then(|| format!("available {a:+}, held {h:+}, owed {o:+}"))
}
