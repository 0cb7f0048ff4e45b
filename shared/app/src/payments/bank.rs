//! Payments that an operator saw at the bank.

use guerdon_domain::{
    ids::{ExternalPaymentId, IdError, MemberId, PaymentKey, Rail},
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

/// A payment as an operator reads it off a bank statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankPayment {
    /// The transfer's reference: the payment's natural key.
    pub reference: ExternalPaymentId,
    /// What arrived.
    pub paid: Money,
    /// What it is for.
    pub purpose: Purpose,
    /// The plan that was bought, by its id.
    pub product: Option<String>,
}

/// Why a payment was not recorded. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BankRefusal {
    /// Nobody of that id is known.
    #[error("no member has this user id")]
    UnknownMember,
    /// No plan has this id.
    #[error("no plan has this id; there is: {0}")]
    UnknownProduct(String),
    /// Zero, negative, or more than anybody transfers.
    #[error("the amount must be above zero and at most {0}")]
    BadAmount(Money),
    /// A payment with other facts is on record under this reference.
    #[error("this reference is on record with another payer, amount or purpose")]
    ReferenceUsed,
    /// The same key came with another input before.
    #[error("this Idempotency-Key was used for another request")]
    KeyReused,
    /// It did not complete.
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

/// The largest transfer, in minor units: a slip of the finger stays bounded.
const MOST_MINOR: i64 = 1_000_000_000;

/// Records a payment that an operator vouches for, decides it by the program, and leaves an audit line: one
/// transaction. The reference is the natural key: told again with the same facts, nothing happens.
///
/// # Errors
/// [`BankRefusal`]; nothing was changed.
pub async fn record_bank_payment(
    app: &App,
    request: &MemberCall,
    payment: &BankPayment,
) -> Result<Recorded, BankRefusal> {
    metered("record_bank_payment", async {
        request.call.answered(app).await?;
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
                // Where there is no hold it is theirs at once; should this fail, the commission's own event
                // settles it.
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
    let key = PaymentKey { rail: Rail::Bank, id: payment.reference.clone() };
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
        facts.lines = vec![PaymentLine { product: plan.id.clone(), amount: payment.paid }];
    }
    Ok(facts)
}

/// The payment on record, if it is the one that is told. Lines are on record only where a rule asks.
fn known(record: PaymentRecord, told: &PaymentFacts) -> Result<Recorded, BankRefusal> {
    let same = record.member == told.member
        && record.paid == told.paid
        && record.tier == told.tier
        && record.purpose == told.purpose
        && (record.lines.is_empty() || record.lines == told.lines);
    if same { Ok(Recorded::AlreadyApplied(record)) } else { Err(BankRefusal::ReferenceUsed) }
}

/// A currency that a bank transfers: none of those that only count something.
pub fn is_transferred(currency: Currency) -> bool {
    !matches!(currency.as_str(), "DAY" | "XTR" | "BTC" | "LTC")
}
