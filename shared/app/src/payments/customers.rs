//! Links between Stripe customers and members.

use guerdon_domain::{
    bill_credit::BillingReport,
    ids::{CustomerId, MemberId, PaymentKey, TelegramId},
};
use guerdon_store::{payments::CustomerLink, table::metered};

use crate::{
    attempt::Attempts,
    bill_credit::customers_of,
    context::App,
    error::{AppError, refusal},
};

/// The result of linking a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Linked {
    /// The link is new.
    Applied(MemberId),
    /// The link existed before.
    AlreadyApplied(MemberId),
    /// The customer is linked to another member. The first link stays.
    Refused {
        /// The member who keeps the customer.
        owner: MemberId,
    },
}

impl Linked {
    /// Returns the member who is linked to the customer.
    pub const fn member(&self) -> &MemberId {
        match self {
            Self::Applied(member) | Self::AlreadyApplied(member) | Self::Refused { owner: member } => member,
        }
    }
}

#[derive(Clone, Copy)]
enum Refused {
    /// The customer is linked already.
    Known,
    /// Another customer of the member has changed.
    Moved,
}

/// Links a customer to the member with this Telegram id, with what the same event reports about its bills. The first
/// link of a customer stays until an operator changes it.
pub async fn link_customer(
    app: &App,
    customer: &CustomerId,
    telegram_id: TelegramId,
    reports: &[BillingReport],
) -> Result<Linked, AppError> {
    metered("link_customer", async {
        let member = app.member_id(telegram_id);
        let outcome = |owner: MemberId| {
            if owner == member { Linked::AlreadyApplied(owner) } else { Linked::Refused { owner } }
        };
        if let Some(link) = app.store.customers().find(customer).await? {
            return Ok(outcome(link.member));
        }
        let linked_at = app.now();
        let former = Vec::new();
        let link = CustomerLink { customer: customer.clone(), member: member.clone(), linked_at, former };
        let reports = [&[BillingReport::Linked { at: linked_at }], reports].concat();
        let mut attempts = Attempts::default();
        loop {
            let before = customers_of(app, &member).await?;
            let next = before.merged(customer, &reports);
            let target = next.as_ref().unwrap_or(&before).target();
            let mut writes = app.store.customers().link(&link, telegram_id, target, Refused::Known)?.to_vec();
            if let Some(next) = &next {
                writes.push(app.store.bill_credit().replace_customers(next, Refused::Moved)?);
            }
            match refusal(app.store.commit(&writes).await)? {
                None => return Ok(Linked::Applied(member)),
                Some(Refused::Moved) => attempts.again(app).await?,
                Some(Refused::Known) => {
                    let link = app.store.customers().find(customer).await?;
                    return link.map(|link| outcome(link.member)).ok_or(AppError::Conflict);
                }
            }
        }
    })
    .await
}

/// Returns the member who is linked to a Stripe customer, if there is one.
pub async fn member_of_customer(app: &App, customer: &CustomerId) -> Result<Option<MemberId>, AppError> {
    Ok(app.store.customers().find(customer).await?.map(|link| link.member))
}

/// Returns the payment that is linked to a provider's other name for it, if there is one.
pub async fn payment_behind(app: &App, reference: &PaymentKey) -> Result<Option<PaymentKey>, AppError> {
    let payment = app.store.customers().referenced(reference).await?;
    match payment {
        // An intent that was booked by itself may count with another payment since.
        Some(intent) if intent != *reference && intent.is_payment_intent() => {
            let counts_with = app.store.customers().referenced(&intent).await?;
            Ok(counts_with.or(Some(intent)))
        }
        payment => Ok(payment),
    }
}
