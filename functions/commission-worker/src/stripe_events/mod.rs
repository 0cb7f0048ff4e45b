//! A Stripe event becomes use cases.
mod payments;
mod reversals;

use guerdon_app::{
    error::AppError,
    observe::correlated,
    payments::{Linked, Parked, link_customer, park_until_known, replay_parked},
    stored::{ParkedEvent, WaitsFor},
};
use guerdon_domain::{
    ids::{CustomerId, ExternalPaymentId, MemberId, PaymentKey, Rail},
    time::Timestamp,
};
use guerdon_stripe::{EventObject, StripeEvent};
use serde::{Deserialize, Serialize};

use crate::handler::Worker;

/// An event that had been parked, on its way back through the queue.
#[derive(Serialize, Deserialize)]
struct Replayed {
    /// When we first heard of it.
    guerdon_parked_at: Timestamp,
    /// How often it was played again, this time included.
    #[serde(default)]
    replays: u32,
    /// The event as it came.
    body: String,
}

/// The queue's message behind an event.
#[derive(Clone, Copy)]
struct Message<'a> {
    body: &'a str,
    id: &'a str,
    known_at: Timestamp,
    replays: u32,
}

/// Acts on one message: an event, or one that had been parked.
pub(crate) async fn handle(worker: &Worker, body: &str, message_id: &str) -> Result<(), AppError> {
    match serde_json::from_str::<Replayed>(body) {
        Ok(replayed) => {
            let (known_at, replays) = (replayed.guerdon_parked_at, replayed.replays);
            on_event(worker, Message { body: &replayed.body, id: message_id, known_at, replays }).await
        }
        Err(_) => {
            let known_at = worker.app.now();
            on_event(worker, Message { body, id: message_id, known_at, replays: 0 }).await
        }
    }
}

/// Acts on one event. Any event may come twice, late, or before the one it builds on.
async fn on_event(worker: &Worker, message: Message<'_>) -> Result<(), AppError> {
    let event =
        StripeEvent::parse(message.body.as_bytes()).map_err(|error| AppError::Corrupt(error.to_string()))?;
    correlated(&event.id, act(worker, &event, message)).await
}

async fn act(worker: &Worker, event: &StripeEvent, message: Message<'_>) -> Result<(), AppError> {
    if let EventObject::InvoicePayment(paid) = &event.object {
        return payments::tie_invoice_payment(worker, paid).await;
    }
    if let Some(reversal) = reversals::of(event)? {
        reversals::reverse(worker, event, &reversal, message).await?;
        // What an invoice says of the credit it used is still to be looked at.
        if !matches!(event.object, EventObject::Invoice(_)) {
            return Ok(());
        }
    }
    // Twice at the most: an event that could not be parked, because its customer became known, is looked
    // at again.
    for _ in 0..2 {
        let Some(member) = identify(worker, event).await? else {
            match park_unknown(worker, event, message).await? {
                Parked::Waiting => return Ok(()),
                Parked::KnownNow => continue,
            }
        };
        return payments::act(worker, event, &member, message).await;
    }
    Err(AppError::Conflict)
}

/// Whom the event is about. An event that names both a customer and a member links them first.
async fn identify(worker: &Worker, event: &StripeEvent) -> Result<Option<MemberId>, AppError> {
    match (event.customer(), event.member_hint()) {
        (Some(customer), Some(telegram_id)) => {
            let linked = link_customer(&worker.app, customer, telegram_id).await?;
            if let Linked::Refused { owner } = &linked {
                let (event_id, member) = (&event.id, worker.app.tag(owner));
                tracing::warn!(event_id, member, "a customer of one member was named as another's");
            }
            replay_customer(worker, customer).await?;
            Ok(Some(linked.member().clone()))
        }
        (Some(customer), None) => {
            Ok(worker.app.store.customers().find(customer).await?.map(|link| link.member))
        }
        (None, Some(telegram_id)) => Ok(Some(worker.app.member_id(telegram_id))),
        (None, None) => Ok(None),
    }
}

/// Hands the events that waited for a customer back to the queue.
pub(crate) async fn replay_customer(worker: &Worker, customer: &CustomerId) -> Result<(), AppError> {
    replay(worker, &WaitsFor::Customer { customer: customer.clone() }).await
}

/// Hands the events that waited for this back to the queue.
pub(crate) async fn replay(worker: &Worker, waits_for: &WaitsFor) -> Result<(), AppError> {
    let replayed = replay_parked(&worker.app, waits_for, |event| async move {
        let replays = event.replays.saturating_add(1);
        let replayed = Replayed { guerdon_parked_at: event.parked_at, replays, body: event.body };
        Ok(worker.payments.send(serde_json::to_string(&replayed)?).await?)
    })
    .await?;
    if replayed > 0 {
        tracing::info!(replayed, "parked events replayed");
    }
    Ok(())
}

/// What to do with an event about somebody unknown: keep it if it will matter once we know them.
async fn park_unknown(
    worker: &Worker,
    event: &StripeEvent,
    message: Message<'_>,
) -> Result<Parked, AppError> {
    let matters = match &event.object {
        EventObject::Invoice(_) => true,
        EventObject::Checkout(session) => payments::is_one_time_payment(session),
        _ => false,
    };
    match event.customer().filter(|_| matters) {
        Some(customer) => {
            park(worker, event, WaitsFor::Customer { customer: customer.clone() }, message).await
        }
        None => {
            tracing::info!(event_id = event.id, kind = event.kind, "concerns nobody we know");
            Ok(Parked::Waiting)
        }
    }
}

async fn park(
    worker: &Worker,
    event: &StripeEvent,
    waits_for: WaitsFor,
    message: Message<'_>,
) -> Result<Parked, AppError> {
    let parked = ParkedEvent {
        event_id: event.id.clone(),
        waits_for,
        event_kind: event.kind.clone(),
        created: event.created,
        parked_at: message.known_at,
        body: message.body.to_owned(),
        replay_requested_at: None,
        replays: message.replays,
    };
    let outcome = park_until_known(&worker.app, &parked).await?;
    if outcome == Parked::Waiting {
        tracing::info!(event_id = event.id, kind = event.kind, "parked: what it builds on is not known yet");
    }
    Ok(outcome)
}

const fn stripe_key(id: ExternalPaymentId) -> PaymentKey {
    PaymentKey { rail: Rail::Stripe, id }
}
