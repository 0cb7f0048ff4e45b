//! Which member a Stripe customer is, which payment a payment intent is, and what to do with events about
//! those that nobody knows yet.

use guerdon_domain::ids::{CustomerId, MemberId, TelegramId};
use guerdon_store::{CustomerLink, METRICS, ParkedEvent, PaymentReference, WaitsFor, metered};

use crate::{App, AppError, error::refusal};

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
        if let Some(link) = app.store.customer(customer).await? {
            return Ok(outcome(link.member));
        }
        let link = CustomerLink { customer: customer.clone(), member: member.clone(), linked_at: app.now() };
        let writes = app.store.link_customer(&link, telegram_id, ())?;
        match refusal(app.store.commit(&writes).await)? {
            None => Ok(Linked::Applied(member)),
            Some(()) => match app.store.customer(customer).await? {
                Some(link) => Ok(outcome(link.member)),
                None => Err(AppError::Conflict),
            },
        }
    })
    .await
}

/// What parking came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parked {
    /// It waits.
    Waiting,
    /// What it would wait for has appeared meanwhile: handle the event again.
    KnownNow,
}

/// Parks an event until the customer, the payment or the reference it waits for is known.
///
/// # Errors
/// [`AppError`].
pub async fn park_until_known(app: &App, event: &ParkedEvent) -> Result<Parked, AppError> {
    metered("park_event", async {
        let writes = app.store.park_until(event, ())?;
        let refused = refusal(app.store.commit(&writes).await)?;
        if refused.is_some() {
            return Ok(Parked::KnownNow);
        }
        count_parked();
        Ok(Parked::Waiting)
    })
    .await
}

/// Ties a provider's other name for a payment, such as its payment intent, to the payment. Events that
/// wait for the name can be replayed then.
///
/// # Errors
/// [`AppError`].
pub async fn tie_reference(app: &App, tie: &PaymentReference) -> Result<(), AppError> {
    metered("tie_reference", async { Ok(app.store.tie_reference(tie).await?) }).await
}

/// Keeps an event whose handling this version does not have. Nothing is dropped.
///
/// # Errors
/// [`AppError`].
pub async fn park_for_handler(app: &App, event: &ParkedEvent) -> Result<(), AppError> {
    debug_assert!(matches!(event.waits_for, WaitsFor::Handler { .. }));
    metered("park_event", async {
        app.store.park(event).await?;
        count_parked();
        Ok(())
    })
    .await
}

fn count_parked() {
    tracing::info!(target: METRICS, parked_events = 1);
}

/// Hands every event that waited for the same thing to `replay`, oldest first, and forgets each one that was
/// taken. Cut off in between, the rest is replayed by the next call; what was replayed twice is harmless.
///
/// # Errors
/// [`AppError`] of the table or of `replay`.
pub async fn replay_parked<F, R>(app: &App, waits_for: &WaitsFor, mut replay: F) -> Result<u32, AppError>
where
    F: FnMut(ParkedEvent) -> R,
    R: Future<Output = Result<(), AppError>>,
{
    metered("replay_parked", async {
        let mut replayed = 0;
        for event in app.store.parked_for(waits_for).await? {
            replay(event.clone()).await?;
            app.store.unpark(&event).await?;
            replayed += 1;
        }
        Ok(replayed)
    })
    .await
}
