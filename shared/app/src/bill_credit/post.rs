//! Posting of bill credit to the balance of a Stripe customer: claim, call, record.

use async_trait::async_trait;
use guerdon_domain::{
    bill_credit::{BillingReport, Posting, PostingState},
    ids::{CustomerId, MemberId, PostingId},
    money::Money,
    time::Timestamp,
    wallets::{Wallet, WalletKind},
};
use guerdon_store::table::{Effect, metered, posting_id};

use super::customers::{customers_of, note_billing, recall};
use crate::{
    attempt::Attempts,
    context::App,
    error::{AppError, refusal},
};

/// The Stripe calls that posting needs.
#[async_trait]
pub trait CustomerBalance: Send + Sync {
    /// Adds `amount` of credit (above zero) to the customer's balance under a deterministic idempotency key,
    /// and returns Stripe's id of the transaction.
    async fn add_credit(
        &self,
        customer: &CustomerId,
        amount: Money,
        posting: &PostingId,
    ) -> Result<String, BalanceError>;

    /// Finds a posting that was claimed at `since`, by the metadata of its call.
    async fn find_credit(
        &self,
        customer: &CustomerId,
        posting: &PostingId,
        since: Timestamp,
    ) -> Result<Option<String>, BalanceError>;
}

/// The failure of a Stripe call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BalanceError {
    /// Stripe refused the call and will refuse it again.
    #[error("Stripe refused: {0}")]
    Refused(String),
    /// The call may or may not have taken effect. Look it up before a new call.
    #[error("Stripe's answer was lost: {0}")]
    Unknown(String),
}

/// The outcome of a posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posted {
    /// The amount that was posted to the balance of the customer.
    Done(Money),
    /// There was nothing to post.
    Nothing,
    /// The member does not pay through Stripe yet. The credit stays in the wallet.
    NoCustomer,
    /// Stripe refused. The credit is back in the wallet.
    Refused(String),
}

#[derive(Clone, Copy)]
enum Moved {
    Wallet,
    Posting,
}

/// Time for which other messages leave a claimed posting alone. It is longer than the Stripe calls of a
/// posting can take.
pub const LEASE_SECONDS: i64 = 120;

/// Posts all available bill credit of `member`.
///
/// The use case first claims the posting (wallet and posting in one transaction), then calls Stripe, then
/// records the posting. A crash between these steps leaves a claimed posting. The next call looks it up at
/// Stripe before it posts again under the same key. Credit on the balance of a customer that was deleted is given back
/// first and posted to the next one. `claimant` names the message that does the work: a retry
/// of the same message continues at once, while other messages wait for [`LEASE_SECONDS`]. Thus Stripe is
/// called once.
///
/// # Errors
/// [`AppError::Unavailable`] while Stripe's outcome is unknown or another message holds the claim: call
/// again.
pub async fn post_bill_credit(
    app: &App,
    stripe: &dyn CustomerBalance,
    id: &MemberId,
    claimant: &str,
) -> Result<Posted, AppError> {
    metered("post_bill_credit", async {
        let (mut done, mut lost) = (Money::zero(app.preset.currency), None);
        let mut attempts = Attempts::default();
        loop {
            // The wallet is read before the customers and the posting: a claim, or the loss of a customer to another
            // member, in between makes the condition of this claim fail.
            let wallet = app.store.wallets().find(id, WalletKind::BillCredit, app.preset.currency).await?;
            let customers = customers_of(app, id).await?;
            if recall(app, &customers, &wallet).await? {
                attempts.at_once()?;
                continue;
            }
            let posting = match app.store.bill_credit().latest_posting(id).await? {
                Some(open) if is_claimed_by_another(app, &open, claimant) => {
                    return Err(AppError::Unavailable("another message is posting this credit".into()));
                }
                Some(open) if open.state == PostingState::Claimed => resume(app, stripe, open).await?,
                _ => match (customers.target(), wallet.available().is_positive()) {
                    (_, false) if done.is_positive() => return Ok(Posted::Done(done)),
                    (_, false) => return Ok(Posted::Nothing),
                    (None, _) => return Ok(lost.map_or(Posted::NoCustomer, Posted::Refused)),
                    (Some(customer), true) => {
                        let Some(claimed) = claim(app, wallet, customer.clone(), claimant).await? else {
                            attempts.again(app).await?;
                            continue;
                        };
                        match carry_out(app, stripe, claimed).await? {
                            Posted::Done(amount) => return Ok(Posted::Done(done.checked_add(amount)?)),
                            other => other,
                        }
                    }
                },
            };
            match posting {
                // Nothing else posts the credit that became available in the meantime, so the loop runs again.
                Posted::Done(amount) => done = done.checked_add(amount)?,
                // Another customer may get the credit.
                Posted::Refused(code) if code == NO_SUCH_CUSTOMER => lost = Some(code),
                other => return Ok(other),
            }
            attempts.at_once()?;
        }
    })
    .await
}

/// Returns whether bill credit of `id` can be posted: some is available, or a claimed posting did not finish.
/// Without a customer at Stripe nothing can be posted.
pub async fn credit_waits(app: &App, id: &MemberId) -> Result<bool, AppError> {
    metered("credit_waits", async {
        if app.store.members().find(id).await?.and_then(|member| member.customer).is_none() {
            return Ok(false);
        }
        // The wallet is read before the posting: a claim between the two reads is visible in one of them.
        let wallet = app.store.wallets().find(id, WalletKind::BillCredit, app.preset.currency).await?;
        let claimed = |latest: Posting| latest.state == PostingState::Claimed;
        Ok(wallet.available().is_positive()
            || app.store.bill_credit().latest_posting(id).await?.is_some_and(claimed))
    })
    .await
}

