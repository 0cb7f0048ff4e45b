//! Orders of a service: their creation, and their payment as the service confirms it.

use guerdon_domain::{
    fraud::Fingerprint,
    ids::{ExternalPaymentId, MemberId, OrderId, PaymentKey, PlanId, PrincipalId, ProductId},
    money::Money,
    operators::Stamp,
    payments::{Order, OrderState, OrderStep, PaymentFacts, PaymentLine, PaymentMethod, PaymentRecord},
    settings::Plan,
    time::Timestamp,
    withdrawals::{Destination, PayoutMethod},
};
use guerdon_store::table::{Effect, StoreError, metered};

use crate::{
    commissions::settle_wallet,
    context::App,
    error::{AppError, refusal},
    fraud::inspect_payer,
    payments::{Along, Recorded, record_along},
    settings::settings_now,
};

/// A service's request for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRequest {
    /// The buyer.
    pub member: MemberId,
    /// The plan; the preset's cheapest plan if the service names none.
    pub product: Option<PlanId>,
    /// The price, if it differs from the plan's price.
    pub price: Option<Money>,
    /// The payment method.
    pub method: PaymentMethod,
    /// The transfer's id in the payment system, if it is known.
    pub transaction: Option<ExternalPaymentId>,
    /// The fingerprint of the payer's account.
    pub payer: Option<Fingerprint>,
    /// The payer's account as a payout destination, if it can be one: [`payout_of`] of a UPI id.
    pub payout: Option<Fingerprint>,
    /// The service's key, which identifies the order if there is no transaction.
    pub key: Option<String>,
    /// The service that requests the order.
    pub service: PrincipalId,
}

/// The reason why an order was not created or not paid. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OrderRefusal {
    /// No member has this id.
    #[error("no member has this user id")]
    UnknownMember,
    /// There are no plans, or no plan has this id.
    #[error("there is no such plan; there is: {0}")]
    UnknownProduct(String),
    /// The amount is zero, negative, too large or in another currency.
    #[error("the amount must be above zero and at most {0}")]
    BadAmount(Money),
    /// No order has this id.
    #[error("there is no such order")]
    Unknown,
    /// The transfer belongs to another order, or to an order with different facts.
    #[error("this transaction is on record with other facts")]
    TransactionUsed,
    /// The order has a different transfer.
    #[error("this order was told with another transaction")]
    OtherTransaction,
    /// Neither the order nor the request names a transfer.
    #[error("transaction_id is missing, here and in the order")]
    NoTransaction,
    /// The operation did not complete.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<StoreError> for OrderRefusal {
    fn from(error: StoreError) -> Self {
        Self::App(error.into())
    }
}

/// The largest accepted order, in minor units. It limits the effect of a typing error.
const MOST_MINOR: i64 = 1_000_000_000;

/// Creates an order. The transaction, or else the service's key, identifies it: a repeated request returns
/// the existing order.
pub async fn create_order(app: &App, request: &OrderRequest) -> Result<Order, OrderRefusal> {
    metered("create_order", async {
        let settings = settings_now(app).await?;
        let plan = plan_of(&settings.preset.plans, request.product.as_ref())?;
        let price = request.price.unwrap_or(plan.price);
        if !(1..=MOST_MINOR).contains(&price.minor()) || price.currency() != app.preset.currency {
            return Err(OrderRefusal::BadAmount(Money::new(MOST_MINOR, app.preset.currency)));
        }
        app.store.members().find(&request.member).await?.ok_or(OrderRefusal::UnknownMember)?;
        let order = Order {
            id: id_of(app, request)?,
            member: request.member.clone(),
            product: plan.id.clone(),
            price,
            method: request.method,
            transaction: request.transaction.as_ref().map(ToString::to_string),
            payer: request.payer.clone(),
            created_by: request.service.clone(),
            created_at: app.now(),
            step: OrderStep::Pending,
        };
        let order = match app.store.orders().insert(&order).await? {
            Effect::Applied => order,
            Effect::AlreadyApplied => {
                let known = app.store.orders().find(&order.id).await?.ok_or(AppError::Conflict)?;
                if !alike(&known, &order, request.price) {
                    return Err(OrderRefusal::TransactionUsed);
                }
                known
            }
        };
        let prints: Vec<_> = order.payer.iter().chain(&request.payout).cloned().collect();
        for print in &prints {
            app.store.sightings().put(print, &order.member, app.now()).await?;
        }
        // The inspection runs before the payment, so that its flags can affect the decision.
        inspect_payer(app, &order.member, &prints).await?;
        Ok(order)
    })
    .await
}

/// Returns the payer's account as a payout destination. It reveals a payer who is paid out to the same UPI id
/// as other members.
pub fn payout_of(app: &App, method: PaymentMethod, payer: &str) -> Option<Fingerprint> {
    match method {
        PaymentMethod::Upi => {
            let destination = Destination::parse(PayoutMethod::Upi, payer).ok()?;
            Some(Fingerprint::destination(&app.pseudonyms, &destination))
        }
        PaymentMethod::Bank | PaymentMethod::Blik => None,
    }
}

fn plan_of<'a>(plans: &'a [Plan], product: Option<&PlanId>) -> Result<&'a Plan, OrderRefusal> {
    let found = match product {
        Some(product) => plans.iter().find(|plan| plan.id == *product),
        None => plans.iter().min_by_key(|plan| plan.price.minor()),
    };
    found.ok_or_else(|| {
        let known: Vec<_> = plans.iter().map(|plan| plan.id.as_str()).collect();
        let known = if known.is_empty() { "none here".to_owned() } else { known.join(", ") };
        OrderRefusal::UnknownProduct(known)
    })
}

