//! Which Stripe customer is which member.

use guerdon_domain::ids::{CustomerId, MemberId, PaymentKey, TelegramId};
use guerdon_store::{payments::CustomerLink, table::metered};

use crate::{
    context::App,
    error::{AppError, refusal},
};

/// What linking came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Linked {
    /// Known from now on.
    Applied(MemberId),
    /// Known before.
    AlreadyApplied(MemberId),
    /// The customer is another member's; the first link stays.
    Refused {
        /// The member who keeps the customer.
        owner: MemberId,
    },
}

impl Linked {
    /// The member that the customer is.
    pub const fn member(&self) -> &MemberId {
        match self {
            Self::Applied(member) | Self::AlreadyApplied(member) | Self::Refused { owner: member } => member,
        }
    }
}

/// Links a customer to the member with this Telegram id. The first link of a customer is for ever.
///
/// # Errors
/// [`AppError`].
pub async fn link_customer(
    app: &App,
    customer: &CustomerId,
    telegram_id: TelegramId,
) -> Result<Linked, AppError> {
    metered("link_customer", async {
        let member = app.member_id(telegram_id);
        let outcome = |owner: MemberId| {
            if owner == member { Linked::AlreadyApplied(owner) } else { Linked::Refused { owner } }
        };
        if let Some(link) = app.store.customers().find(customer).await? {
            return Ok(outcome(link.member));
        }
        let link = CustomerLink { customer: customer.clone(), member: member.clone(), linked_at: app.now() };
        let writes = app.store.customers().link(&link, telegram_id, ())?;
        match refusal(app.store.commit(&writes).await)? {
            None => Ok(Linked::Applied(member)),
            Some(()) => match app.store.customers().find(customer).await? {
                Some(link) => Ok(outcome(link.member)),
                None => Err(AppError::Conflict),
            },
        }
    })
    .await
}

/// The member that a Stripe customer is, if that is known.
///
/// # Errors
/// [`AppError`].
pub async fn member_of_customer(app: &App, customer: &CustomerId) -> Result<Option<MemberId>, AppError> {
    Ok(app.store.customers().find(customer).await?.map(|link| link.member))
}

/// The payment behind a provider's other name for it, if the two are tied.
///
/// # Errors
/// [`AppError`].
pub async fn payment_behind(app: &App, reference: &PaymentKey) -> Result<Option<PaymentKey>, AppError> {
    Ok(app.store.customers().referenced(reference).await?)
}
