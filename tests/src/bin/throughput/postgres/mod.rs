//! Double-entry bookkeeping like ours in PostgreSQL: one SQL function, which locks the wallet's row.

mod audit;
mod cluster;

use std::sync::Arc;

use anyhow::{Context, ensure};
use guerdon_domain::payments::PaymentFacts;
use tokio_postgres::{Client, Statement};

use crate::{
    Plan,
    compare::{Measured, System, hot_or_random, middle},
    cpu, people,
    report::{micros_since, now},
};
pub(crate) use cluster::{Cluster, programs};

const SCHEMA: &str = include_str!("schema.sql");
const FUNCTION: &str = include_str!("record_payment.sql");

/// PostgreSQL reuses a function's plans only after it has made them five times.
const WARM_UP: usize = 6;

/// A connection with its prepared statement.
struct Teller {
    client: Client,
    record: Statement,
}

/// Measures payments with each commit on disk, which is the default, and without waiting for the disk.
pub(crate) async fn run(plan: &Plan, cluster: &Cluster) -> anyhow::Result<Vec<System>> {
    let mut systems = Vec::new();
    for synced in [true, false] {
        let name = if synced { "PostgreSQL, one function" } else { "PostgreSQL, commits not awaited" };
        let random = rounds(plan, cluster, plan.referrers, synced).await?;
        let hot = rounds(plan, cluster, 1, synced).await?;
        let disk = if synced { "synced" } else { "written, not synced" };
        systems.push(System { name, disk, random, hot });
    }
    Ok(systems)
}

async fn rounds(plan: &Plan, cluster: &Cluster, referrers: u64, synced: bool) -> anyhow::Result<Measured> {
    let what = format!("PostgreSQL, {}", hot_or_random(referrers));
    let mut measured = Vec::new();
    for _ in 0..plan.rounds {
        measured.push(round(plan, cluster, referrers, synced).await.with_context(|| what.clone())?);
    }
    eprintln!("{what}: the money adds up");
    middle(measured)
}

/// One run on empty tables.
async fn round(plan: &Plan, cluster: &Cluster, referrers: u64, synced: bool) -> anyhow::Result<Measured> {
    let owner = cluster.connect().await?;
    let payments = prepare(plan, &owner, referrers).await?;
    let mut tellers = Vec::new();
    for _ in 0..plan.concurrency {
        tellers.push(Arc::new(Teller::hire(cluster, synced, &payments).await?));
    }
    // The rows of the warm-up are deleted, and their space is freed.
    owner.batch_execute("VACUUM ANALYZE").await?;
    let (server_before, client_before) = (cluster.cpu_micros()?, cpu::of_this()?);
    let start = now();
    let work = |teller: Arc<Teller>, facts: PaymentFacts| async move {
        let outcome = teller.record(&facts).await?;
        ensure!(outcome == "granted", "{}: {outcome}", facts.key);
        Ok(())
    };
    people::share(tellers.clone(), payments.clone(), work).await?;
    let measured = Measured {
        payments: plan.payments,
        micros: micros_since(start),
        server_cpu_micros: cluster.cpu_micros()? - server_before,
        client_cpu_micros: cpu::of_this()? - client_before,
    };
    let teller = tellers.first().context("no connection")?;
    for facts in payments.iter().take(10) {
        let again = teller.record(facts).await?;
        ensure!(again == "already_applied", "{} again: {again}", facts.key);
    }
    audit::money(&owner, plan.payments).await.context("THE MONEY DOES NOT ADD UP")?;
    Ok(measured)
}

/// Prepares tables in which all members have joined and none has paid; returns the payments to make.
async fn prepare(plan: &Plan, owner: &Client, referrers: u64) -> anyhow::Result<Vec<PaymentFacts>> {
    let key = people::pseudonym_key()?;
    let member = |user| people::member(&key, user);
    let referrers =
        people::referrers(referrers).into_iter().map(member).collect::<anyhow::Result<Vec<_>>>()?;
    owner.batch_execute(SCHEMA).await?;
    owner.batch_execute(FUNCTION).await?;
    let joined_at = people::time().millis() - 1000;
    let names: Vec<&str> = referrers.iter().map(|id| id.as_str()).collect();
    let wallets =
        "INSERT INTO wallets (member, kind, currency) SELECT unnest($1::text[]), 'bill_credit', 'USD'";
    owner.execute(wallets, &[&names]).await?;
    let (mut payments, mut payers, mut brought_by) = (Vec::new(), Vec::new(), Vec::new());
    for referee in people::referees(plan.payments) {
        let payer = member(referee)?;
        brought_by.push(names[people::pick(referee, names.len())]);
        payers.push(payer.as_str().to_owned());
        payments.push(people::payment(referee, payer)?);
    }
    let referrals = "INSERT INTO referrals (referee, referrer, joined_at, expires_at)
        SELECT payer, brought_by, $3, $3 + 365 * 86400000::bigint FROM unnest($1::text[], $2::text[]) AS j (payer, brought_by)";
    owner.execute(referrals, &[&payers, &brought_by, &joined_at]).await?;
    Ok(payments)
}

impl Teller {
    /// Connects, prepares, and runs payments that are rolled back, until their plans are cached.
    async fn hire(cluster: &Cluster, synced: bool, payments: &[PaymentFacts]) -> anyhow::Result<Self> {
        let client = cluster.connect().await?;
        if !synced {
            client.batch_execute("SET synchronous_commit = off").await?;
        }
        let record = client.prepare("SELECT record_payment($1, $2, $3, $4, $5, $6, $7, $8)").await?;
        let teller = Self { client, record };
        teller.client.batch_execute("BEGIN").await?;
        for facts in payments.iter().take(WARM_UP) {
            teller.record(facts).await?;
        }
        teller.client.batch_execute("ROLLBACK").await?;
        Ok(teller)
    }

    /// Makes one payment in one round trip and one transaction.
    async fn record(&self, facts: &PaymentFacts) -> anyhow::Result<String> {
        let (payment, member) = (facts.key.to_string(), facts.member.as_str());
        let (paid, tax, tier) = (facts.paid.minor(), facts.tax.minor(), facts.tier.minor());
        let (paid_at, known_at, now) =
            (facts.paid_at.millis(), facts.known_at.millis(), people::time().millis());
        let row = self
            .client
            .query_one(&self.record, &[&payment, &member, &paid, &tax, &tier, &paid_at, &known_at, &now])
            .await?;
        Ok(row.try_get(0)?)
    }
}
