//! Statements: what a wallet held at any time.

use guerdon_domain::{
    ids::MemberId,
    money::Currency,
    time::Timestamp,
    wallets::{Buckets, Entry, Wallet, WalletKind},
};
use guerdon_store::table::metered;

use crate::{context::App, error::AppError};

/// A wallet as it stood at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalanceAt {
    /// The time.
    pub at: Timestamp,
    /// What it held.
    pub buckets: Buckets,
    /// The last entry up to then; none before the first.
    pub entry: Option<Entry>,
}

/// The balance of a wallet as of `at`: what its last entry up to then left. The entries are numbered
/// without gaps and never go back in time, so it takes a search of a few reads, however long the statement.
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
        // Entries up to `first` are not later than `at`, entries from `last` on are.
        let (mut first, mut last) = (0, wallet.seq + 1);
        let mut found = None;
        while first + 1 < last {
            let middle = first + (last - first) / 2;
            let entry = numbered(app, &wallet, middle).await?;
            if entry.at <= at {
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

/// A wallet as it stands; an empty one where nothing was ever booked.
///
/// # Errors
/// [`AppError`].
pub async fn wallet_of(
    app: &App,
    member: &MemberId,
    kind: WalletKind,
    currency: Currency,
) -> Result<Wallet, AppError> {
    Ok(app.store.wallets().find(member, kind, currency).await?)
}

/// Entries of a wallet, newest first, before the one with this number.
///
/// # Errors
/// [`AppError`].
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
    entry.ok_or_else(|| AppError::Corrupt(format!("entry {seq} of a statement is missing")))
}
