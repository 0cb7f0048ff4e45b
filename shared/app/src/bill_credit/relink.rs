//! The customers of a member as operators see them, and the change of a link that names the wrong member.

use guerdon_domain::{
    bill_credit::BilledCustomers,
    ids::{CustomerId, TelegramId},
    money::Money,
    time::Timestamp,
    wallets::WalletKind,
};
use guerdon_store::{
    payments::CustomerLink,
    table::{Fragment, metered},
};

use super::customers::{Balances, customers_of, writes_of};
use crate::{
    attempt::Attempts,
    context::App,
    error::{AppError, refusal},
    once::{Answer, Change, ChangeRefusal, MemberCall},
};

/// A customer of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerView {
    /// The customer.
    pub customer: CustomerId,
    /// True for the one that gets the member's credit.
    pub gets_credit: bool,
    /// True while a subscription is live.
    pub subscribed: bool,
    /// True when it was deleted at Stripe.
    pub deleted: bool,
    /// The latest invoice. While a member has one customer only, the first is kept.
    pub billed_at: Option<Timestamp>,
    /// The instant at which it was linked.
    pub linked_at: Option<Timestamp>,
    /// The member's credit on its balance that no invoice has used.
    pub credit: Money,
}

/// Returns the customers of a member, or nothing when there is no such member.
pub async fn customers_view(
    app: &App,
    telegram_id: TelegramId,
) -> Result<Option<Vec<CustomerView>>, AppError> {
    metered("customers_view", async {
        let id = app.member_id(telegram_id);
        if app.store.members().find(&id).await?.is_none() {
            return Ok(None);
        }
        let customers = customers_of(app, &id).await?;
        let balances = Balances::read(app, &id).await?;
        let target = customers.target();
        let view =
            customers.iter().filter(|(_, known)| !known.unlinked).map(|(customer, known)| CustomerView {
                customer: customer.clone(),
                gets_credit: target == Some(customer),
                subscribed: known.is_subscribed(),
                deleted: known.deleted,
                billed_at: known.billed_at,
                linked_at: known.linked_at,
                credit: Money::new(balances.usable(&customers, customer), app.preset.currency),
            });
        Ok(Some(view.collect()))
    })
    .await
}

/// The reason why a customer was not linked. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RelinkRefusal {
    /// The customer is this member's already.
    #[error("the customer is linked to this member already")]
    AlreadyLinked,
    /// The balance of the customer has credit of the member whose customer it is now.
    #[error(
        "{0} of the credit of the member whose customer this is are on its balance; remove them from the customer's \
         balance at Stripe, then send balance_removed: true"
    )]
    CreditOnBalance(Money),
    /// A posting to the customer is on its way.
    #[error("credit is being posted to this customer; try again in some minutes")]
    Posting,
    /// As any change.
    #[error(transparent)]
    Change(#[from] ChangeRefusal),
}

impl From<AppError> for RelinkRefusal {
    fn from(error: AppError) -> Self {
        Self::Change(error.into())
    }
}

/// Links a customer to a member, also where metadata named another one first. Parked events of the customer are
/// replayed, and what Stripe tells from now on is this member's; payments that are booked stay as they are.
///
/// Credit of the other member on the customer's balance would pay this member's bills. It is given back to the other
/// member when the operator has removed it at Stripe, as `balance_removed` says.
pub async fn relink_customer(
    app: &App,
    request: &MemberCall,
    customer: &CustomerId,
    balance_removed: bool,
) -> Result<Answer, RelinkRefusal> {
    metered("relink_customer", async {
        let mut attempts = Attempts::default();
        loop {
            if let Some(answer) = request.answered(app).await? {
                return Ok(answer);
            }
            let link = app.store.customers().find(customer).await.map_err(AppError::from)?;
            let (writes, change) = plan(app, request, (customer, link.as_ref()), balance_removed).await?;
            if refusal(app.store.commit(&writes).await)?.is_none() {
                return Ok(Answer::Applied(change));
            }
            attempts.again(app).await?;
        }
    })
    .await
}

