//! Bill credit on its way to a Stripe customer's balance: claimed, called, recorded.

use async_trait::async_trait;
use guerdon_domain::{
    bill_credit::{Posting, PostingState},
    ids::{CustomerId, MemberId, PostingId},
    money::Money,
    time::Timestamp,
    wallets::{Wallet, WalletKind},
};
use guerdon_store::table::{metered, posting_id};

use crate::{
    attempt::Attempts,
    context::App,
    error::{AppError, refusal},
};

/// The Stripe calls that posting needs.
#[async_trait]
pub trait CustomerBalance: Send + Sync {
    /// Adds `amount` of credit (above zero) to the customer's balance under a deterministic idempotency
    /// key, and gives back Stripe's id of the transaction.
    async fn add_credit(
        &self,
        customer: &CustomerId,
        amount: Money,
        posting: &PostingId,
    ) -> Result<String, BalanceError>;

    /// Looks a posting, claimed at `since`, up by the metadata it was made with.
    async fn find_credit(
        &self,
        customer: &CustomerId,
        posting: &PostingId,
        since: Timestamp,
    ) -> Result<Option<String>, BalanceError>;
}

/// How a Stripe call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BalanceError {
    /// Stripe refused, and will refuse again.
    #[error("Stripe refused: {0}")]
    Refused(String),
    /// The call may or may not have taken effect: look it up before making it again.
    #[error("Stripe's answer was lost: {0}")]
    Unknown(String),
}

/// What posting came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posted {
    /// This much lies on the customer's balance now.
    Done(Money),
    /// There was nothing to post.
    Nothing,
    /// The member does not pay through Stripe yet: the credit waits in the wallet.
    NoCustomer,
    /// Stripe refused; the credit is in the wallet again.
    Refused(String),
}

#[derive(Clone, Copy)]
enum Moved {
    Wallet,
    Posting,
}

/// A posting that another message has claimed is left to it for this long: longer than its Stripe calls
/// can take.
pub const LEASE_SECONDS: i64 = 120;

/// Posts all available bill credit of `member`.
///
/// Claimed first (wallet and posting in one transaction), then the call, then recorded as posted. A crash
/// between any two of these leaves a claimed posting, which the next call looks up at Stripe before it
/// posts again under the same key. `claimant` names the message at work: its own retry goes on at once,
/// while others keep off another's claim for [`LEASE_SECONDS`], so that Stripe is asked once.
///
/// # Errors
/// [`AppError::Unavailable`] while Stripe's outcome is unknown or another message is at it: call again.
pub async fn post_bill_credit(
    app: &App,
    stripe: &dyn CustomerBalance,
    id: &MemberId,
    claimant: &str,
) -> Result<Posted, AppError> {
    metered("post_bill_credit", async {
        let mut resumed = Money::zero(app.preset.currency);
        let mut attempts = Attempts::default();
        loop {
            let Some(customer) = app.store.members().find(id).await?.and_then(|member| member.customer)
            else {
                return Ok(Posted::NoCustomer);
            };
            // The wallet is read before the posting: a claim made in between fails this one's version.
            let wallet = app.store.wallets().find(id, WalletKind::BillCredit, app.preset.currency).await?;
            match app.store.bill_credit().latest_posting(id).await? {
                Some(open) if is_somebody_elses(app, &open, claimant) => {
                    return Err(AppError::Unavailable("another message is posting this credit".to_owned()));
                }
                // What became available meanwhile has nobody else to post it: look again afterwards.
                Some(open) if open.state == PostingState::Claimed => match resume(app, stripe, open).await? {
                    Posted::Done(amount) => {
                        resumed = resumed.checked_add(amount)?;
                        attempts.at_once()?;
                        continue;
                    }
                    other => return Ok(other),
                },
                _ if wallet.available().is_positive() => {}
                _ if resumed.is_positive() => return Ok(Posted::Done(resumed)),
                _ => return Ok(Posted::Nothing),
            }
            if let Some(claimed) = claim(app, wallet, customer, claimant).await? {
                return Ok(match carry_out(app, stripe, claimed).await? {
                    Posted::Done(amount) => Posted::Done(resumed.checked_add(amount)?),
                    other => other,
                });
            }
            attempts.again(app).await?;
        }
    })
    .await
}

