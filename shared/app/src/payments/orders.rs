//! Orders of a service: made, and paid when the service vouches for it.

use guerdon_domain::{
    fraud::Fingerprint,
    ids::{ExternalPaymentId, MemberId, OrderId, PaymentKey},
    money::Money,
    operators::Stamp,
    payments::{Order, OrderState, OrderStep, PaymentFacts, PaymentLine, PaymentMethod, PaymentRecord},
    settings::Plan,
    time::Timestamp,
    withdrawals::{Destination, PayoutMethod},
};
use guerdon_store::table::{StoreError, metered};

use crate::{
    commissions::settle_wallet,
    context::App,
    error::{AppError, refusal},
    fraud::inspect_payer,
    payments::{Along, Recorded, record_along},
    settings::settings_now,
};

/// An order as a service asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRequest {
    /// Who buys.
    pub member: MemberId,
    /// The plan; the preset's cheapest when the service names none.
    pub product: Option<String>,
    /// What has to be paid, where it is not the plan's price.
    pub price: Option<Money>,
    /// How it is paid.
    pub method: PaymentMethod,
    /// What the payment system calls the transfer, if that is known.
    pub transaction: Option<ExternalPaymentId>,
    /// What it is paid from.
    pub payer: Option<Fingerprint>,
    /// The same as a place to be paid out to, where it is one: [`payout_of`] of a UPI id.
    pub payout: Option<Fingerprint>,
    /// What makes the order this one, where no transaction does: the service's key.
    pub key: Option<String>,
    /// Which service asks.
    pub service: String,
}

/// Why an order was not made or not paid. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OrderRefusal {
    /// Nobody of that id is a member.
    #[error("no member has this user id")]
    UnknownMember,
    /// There is nothing to buy, or no plan of this id.
    #[error("there is no such plan; there is: {0}")]
    UnknownProduct(String),
    /// Zero, negative, too much, or in another currency.
    #[error("the amount must be above zero and at most {0}")]
    BadAmount(Money),
    /// There is no such order.
    #[error("there is no such order")]
    Unknown,
    /// The transfer belongs to an order with other facts, or to another order.
    #[error("this transaction is on record with other facts")]
    TransactionUsed,
    /// Another transfer was told before.
    #[error("this order was told with another transaction")]
    OtherTransaction,
    /// No transfer was ever told.
    #[error("transaction_id is missing, here and in the order")]
    NoTransaction,
    /// It did not complete.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<StoreError> for OrderRefusal {
    fn from(error: StoreError) -> Self {
        Self::App(error.into())
    }
}

/// The largest order, in minor units: a slip of the finger stays bounded.
const MOST_MINOR: i64 = 1_000_000_000;

/// Makes an order. The transaction, or else the service's key, makes it this one: asked for again, it is found.
///
/// # Errors
/// [`OrderRefusal`]; nothing was changed.
pub async fn create_order(app: &App, request: &OrderRequest) -> Result<Order, OrderRefusal> {
    metered("create_order", async {
        let settings = settings_now(app).await?;
        let plan = plan_of(&settings.preset.plans, request.product.as_deref())?;
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
        let order = if app.store.orders().insert(&order).await? {
            order
        } else {
            let known = app.store.orders().find(&order.id).await?.ok_or(AppError::Conflict)?;
            if !alike(&known, &order) {
                return Err(OrderRefusal::TransactionUsed);
            }
            known
        };
        let prints: Vec<_> = order.payer.iter().chain(&request.payout).cloned().collect();
        for print in &prints {
            app.store.sightings().put(print, &order.member, app.now()).await?;
        }
        // Before anything is paid, so that what is found decides the payment.
        inspect_payer(app, &order.member, &prints).await?;
        Ok(order)
    })
    .await
}

/// What an order is paid from, as a place to be paid out to: a payer may be paid out to the same UPI id as others.
pub fn payout_of(app: &App, method: PaymentMethod, payer: &str) -> Option<Fingerprint> {
    match method {
        PaymentMethod::Upi => {
            let destination = Destination::parse(PayoutMethod::Upi, payer).ok()?;
            Some(Fingerprint::destination(&app.pseudonyms, &destination))
        }
        PaymentMethod::Bank | PaymentMethod::Blik => None,
    }
}

fn plan_of<'a>(plans: &'a [Plan], product: Option<&str>) -> Result<&'a Plan, OrderRefusal> {
    let found = match product {
        Some(product) => plans.iter().find(|plan| plan.id == product),
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
        (Some(transaction), _) => format!("{}:{transaction}", request.method.rail().as_str()),
        (None, Some(key)) => format!("{}\n{key}", request.service),
        (None, None) => hex::encode(app.entropy.nonce()?),
    };
    let digest = app.pseudonyms.digest("order", named.as_bytes());
    Ok(OrderId::parse(format!("ord_{}", &digest[..24]))?)
}

