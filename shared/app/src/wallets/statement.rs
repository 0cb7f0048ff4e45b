//! Statements: the balance of a wallet at any time.

use guerdon_domain::{
    ids::MemberId,
    money::Currency,
    time::Timestamp,
    wallets::{Buckets, Entry, Wallet, WalletKind},
};
use guerdon_store::table::metered;

use crate::{context::App, error::AppError};

/// A wallet at a point in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalanceAt {
    /// The time.
    pub at: Timestamp,
    /// The balances of the wallet.
    pub buckets: Buckets,
    /// The last entry up to that time; none before the first entry.
    pub entry: Option<Entry>,
}

/// Returns the balance of a wallet at `at`, which is the balance after its last entry up to the end of that second. The entries
/// are numbered without gaps and ordered by time, so a binary search needs few reads for any length of the
/// statement.
///
/// # Errors
/// [`AppError::Corrupt`] when an entry is missing.
pub async fn balance_at(
    app: &App,
    member: &MemberId,
    kind: WalletKind,
    at: Timestamp,
) -> Result<BalanceAt, AppError> {
    metered("balance_at", async {
        let wallet = app.store.wallets().find(member, kind, app.preset.currency).await?;
        // Entries up to `first` are not later than the second of `at`; entries from `last` on are later.
        let (mut first, mut last) = (0, wallet.seq + 1);
        let mut found = None;
        while first + 1 < last {
            let middle = first + (last - first) / 2;
            let entry = numbered(app, &wallet, middle).await?;
            // Texts show whole seconds, so a second includes everything that happened in it.
            if entry.at.seconds() <= at.seconds() {
                first = middle;
                found = Some(entry);
            } else {
                last = middle;
            }
        }
        let buckets = found.as_ref().map_or(Buckets::default(), |entry| entry.after);
        Ok(BalanceAt { at, buckets, entry: found })
    })
    .await
}

/// Returns the current wallet, which is empty if it has no entries.
pub async fn wallet_of(
    app: &App,
    member: &MemberId,
    kind: WalletKind,
    currency: Currency,
) -> Result<Wallet, AppError> {
    Ok(app.store.wallets().find(member, kind, currency).await?)
}

/// Returns the entries of a wallet, newest first, before the entry with this number.
pub async fn entries_of(
    app: &App,
    wallet: (&MemberId, WalletKind, Currency),
    before: Option<u64>,
    limit: i32,
) -> Result<Vec<Entry>, AppError> {
    Ok(app.store.wallets().entries(wallet, before, limit).await?)
}

async fn numbered(app: &App, wallet: &Wallet, seq: u64) -> Result<Entry, AppError> {
    let entry = app.store.wallets().entry(wallet, seq).await?;
    entry.ok_or_else(|| AppError::Corrupt(format!("entry {seq} of a statement is missing").into()))
}
