//! Reconciliation of a wallet with the credit that an invoice used or returned at Stripe.

use guerdon_domain::{
    bill_credit::{BilledCustomers, InvoiceCredit, InvoiceCreditState},
    ids::{CustomerId, InvoiceId, MemberId},
    money::Money,
    wallets::{Wallet, WalletError, WalletKind},
};
use guerdon_store::table::metered;

use super::customers::{Balances, customers_of};
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
    /// The customer that it bills.
    pub customer: Option<CustomerId>,
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
            let known = credit_of_invoice(app, member, facts).await?;
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

/// Finds what the invoice used before. It may have used credit of a member whose customer it was then.
async fn credit_of_invoice(
    app: &App,
    member: &MemberId,
    facts: &InvoiceFacts,
) -> Result<Option<InvoiceCredit>, AppError> {
    let known = app.store.bill_credit().invoice_credit(member, &facts.invoice).await?;
    // A record of nothing may stand beside that of the member whose credit it was.
    let is_found = known.as_ref().is_some_and(|credit| credit.taken.is_positive() || !facts.voided);
    let (false, Some(customer)) = (is_found, &facts.customer) else { return Ok(known) };
    for former in former_members(app, customer, member).await? {
        let credit = app.store.bill_credit().invoice_credit(&former, &facts.invoice).await?;
        if credit.is_some() {
            return Ok(credit);
        }
    }
    Ok(known)
}

/// The other members whose customer it was, the latest first.
async fn former_members(
    app: &App,
    customer: &CustomerId,
    member: &MemberId,
) -> Result<Vec<MemberId>, AppError> {
    let former = app.store.customers().find(customer).await?.map(|link| link.former).unwrap_or_default();
    Ok(former.into_iter().rev().filter(|former| former != member).collect())
}

async fn apply(app: &App, member: &MemberId, facts: &InvoiceFacts) -> Result<Option<Reconciled>, AppError> {
    let (wallet, usable) = whose(app, member, facts).await?;
    let member = &wallet.member.clone();
    let taken = usable.held.checked_add(usable.recalled)?;
    // An invoice that used none of our credit is stored too: a later event of it must not take newer credit.
    let credit = credit_of(member, facts, taken, InvoiceCreditState::Applied);
    let mut writes = vec![app.store.bill_credit().insert_invoice_credit(&credit, ())?];
    let (mut wallet, mut entries, now) = (wallet, Vec::new(), app.now());
    if usable.held.is_positive() {
        let (next, entry) = wallet.apply_to_invoice(usable.held, facts.invoice.clone(), now)?;
        wallet = next;
        entries.push(entry);
    }
    if let (Some(customers), true) = (&usable.customers, usable.recalled.is_positive()) {
        let (next, entry) = wallet.apply_recalled(usable.recalled, facts.invoice.clone(), now)?;
        wallet = next;
        entries.push(entry);
        writes.push(app.store.bill_credit().replace_customers(customers, ())?);
    }
    if !entries.is_empty() {
        writes.extend(app.store.wallets().post_all(&wallet, &entries, ())?);
    }
    let done = if taken.is_positive() { Reconciled::Applied(taken) } else { Reconciled::Unchanged };
    Ok(refusal(app.store.commit(&writes).await)?.is_none().then_some(done))
}

/// Finds whose credit the invoice used: the member's, or else that of a member whose customer it was, from whom it was
/// recalled before the invoice was told.
async fn whose(app: &App, member: &MemberId, facts: &InvoiceFacts) -> Result<(Wallet, Usable), AppError> {
    let of = async |member: &MemberId| {
        let wallet = app.store.wallets().find(member, WalletKind::BillCredit, app.preset.currency).await?;
        let usable = usable(app, &wallet, facts).await?;
        Ok::<_, AppError>((wallet, usable))
    };
    let own = of(member).await?;
    let Some(customer) = facts.customer.as_ref().filter(|_| own.1.is_nothing()) else { return Ok(own) };
    for former in former_members(app, customer, member).await? {
        let theirs = of(&former).await?;
        if theirs.1.recalled.is_positive() {
            return Ok(theirs);
        }
    }
    Ok(own)
}

/// The part of what Stripe applied that was the member's.
struct Usable {
    /// The part that the wallet still holds.
    held: Money,
    /// The part that was given back before the invoice was told, because the customer had been deleted.
    recalled: Money,
    /// The customers after that part is taken again.
    customers: Option<BilledCustomers>,
}

impl Usable {
    const fn is_nothing(&self) -> bool {
        !self.held.is_positive() && !self.recalled.is_positive()
    }
}

/// Returns how much of the member's credit the invoice used. Only the credit on its own customer's balance counts.
async fn usable(app: &App, wallet: &Wallet, facts: &InvoiceFacts) -> Result<Usable, AppError> {
    let (currency, applied) = (wallet.currency, facts.applied.minor());
    let of_wallet = Money::new(wallet.buckets.held.min(applied).max(0), currency);
    let zero = Money::zero(currency);
    let all = Usable { held: of_wallet, recalled: zero, customers: None };
    let Some(customer) = facts.customer.as_ref().filter(|_| applied > 0) else { return Ok(all) };
    let customers = customers_of(app, &wallet.member).await?;
    if !customers.are_several() && customers.get(customer).is_none_or(|known| known.recalled == 0) {
        return Ok(all);
    }
    let balances = Balances::read(app, &wallet.member).await?;
    let held = balances.usable(&customers, customer).min(of_wallet.minor());
    let recalled = customers.get(customer).map_or(0, |known| known.recalled);
    let recalled = recalled.min(applied.saturating_sub(held)).max(0);
    let next =
        if recalled > 0 { Some(customers.recalled(customer, recalled.saturating_neg())?) } else { None };
    Ok(Usable { held: Money::new(held, currency), recalled: Money::new(recalled, currency), customers: next })
}

/// Books the credit that a voided invoice gave back. It is on the balance of the invoice's customer again. If no bill of
/// the member comes from there, because the customer was deleted or is another member's, it is given back at once.
async fn give_back_invoice(app: &App, credit: InvoiceCredit) -> Result<Option<Reconciled>, AppError> {
    let (taken, now) = (credit.taken, app.now());
    let returned = InvoiceCredit { state: InvoiceCreditState::Returned, ..credit };
    let customers = customers_of(app, &returned.member).await?;
    let wallet = app.store.wallets().find(&returned.member, WalletKind::BillCredit, taken.currency()).await?;
    let posted = wallet.return_from_invoice(taken, returned.invoice.clone(), now);
    let (mut wallet, entry) = match posted {
        Ok(posted) => posted,
        Err(WalletError::NotPositive) => return Ok(Some(Reconciled::Unchanged)),
        Err(error) => return Err(error.into()),
    };
    let mut entries = vec![entry];
    let is_lost =
        |customer: &&CustomerId| customers.get(customer).is_some_and(|known| known.deleted || known.unlinked);
    let mut writes = vec![match returned.customer.as_ref().filter(is_lost) {
        None => app.store.bill_credit().customers_are(&customers, ())?,
        Some(customer) => {
            let (next, recalled) = wallet.recall(taken, customer.clone(), now)?;
            wallet = next;
            entries.push(recalled);
            let customers = customers.recalled(customer, taken.minor())?;
            app.store.bill_credit().replace_customers(&customers, ())?
        }
    }];
    writes.extend(app.store.wallets().post_all(&wallet, &entries, ())?);
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
    let (invoice, customer) = (facts.invoice.clone(), facts.customer.clone());
    InvoiceCredit { invoice, member: member.clone(), customer, taken, state }
}