/// Whether bill credit of `id` could be posted: some is available, or a posting was claimed and never finished. Of a
/// member without a customer at Stripe nothing can be posted.
///
/// # Errors
/// [`AppError`].
pub async fn credit_waits(app: &App, id: &MemberId) -> Result<bool, AppError> {
    metered("credit_waits", async {
        if app.store.members().find(id).await?.and_then(|member| member.customer).is_none() {
            return Ok(false);
        }
        // The wallet is read before the posting: a claim made in between shows in one of the two.
        let wallet = app.store.wallets().find(id, WalletKind::BillCredit, app.preset.currency).await?;
        let claimed = |latest: Posting| latest.state == PostingState::Claimed;
        Ok(wallet.available().is_positive()
            || app.store.bill_credit().latest_posting(id).await?.is_some_and(claimed))
    })
    .await
}

/// A claim that another message holds and is probably still at work on.
fn is_somebody_elses(app: &App, posting: &Posting, claimant: &str) -> bool {
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

/// Somebody claimed it and did not finish: perhaps the call was made.
async fn resume(app: &App, stripe: &dyn CustomerBalance, posting: Posting) -> Result<Posted, AppError> {
    let found = stripe.find_credit(&posting.customer, &posting.id, posting.claimed_at).await;
    match found {
        Ok(Some(transaction)) => posted(app, &posting, &transaction).await,
        Ok(None) => carry_out(app, stripe, posting).await,
        Err(BalanceError::Refused(code)) => give_back(app, posting, code).await,
        Err(BalanceError::Unknown(why)) => Err(AppError::Unavailable(why)),
    }
}

async fn carry_out(app: &App, stripe: &dyn CustomerBalance, posting: Posting) -> Result<Posted, AppError> {
    match stripe.add_credit(&posting.customer, posting.amount, &posting.id).await {
        Ok(transaction) => posted(app, &posting, &transaction).await,
        Err(BalanceError::Refused(code)) => give_back(app, posting, code).await,
        Err(BalanceError::Unknown(why)) => Err(AppError::Unavailable(why)),
    }
}

async fn posted(app: &App, posting: &Posting, transaction: &str) -> Result<Posted, AppError> {
    if !app.store.bill_credit().posted(posting, transaction, app.now()).await? {
        // Recorded before, unless somebody else was told no: then the credit is in two places.
        let latest = app.store.bill_credit().latest_posting(&posting.member).await?;
        let refused = |latest: &Posting| matches!(latest.state, PostingState::Refused { .. });
        if latest.is_some_and(|latest| latest.id == posting.id && refused(&latest)) {
            return Err(AppError::Corrupt(format!(
                "Stripe both took and refused the posting of entry {}",
                posting.seq
            )));
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
        // Read after the wallet: a claim that is still open is still in this wallet's held credit.
        match app.store.bill_credit().latest_posting(&posting.member).await? {
            Some(latest) if latest.id == posting.id => match latest.state {
                PostingState::Claimed => {}
                PostingState::Posted { .. } => return Ok(Posted::Done(posting.amount)),
                PostingState::Refused { .. } => return Ok(Posted::Refused(code)),
            },
            _ => return Ok(Posted::Refused(code)),
        }
        let now = app.now();
        let (wallet, entry) = wallet.undo_posting(posting.amount, posting.id.clone(), now)?;
        let mut writes = app.store.wallets().post(&wallet, &entry, Moved::Wallet)?;
        writes.push(app.store.bill_credit().refuse(&posting, &code, now, Moved::Posting)?);
        match refusal(app.store.commit(&writes).await)? {
            None => {
                if code == NO_SUCH_CUSTOMER {
                    app.store.members().forget_customer(&posting.member, &posting.customer).await?;
                }
                return Ok(Posted::Refused(code));
            }
            Some(Moved::Wallet | Moved::Posting) => attempts.again(app).await?,
        }
    }
}

/// Stripe's code for a customer that was deleted: the credit waits for the member's next one.
const NO_SUCH_CUSTOMER: &str = "resource_missing";
