//! Links between Stripe customers and members.

use guerdon_domain::ids::{CustomerId, MemberId, PaymentKey, TelegramId};
use guerdon_store::{payments::CustomerLink, table::metered};

use crate::{
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

/// Links a customer to the member with this Telegram id. The first link of a customer never changes.
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

/// Returns the member who is linked to a Stripe customer, if there is one.
pub async fn member_of_customer(app: &App, customer: &CustomerId) -> Result<Option<MemberId>, AppError> {
    Ok(app.store.customers().find(customer).await?.map(|link| link.member))
}

/// Returns the payment that is linked to a provider's other name for it, if there is one.
pub async fn payment_behind(app: &App, reference: &PaymentKey) -> Result<Option<PaymentKey>, AppError> {
    Ok(app.store.customers().referenced(reference).await?)
}
