//! The audit after a run, read from the table.

use anyhow::ensure;
use guerdon_domain::{
    commissions::CommissionState,
    ids::MemberId,
    money::Currency,
    wallets::{WalletKind, verify_statement},
};
use guerdon_store::commissions::CommissionCursor;

use super::Business;
use crate::people::REWARD;

/// Checks that each payment has one released commission, and that each cent of the wallets has its entry.
pub(super) async fn money(business: &Business) -> anyhow::Result<()> {
    let store = business.app.store();
    for (facts, referrer) in &business.payments {
        let record = store.payments().find(&facts.key).await?;
        let earned = record.is_some_and(|record| record.grants().any(|(_, whose, _)| whose == referrer));
        ensure!(earned, "{} has earned its referrer nothing", facts.key);
    }
    let (mut commissions, mut cents) = (0, 0);
    for referrer in &business.referrers {
        let released = released(business, referrer).await?;
        let wallet = store.wallets().find(referrer, WalletKind::BillCredit, Currency::USD).await?;
        let statement = store.wallets().statement(referrer, WalletKind::BillCredit, Currency::USD).await?;
        verify_statement(&wallet, &statement)?;
        let sum = wallet.buckets.available;
        ensure!(sum == released * REWARD, "{released} commissions and {sum} cents in a wallet");
        ensure!(wallet.buckets.held == 0 && wallet.buckets.owed == 0, "{:?}", wallet.buckets);
        commissions += released;
        cents += sum;
    }
    let payments = i64::try_from(business.payments.len())?;
    ensure!(commissions == payments, "{commissions} commissions for {payments} payments");
    ensure!(cents == payments * REWARD, "{cents} cents for {payments} payments");
    Ok(())
}

/// Counts the commissions of `referrer`; all of them must be released.
async fn released(business: &Business, referrer: &MemberId) -> anyhow::Result<i64> {
    let (mut count, mut last): (_, Option<CommissionCursor>) = (0, None);
    loop {
        let page = business.app.store().commissions().list(referrer, last.as_ref(), 100).await?;
        for commission in &page {
            let state = &commission.state;
            ensure!(matches!(state, CommissionState::Released { .. }), "{} is {state:?}", commission.id);
            ensure!(commission.amount.minor() == REWARD, "{} is {}", commission.id, commission.amount);
            count += 1;
        }
        match page.last() {
            Some(commission) => last = Some(CommissionCursor::of(commission)),
            None => return Ok(count),
        }
    }
}