/// Returns whether another message holds the claim and is probably still working on it.
fn is_claimed_by_another(app: &App, posting: &Posting, claimant: &str) -> bool {
    posting.state == PostingState::Claimed
        && posting.claimed_by != claimant
        && app.now() < posting.claimed_at.plus_seconds(LEASE_SECONDS)
}

async fn claim(
    app: &App,
    wallet: Wallet,
    customer: CustomerId,
    claimant: &str,
) -> Result<Option<Posting>, AppError> {
    let (amount, member, now) = (wallet.available(), wallet.member.clone(), app.now());
    let posting = Posting {
        id: posting_id(&member, wallet.seq + 1)?,
        member,
        customer,
        amount,
        seq: wallet.seq + 1,
        claimed_at: now,
        claimed_by: claimant.to_owned(),
        state: PostingState::Claimed,
    };
    let (wallet, entry) = wallet.claim_posting(amount, posting.id.clone(), now)?;
    let mut writes = app.store.wallets().post(&wallet, &entry, Moved::Wallet)?;
    writes.push(app.store.bill_credit().insert_posting(&posting, Moved::Posting)?);
    let refused = refusal(metered("claim_bill_credit", app.store.commit(&writes)).await)?;
    Ok(refused.is_none().then_some(posting))
}

/// Resumes a posting that was claimed and not finished. The Stripe call may have been made.
async fn resume(app: &App, stripe: &dyn CustomerBalance, posting: Posting) -> Result<Posted, AppError> {
    let found = stripe.find_credit(&posting.customer, &posting.id, posting.claimed_at).await;
    match found {
        Ok(Some(transaction)) => posted(app, &posting, &transaction).await,
        Ok(None) => carry_out(app, stripe, posting).await,
        Err(BalanceError::Refused(code)) => give_back(app, posting, code).await,
        Err(BalanceError::Unknown(why)) => Err(AppError::Unavailable(why.into())),
    }
}

async fn carry_out(app: &App, stripe: &dyn CustomerBalance, posting: Posting) -> Result<Posted, AppError> {
    match stripe.add_credit(&posting.customer, posting.amount, &posting.id).await {
        Ok(transaction) => posted(app, &posting, &transaction).await,
        Err(BalanceError::Refused(code)) => give_back(app, posting, code).await,
        Err(BalanceError::Unknown(why)) => Err(AppError::Unavailable(why.into())),
    }
}

async fn posted(app: &App, posting: &Posting, transaction: &str) -> Result<Posted, AppError> {
    if app.store.bill_credit().posted(posting, transaction, app.now()).await? == Effect::AlreadyApplied {
        // The posting was recorded before, unless Stripe refused another call. Then the credit is in two
        // places.
        let latest = app.store.bill_credit().latest_posting(&posting.member).await?;
        let refused = |latest: &Posting| matches!(latest.state, PostingState::Refused { .. });
        if latest.is_some_and(|latest| latest.id == posting.id && refused(&latest)) {
            return Err(AppError::Corrupt(
                format!("Stripe both took and refused the posting of entry {}", posting.seq).into(),
            ));
        }
    }
    Ok(Posted::Done(posting.amount))
}

async fn give_back(app: &App, posting: Posting, code: String) -> Result<Posted, AppError> {
    let mut attempts = Attempts::default();
    loop {
        let wallet = app
            .store
            .wallets()
            .find(&posting.member, WalletKind::BillCredit, posting.amount.currency())
            .await?;
        // The posting is read after the wallet: an open claim is still part of the held credit of this
        // wallet.
        match app.store.bill_credit().latest_posting(&posting.member).await? {
            Some(latest) if latest.id == posting.id => match latest.state {
                PostingState::Claimed => {}
                PostingState::Posted { .. } => return Ok(Posted::Done(posting.amount)),
                PostingState::Refused { .. } => return refused(app, &posting, code).await,
            },
            _ => return refused(app, &posting, code).await,
        }
        let now = app.now();
        let (wallet, entry) = wallet.undo_posting(posting.amount, posting.id.clone(), now)?;
        let mut writes = app.store.wallets().post(&wallet, &entry, Moved::Wallet)?;
        writes.push(app.store.bill_credit().refuse(&posting, &code, now, Moved::Posting)?);
        match refusal(app.store.commit(&writes).await)? {
            None => return refused(app, &posting, code).await,
            Some(Moved::Wallet | Moved::Posting) => attempts.again(app).await?,
        }
    }
}

/// A customer that Stripe does not know gets no credit again.
async fn refused(app: &App, posting: &Posting, code: String) -> Result<Posted, AppError> {
    if code == NO_SUCH_CUSTOMER {
        note_billing(app, &posting.member, &posting.customer, &[BillingReport::Deleted]).await?;
    }
    Ok(Posted::Refused(code))
}

/// Stripe's code for a deleted customer. The credit waits for the member's next customer.
const NO_SUCH_CUSTOMER: &str = "resource_missing";