async fn plan(
    app: &App,
    request: &MemberCall,
    (customer, link): (&CustomerId, Option<&CustomerLink>),
    balance_removed: bool,
) -> Result<(Vec<Fragment<()>>, Change), RelinkRefusal> {
    let id = app.member_id(request.user_id);
    if app.store.members().find(&id).await.map_err(AppError::from)?.is_none() {
        return Err(ChangeRefusal::UnknownMember.into());
    }
    if link.is_some_and(|link| link.member == id) {
        return Err(RelinkRefusal::AlreadyLinked);
    }
    let linked_at = app.now();
    let former = link.map(CustomerLink::former_and_present).unwrap_or_default();
    let after = CustomerLink { customer: customer.clone(), member: id.clone(), linked_at, former };
    let own = customers_of(app, &id).await?;
    let (mut writes, recalled, next) = match link {
        Some(before) => {
            let (writes, others, recalled) = taken(app, before, balance_removed).await?;
            (writes, recalled, own.with(customer, others.get(customer), linked_at))
        }
        None => (Vec::new(), Money::zero(app.preset.currency), own.with(customer, None, linked_at)),
    };
    writes.push(app.store.customers().set_link(link, &after, ()).map_err(AppError::from)?);
    writes.extend(writes_of(app, &own, &next, ())?);
    let wallet = app.store.wallets().find(&id, WalletKind::BillCredit, app.preset.currency).await;
    let wallet = wallet.map_err(AppError::from)?;
    let credit_balance = wallet.available().checked_add(wallet.held()).map_err(AppError::from)?;
    let change =
        Change { user_id: request.user_id, id: customer.to_string(), amount: recalled, credit_balance };
    let state = |member: Option<TelegramId>| {
        serde_json::json!({ "customer": customer, "user_id": member.map(|id| id.to_string()) }).to_string()
    };
    let owner = match link {
        Some(link) => app.store.members().find(&link.member).await.map_err(AppError::from)?,
        None => None,
    };
    let states = [state(owner.map(|owner| owner.telegram_id)), state(Some(request.user_id))];
    let once = request.once(app, &change, ("customer.link", &id), states)?;
    writes.extend(once.fragments(app, ()).map_err(AppError::from)?);
    Ok((writes, change))
}

/// Makes the writes that take a customer away from its member. Returns the customers that the member had, and the
/// credit that is given back.
async fn taken(
    app: &App,
    link: &CustomerLink,
    balance_removed: bool,
) -> Result<(Vec<Fragment<()>>, BilledCustomers, Money), RelinkRefusal> {
    let (owner, customer) = (&link.member, &link.customer);
    let customers = customers_of(app, owner).await?;
    // The wallet is read before the postings: a claim in between makes the condition of its version fail. The other way
    // round, a claim that still takes this customer for the member's fails at the wallet, which is written in any case.
    let wallet = app.store.wallets().find(owner, WalletKind::BillCredit, app.preset.currency).await;
    let wallet = wallet.map_err(AppError::from)?;
    let balances = Balances::read(app, owner).await?;
    if balances.is_in_flight(customer) {
        return Err(RelinkRefusal::Posting);
    }
    let left = Money::new(balances.left(&customers, customer).clamp(0, wallet.buckets.held), wallet.currency);
    if left.is_positive() && !balance_removed {
        return Err(RelinkRefusal::CreditOnBalance(left));
    }
    let next = customers.without(customer, left.minor()).map_err(AppError::from)?;
    let mut writes = writes_of(app, &customers, &next, ())?;
    if left.is_positive() {
        let recalled = wallet.recall(left, customer.clone(), app.now()).map_err(AppError::from)?;
        writes.extend(app.store.wallets().post(&recalled.0, &recalled.1, ()).map_err(AppError::from)?);
    } else {
        writes.push(app.store.wallets().fence(&wallet, ()).map_err(AppError::from)?);
    }
    Ok((writes, customers, left))
}
