//! Reconciliation of a wallet with the credit that an invoice used or returned at Stripe.

use guerdon_domain::{
    bill_credit::{InvoiceCredit, InvoiceCreditState},
    ids::{InvoiceId, MemberId},
    money::Money,
    wallets::{WalletError, WalletKind},
};
use guerdon_store::table::metered;

use crate::{
    attempt::Attempts,
    context::App,
    error::{AppError, refusal},
};

/// The customer balance that an invoice used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceFacts {
    /// The invoice.
    pub invoice: InvoiceId,
    /// The customer balance that the invoice used, zero or more.
    pub applied: Money,
    /// True if the invoice was voided. The used amount is then back on the balance.
    pub voided: bool,
}

/// The effect of an invoice on the wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reconciled {
    /// The invoice used this much of our credit.
    Applied(Money),
    /// The invoice gave this much back.
    Returned(Money),
    /// The invoice changed nothing, or nothing new.
    Unchanged,
}

/// Updates the wallet with the credit that an invoice used or returned at Stripe, once per invoice and
/// direction.
///
/// Credit that Stripe applied beyond our held credit has another origin and is ignored.
pub async fn reconcile_invoice(
    app: &App,
    member: &MemberId,
    facts: &InvoiceFacts,
) -> Result<Reconciled, AppError> {
    metered("reconcile_invoice", async {
        // A void returns the used credit, independent of the balance in the event.
        let nothing = facts.applied.is_zero() && !facts.voided;
        if nothing || facts.applied.currency() != app.preset.currency {
            return Ok(Reconciled::Unchanged);
        }
        let mut attempts = Attempts::default();
        loop {
            let known = app.store.bill_credit().invoice_credit(member, &facts.invoice).await?;
            let step = match (known, facts.voided) {
                (None, false) => apply(app, member, facts).await?,
                (Some(credit), true) if credit.state == InvoiceCreditState::Applied => {
                    give_back_invoice(app, credit).await?
                }
                (None, true) => void_unseen(app, member, facts).await?,
                (Some(_), _) => Some(Reconciled::Unchanged),
            };
            if let Some(done) = step {
                return Ok(done);
            }
            attempts.again(app).await?;
        }
    })
    .await
}

async fn apply(app: &App, member: &MemberId, facts: &InvoiceFacts) -> Result<Option<Reconciled>, AppError> {
    let wallet = app.store.wallets().find(member, WalletKind::BillCredit, app.preset.currency).await?;
    let taken = Money::new(wallet.held().minor().min(facts.applied.minor()), app.preset.currency);
    if !taken.is_positive() {
        // The invoice used none of our credit. This is stored: a later event of this invoice must not take
        // newer credit.
        let credit = credit_of(member, facts, Money::zero(taken.currency()), InvoiceCreditState::Applied);
        let writes = [app.store.bill_credit().insert_invoice_credit(&credit, ())?];
        return Ok(refusal(app.store.commit(&writes).await)?.is_none().then_some(Reconciled::Unchanged));
    }
    let (wallet, entry) = wallet.apply_to_invoice(taken, facts.invoice.clone(), app.now())?;
    let mut writes = app.store.wallets().post(&wallet, &entry, ())?;
    let credit = credit_of(member, facts, taken, InvoiceCreditState::Applied);
    writes.push(app.store.bill_credit().insert_invoice_credit(&credit, ())?);
    Ok(refusal(app.store.commit(&writes).await)?.is_none().then_some(Reconciled::Applied(taken)))
}

async fn give_back_invoice(app: &App, credit: InvoiceCredit) -> Result<Option<Reconciled>, AppError> {
    let taken = credit.taken;
    let returned = InvoiceCredit { state: InvoiceCreditState::Returned, ..credit };
    let wallet = app.store.wallets().find(&returned.member, WalletKind::BillCredit, taken.currency()).await?;
    let posted = wallet.return_from_invoice(taken, returned.invoice.clone(), app.now());
    let (wallet, entry) = match posted {
        Ok(posted) => posted,
        Err(WalletError::NotPositive) => return Ok(Some(Reconciled::Unchanged)),
        Err(error) => return Err(error.into()),
    };
    let mut writes = app.store.wallets().post(&wallet, &entry, ())?;
    writes.push(app.store.bill_credit().return_invoice_credit(&returned, ())?);
    Ok(refusal(app.store.commit(&writes).await)?.is_none().then_some(Reconciled::Returned(taken)))
}

/// Stores a void that arrived before any other event of the invoice, so that a late event of the invoice
/// takes nothing.
async fn void_unseen(
    app: &App,
    member: &MemberId,
    facts: &InvoiceFacts,
) -> Result<Option<Reconciled>, AppError> {
    let credit = credit_of(member, facts, Money::zero(app.preset.currency), InvoiceCreditState::Returned);
    let writes = [app.store.bill_credit().insert_invoice_credit(&credit, ())?];
    Ok(refusal(app.store.commit(&writes).await)?.is_none().then_some(Reconciled::Unchanged))
}

fn credit_of(
    member: &MemberId,
    facts: &InvoiceFacts,
    taken: Money,
    state: InvoiceCreditState,
) -> InvoiceCredit {
    InvoiceCredit { invoice: facts.invoice.clone(), member: member.clone(), taken, state }
}