fn id_of(app: &App, request: &OrderRequest) -> Result<OrderId, AppError> {
    let named = match (&request.transaction, &request.key) {
        (Some(transaction), _) => PaymentKey::named(request.method.rail(), transaction)?.to_string(),
        (None, Some(key)) => format!("{}\n{key}", request.service),
        (None, None) => hex::encode(app.entropy.nonce()?),
    };
    let digest = app.pseudonyms.digest("order", named.as_bytes());
    Ok(OrderId::parse(format!("ord_{}", &digest[..24]))?)
}

/// Compares two orders, ignoring their state. An order without a price of its own keeps the plan's price at the time when
/// it was made.
fn alike(known: &Order, asked: &Order, price: Option<Money>) -> bool {
    (&known.member, &known.product, known.method) == (&asked.member, &asked.product, asked.method)
        && price.is_none_or(|price| price == known.price)
        && known.transfer() == asked.transfer()
}

/// The result of paying an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidOrder {
    /// The order.
    pub order: Order,
    /// The payment of the order, with the verdict of each rule.
    pub payment: PaymentRecord,
    /// True when the order was paid before.
    pub before: bool,
}

/// Finds the order with this id.
pub async fn find_order(app: &App, id: &OrderId) -> Result<Option<Order>, AppError> {
    Ok(app.store.orders().find(id).await?)
}

/// Records the payment of an order and books its commissions, in one transaction with the order. A repeated
/// request changes nothing.
pub async fn pay_order(
    app: &App,
    id: &OrderId,
    transaction: Option<&ExternalPaymentId>,
    service: &PrincipalId,
) -> Result<PaidOrder, OrderRefusal> {
    metered("pay_order", async {
        let order = app.store.orders().find(id).await?.ok_or(OrderRefusal::Unknown)?;
        let key = payment_key(&order, transaction)?;
        if order.state() == OrderState::Paid {
            let payment = app.store.payments().find(&key).await?;
            let payment = payment.ok_or_else(|| AppError::Corrupt("an order's payment is gone".into()))?;
            return Ok(PaidOrder { order, payment, before: true });
        }
        let plans = &settings_now(app).await?.preset.plans;
        let facts = facts_of(plans, &order, key.clone(), app.now());
        let after = order.pay(key, Stamp { by: service.clone(), at: app.now() });
        match record_along(app, &facts, Along { order: Some(&after), ..Along::default() }).await? {
            Recorded::AlreadyApplied(payment) if payment.order.as_ref() == Some(id) => {
                let order = app.store.orders().find(id).await?.ok_or(OrderRefusal::Unknown)?;
                Ok(PaidOrder { order, payment, before: true })
            }
            Recorded::AlreadyApplied(payment) => adopted(app, after, payment).await,
            Recorded::Applied(payment) => {
                // Without a hold period the referrer receives the credit at once. If this fails, the
                // commission's own event settles it.
                for (_, beneficiary, _) in payment.grants() {
                    settle_wallet(app, beneficiary).await?;
                }
                Ok(PaidOrder { order: after, payment, before: false })
            }
        }
    })
    .await
}

/// Pays the order with a recorded payment that belongs to no order, because an operator recorded it from the
/// bank first. Its commissions were decided at that time.
async fn adopted(app: &App, after: Order, payment: PaymentRecord) -> Result<PaidOrder, OrderRefusal> {
    let same = (&payment.member, payment.paid) == (&after.member, after.price);
    if payment.order.is_some() || !same {
        return Err(OrderRefusal::TransactionUsed);
    }
    let writes = [
        app.store.payments().adopt(&payment, &after.id, ()).map_err(AppError::from)?,
        app.store.orders().replace(&after, ()).map_err(AppError::from)?,
    ];
    match refusal(app.store.commit(&writes).await)? {
        None => {
            let payment = PaymentRecord { order: Some(after.id.clone()), ..payment };
            Ok(PaidOrder { order: after, payment, before: false })
        }
        // A concurrent copy of the request or another order was first.
        Some(()) => match app.store.orders().find(&after.id).await? {
            Some(order) if order.payment().is_some() && order.payment() == after.payment() => {
                Ok(PaidOrder { order, payment, before: true })
            }
            _ => Err(OrderRefusal::TransactionUsed),
        },
    }
}

/// Returns the natural key of the order's payment. The transfer in the order and the transfer in the request
/// must match.
fn payment_key(order: &Order, told: Option<&ExternalPaymentId>) -> Result<PaymentKey, OrderRefusal> {
    let named = |id| PaymentKey::named(order.method.rail(), id).map_err(AppError::from);
    let told = told.map(named).transpose()?;
    let known = match order.payment() {
        Some(key) => Some(key.clone()),
        None => order.transfer().map_err(AppError::from)?,
    };
    match (known, told) {
        (Some(known), Some(told)) if known != told => Err(OrderRefusal::OtherTransaction),
        (Some(key), _) | (None, Some(key)) => Ok(key),
        (None, None) => Err(OrderRefusal::NoTransaction),
    }
}

fn facts_of(plans: &[Plan], order: &Order, key: PaymentKey, now: Timestamp) -> PaymentFacts {
    let mut facts = PaymentFacts::purchase(key, order.member.clone(), order.price, now);
    if let Some(plan) = plans.iter().find(|plan| plan.id == order.product) {
        facts.tier = plan.price;
    }
    facts.lines = vec![PaymentLine::unit(ProductId::from(&order.product), order.price)];
    facts
}