/// The same order, however far it has come.
fn alike(known: &Order, asked: &Order) -> bool {
    (&known.member, &known.product, known.price, known.method)
        == (&asked.member, &asked.product, asked.price, asked.method)
        && known.transaction == asked.transaction
}

/// What came of a payment that a service vouched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidOrder {
    /// The order.
    pub order: Order,
    /// What its payment earned whom, and why not.
    pub payment: PaymentRecord,
    /// It was paid before.
    pub before: bool,
}

/// The order of this id, if there is one.
///
/// # Errors
/// [`AppError`].
pub async fn find_order(app: &App, id: &OrderId) -> Result<Option<Order>, AppError> {
    Ok(app.store.orders().find(id).await?)
}

/// Records the payment of an order and what it earns: one transaction with the order. Told again, nothing happens.
///
/// # Errors
/// [`OrderRefusal`]; nothing was changed.
pub async fn pay_order(
    app: &App,
    id: &OrderId,
    transaction: Option<&ExternalPaymentId>,
    service: &str,
) -> Result<PaidOrder, OrderRefusal> {
    metered("pay_order", async {
        let order = app.store.orders().find(id).await?.ok_or(OrderRefusal::Unknown)?;
        let key = payment_key(&order, transaction)?;
        if order.state() == OrderState::Paid {
            let payment = app.store.payments().find(&key).await?;
            let payment =
                payment.ok_or_else(|| AppError::Corrupt("an order's payment is gone".to_owned()))?;
            return Ok(PaidOrder { order, payment, before: true });
        }
        let plans = &settings_now(app).await?.preset.plans;
        let facts = facts_of(plans, &order, key.clone(), app.now());
        let after = order.pay(key, Stamp { by: service.to_owned(), at: app.now() });
        match record_along(app, &facts, Along { order: Some(&after), ..Along::default() }).await? {
            Recorded::AlreadyApplied(payment) if payment.order.as_ref() == Some(id) => {
                let order = app.store.orders().find(id).await?.ok_or(OrderRefusal::Unknown)?;
                Ok(PaidOrder { order, payment, before: true })
            }
            Recorded::AlreadyApplied(payment) => adopted(app, after, payment).await,
            Recorded::Applied(payment) => {
                // Where there is no hold it is theirs at once; should this fail, the commission's own event
                // settles it.
                for (_, beneficiary, _) in payment.grants() {
                    settle_wallet(app, beneficiary).await?;
                }
                Ok(PaidOrder { order: after, payment, before: false })
            }
        }
    })
    .await
}

/// The order as paid by a payment that is on record without one: an operator saw it at the bank first. What it earned
/// was decided then.
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
        // Told twice at once, or another order was faster.
        Some(()) => match app.store.orders().find(&after.id).await? {
            Some(order) if order.payment().is_some() && order.payment() == after.payment() => {
                Ok(PaidOrder { order, payment, before: true })
            }
            _ => Err(OrderRefusal::TransactionUsed),
        },
    }
}

/// The natural key of the order's payment: what was told with the order and what is told now have to agree.
fn payment_key(order: &Order, told: Option<&ExternalPaymentId>) -> Result<PaymentKey, OrderRefusal> {
    if let Some(key) = order.payment() {
        return match told {
            Some(told) if *told != key.id => Err(OrderRefusal::OtherTransaction),
            _ => Ok(key.clone()),
        };
    }
    let id = match (&order.transaction, told) {
        (Some(known), Some(told)) if *known != told.as_str() => return Err(OrderRefusal::OtherTransaction),
        (_, Some(told)) => told.clone(),
        (Some(known), None) => ExternalPaymentId::parse(known).map_err(AppError::from)?,
        (None, None) => return Err(OrderRefusal::NoTransaction),
    };
    Ok(PaymentKey { rail: order.method.rail(), id })
}

fn facts_of(plans: &[Plan], order: &Order, key: PaymentKey, now: Timestamp) -> PaymentFacts {
    let mut facts = PaymentFacts::purchase(key, order.member.clone(), order.price, now);
    if let Some(plan) = plans.iter().find(|plan| plan.id == order.product) {
        facts.tier = plan.price;
    }
    facts.lines = vec![PaymentLine { product: order.product.clone(), amount: order.price }];
    facts
}
