//! The audit after a run, by the operators' API.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::{load::Load, server::Server};

/// The reward of a referee's first payment, in cents.
const REWARD: u64 = 1000;

/// Checks that each payment has one commission of $10 in exports, totals and wallets, and that no message failed.
pub(crate) async fn money(_server: &Server, load: &Load) -> anyhow::Result<()> {
    let payments = load.referees.len();
    let expected = u64::try_from(payments)? * REWARD;
    let queues = load.queues().await?;
    for (name, depth) in queues.as_object().context("no queues")? {
        ensure!(depth["dead"] == 0, "{name}: {} dead letters", depth["dead"]);
        ensure!(depth["live"] == 0, "{name}: {} messages left", depth["live"]);
    }
    let (commissions, referees, booked) = exported(load).await?;
    ensure!(commissions == payments, "{commissions} commissions for {payments} payments");
    ensure!(referees == load.referees, "some referees' commissions are missing");
    ensure!(booked == expected, "commissions of {booked} cents instead of {expected}");
    let stats = load.admin("stats").await?;
    let issued = cents(&stats["total_credits_issued"])?;
    ensure!(issued == expected, "the totals say {issued} cents were issued instead of {expected}");
    ensure!(stats["converted_referrals"] == payments, "the totals say {}", stats["converted_referrals"]);
    let mut in_wallets = 0;
    for referrer in &load.referrers {
        let user = load.admin(&format!("user/{referrer}")).await?;
        in_wallets += cents(&user["credit_balance"])? + cents(&user["held"])?;
        ensure!(cents(&user["owed"])? == 0, "a referrer owes something");
    }
    ensure!(in_wallets == expected, "{in_wallets} cents in the wallets instead of {expected}");
    Ok(())
}

/// The number of commissions that are held or released, their referees, and their sum.
async fn exported(load: &Load) -> anyhow::Result<(usize, BTreeSet<u64>, u64)> {
    let (mut count, mut referees, mut sum) = (0, BTreeSet::new(), 0);
    let mut path = "export?limit=200".to_owned();
    loop {
        let page = load.admin(&path).await?;
        for item in page["items"].as_array().context("no items")? {
            let state = item["state"].as_str().unwrap_or_default();
            ensure!(state == "held" || state == "released", "a commission is {state}");
            count += 1;
            sum += cents(&item["amount"])?;
            referees.insert(item["referred_user_id"].as_str().unwrap_or_default().parse()?);
        }
        let Some(cursor) = page["next_cursor"].as_str() else { return Ok((count, referees, sum)) };
        path = format!("export?limit=200&cursor={cursor}");
    }
}

/// Converts `"10.00"` or `10.00` to cents, without a float's rounding.
fn cents(amount: &Value) -> anyhow::Result<u64> {
    let text = amount.as_str().map_or_else(|| amount.to_string(), str::to_owned);
    let (whole, part) = text.split_once('.').unwrap_or((text.as_str(), "0"));
    let part = format!("{part:0<2}");
    ensure!(part.len() == 2, "{text} is no amount of cents");
    Ok(whole.parse::<u64>()? * 100 + part.parse::<u64>()?)
}
