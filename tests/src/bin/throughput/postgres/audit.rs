//! The audit after PostgreSQL's run: in SQL, and for the statements by Guerdon's own verifier.

use anyhow::{Context, ensure};
use guerdon_domain::{
    ids::MemberId,
    money::Currency,
    time::Timestamp,
    wallets::{Buckets, Deltas, Entry, EntryKind, House, Wallet, WalletKind, verify_statement},
};
use tokio_postgres::{Client, Row, types::FromSqlOwned};

use crate::people::REWARD;

const AUDIT: &str = include_str!("audit.sql");
const WALLETS: &str = "SELECT member, available, held, owed, seq, encode(head, 'hex') AS head FROM wallets";
const STATEMENTS: &str =
    "SELECT member, seq, at, commissions, digest, delta_available, delta_held, delta_owed,
    house_amount, available, held, owed, encode(prev_hash, 'hex') AS prev_hash, encode(hash, 'hex') AS hash
    FROM entries ORDER BY member, seq";

/// Checks that each payment has one commission, and that each cent of the wallets has its entry.
pub(crate) async fn money(client: &Client, payments: u64) -> anyhow::Result<()> {
    let payments = i64::try_from(payments)?;
    for line in client.query(AUDIT, &[&payments, &REWARD]).await? {
        let (what, found, expected): (String, Option<i64>, i64) =
            (get(&line, "what")?, get(&line, "found")?, get(&line, "expected")?);
        ensure!(found == Some(expected), "{what}: {found:?} instead of {expected}");
    }
    let entries = client.query(STATEMENTS, &[]).await?;
    let entries = entries.iter().map(entry).collect::<anyhow::Result<Vec<_>>>()?;
    for row in client.query(WALLETS, &[]).await? {
        let wallet = wallet(&row)?;
        let first = entries.partition_point(|entry| entry.member < wallet.member);
        let statement = &entries[first..];
        let length = statement.partition_point(|entry| entry.member == wallet.member);
        verify_statement(&wallet, &statement[..length])
            .with_context(|| format!("the statement of {}", wallet.member))?;
    }
    Ok(())
}

fn get<T: FromSqlOwned>(row: &Row, column: &str) -> anyhow::Result<T> {
    row.try_get(column).with_context(|| format!("column {column}"))
}

fn wallet(row: &Row) -> anyhow::Result<Wallet> {
    let member = MemberId::parse(get::<String>(row, "member")?)?;
    let empty = Wallet::empty(member, WalletKind::BillCredit, Currency::USD);
    Ok(Wallet {
        buckets: buckets(row)?,
        seq: u64::try_from(get::<i64>(row, "seq")?)?,
        head: get(row, "head")?,
        ..empty
    })
}

fn buckets(row: &Row) -> anyhow::Result<Buckets> {
    Ok(Buckets { available: get(row, "available")?, held: get(row, "held")?, owed: get(row, "owed")? })
}

fn entry(row: &Row) -> anyhow::Result<Entry> {
    let commissions = u32::try_from(get::<i32>(row, "commissions")?)?;
    Ok(Entry {
        member: MemberId::parse(get::<String>(row, "member")?)?,
        wallet: WalletKind::BillCredit,
        currency: Currency::USD,
        seq: u64::try_from(get::<i64>(row, "seq")?)?,
        at: Timestamp::from_millis(get(row, "at")?),
        kind: EntryKind::CommissionsReleased { commissions, digest: get(row, "digest")? },
        delta: Deltas {
            available: get(row, "delta_available")?,
            held: get(row, "delta_held")?,
            owed: get(row, "delta_owed")?,
        },
        house: Some((House::CommissionExpense, get(row, "house_amount")?)),
        after: buckets(row)?,
        prev_hash: get(row, "prev_hash")?,
        hash: get(row, "hash")?,
        correlation_id: None,
    })
}
