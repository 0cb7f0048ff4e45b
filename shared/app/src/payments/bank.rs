//! Bank payments that an operator records.

use guerdon_domain::{
    ids::{ExternalPaymentId, IdError, MemberId, PaymentKey, PlanId, ProductId, Rail},
    money::{Currency, Money},
    payments::{PaymentFacts, PaymentLine, PaymentRecord, Purpose},
};
use guerdon_store::table::{StoreError, metered};

use crate::{
    audit::Line,
    commissions::settle_wallet,
    context::App,
    error::AppError,
    once::{CallRefusal, MemberCall},
    payments::{Recorded, record_once},
    settings::settings_now,
};

/// A payment from a bank statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankPayment {
    /// The reference of the transfer, which is the payment's natural key.
    pub reference: ExternalPaymentId,
    /// The received amount.
    pub paid: Money,
    /// The purpose of the payment.
    pub purpose: Purpose,
    /// The id of the bought plan.
    pub product: Option<PlanId>,
}

/// The reason why a payment was not recorded. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BankRefusal {
    /// No member has this id.
    #[error("no member has this user id")]
    UnknownMember,
    /// No plan has this id.
    #[error("no plan has this id; there is: {0}")]
    UnknownProduct(String),
    /// The amount is zero, negative or above the maximum.
    #[error("the amount must be above zero and at most {0}")]
    BadAmount(Money),
    /// A payment with different facts is recorded under this reference.
    #[error("this reference is on record with another payer, amount or purpose")]
    ReferenceUsed,
    /// The same key was used before with a different input.
    #[error("this Idempotency-Key was used for another request")]
    KeyReused,
    /// The operation did not complete.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<CallRefusal> for BankRefusal {
    fn from(refusal: CallRefusal) -> Self {
        match refusal {
            CallRefusal::KeyReused => Self::KeyReused,
            CallRefusal::App(error) => Self::App(error),
        }
    }
}

impl From<StoreError> for BankRefusal {
    fn from(error: StoreError) -> Self {
        Self::App(error.into())
    }
}

impl From<IdError> for BankRefusal {
    fn from(error: IdError) -> Self {
        Self::App(error.into())
    }
}

/// The largest accepted transfer, in minor units. It limits the effect of a typing error.
const MOST_MINOR: i64 = 1_000_000_000;

/// Records a payment that an operator confirms, decides it by the program, and writes an audit line, in one
/// transaction. The reference is the natural key: a repeated request with the same facts changes nothing.
pub async fn record_bank_payment(
    app: &App,
    request: &MemberCall,
    payment: &BankPayment,
) -> Result<Recorded, BankRefusal> {
    metered("record_bank_payment", async {
        if let Some(record) = recorded_before(app, request, &payment.reference).await? {
            return Ok(Recorded::AlreadyApplied(record));
        }
        if !(1..=MOST_MINOR).contains(&payment.paid.minor()) {
            return Err(BankRefusal::BadAmount(Money::new(MOST_MINOR, payment.paid.currency())));
        }
        let member = app.member_id(request.user_id);
        let facts = facts_of(app, &member, payment).await?;
        if let Some(record) = app.store.payments().find(&facts.key).await? {
            return known(record, &facts);
        }
        app.store.members().find(&member).await?.ok_or(BankRefusal::UnknownMember)?;
        let after = serde_json::json!({ "payment": facts.key.to_string(), "paid": facts.paid }).to_string();
        let line = Line::new("payment.record").about(member).because(request.reason.as_str());
        let line = line.states(["null".to_owned(), after]);
        let once = request.call.once(app, facts.key.to_string(), line);
        match record_once(app, &facts, &once).await? {
            Recorded::AlreadyApplied(record) => known(record, &facts),
            Recorded::Applied(record) => {
                // Without a hold period the referrer receives the credit at once. If this fails, the
                // commission's own event settles it.
                for (_, beneficiary, _) in record.grants() {
                    settle_wallet(app, beneficiary).await?;
                }
                Ok(Recorded::Applied(record))
            }
        }
    })
    .await
}

async fn facts_of(app: &App, member: &MemberId, payment: &BankPayment) -> Result<PaymentFacts, BankRefusal> {
    let key = PaymentKey::named(Rail::Bank, &payment.reference)?;
    let mut facts = PaymentFacts::purchase(key, member.clone(), payment.paid, app.now());
    facts.purpose = payment.purpose;
    if let Some(product) = &payment.product {
        let plans = &settings_now(app).await?.preset.plans;
        let plan = plans.iter().find(|plan| plan.id == *product).ok_or_else(|| {
            let known: Vec<_> = plans.iter().map(|plan| plan.id.as_str()).collect();
            BankRefusal::UnknownProduct(known.join(", "))
        })?;
        if plan.price.currency() == payment.paid.currency() {
            facts.tier = plan.price;
        }
        facts.lines = vec![PaymentLine::unit(ProductId::from(&plan.id), payment.paid)];
    }
    Ok(facts)
}

/// Returns the payment that an earlier call under the same key recorded. What its plan costs by now does not matter.
async fn recorded_before(
    app: &App,
    request: &MemberCall,
    reference: &ExternalPaymentId,
) -> Result<Option<PaymentRecord>, BankRefusal> {
    if request.call.answered(app).await?.is_none() {
        return Ok(None);
    }
    Ok(app.store.payments().find(&PaymentKey::named(Rail::Bank, reference)?).await?)
}

/// Returns the recorded payment if it has the facts of the request.
fn known(record: PaymentRecord, told: &PaymentFacts) -> Result<Recorded, BankRefusal> {
    let same = record.member == told.member
        && record.paid == told.paid
        && record.purpose == told.purpose
        && (products(&record.lines).eq(products(&told.lines)));
    if same { Ok(Recorded::AlreadyApplied(record)) } else { Err(BankRefusal::ReferenceUsed) }
}

fn products(lines: &[PaymentLine]) -> impl Iterator<Item = &ProductId> {
    lines.iter().map(|line| &line.product)
}

/// Returns true for a currency that banks transfer, and false for days, Stars and cryptocurrencies.
pub fn is_transferred(currency: Currency) -> bool {
    currency.is_known() && !matches!(currency.as_str(), "XTR" | "BTC" | "LTC")
}
