//! Stripe's events: each is translated into calls of use cases.
mod key;
mod payments;
mod reversals;

use guerdon_app::{
    error::AppError,
    payments::{Linked, Parked, link_customer},
    stored::WaitsFor,
};
use guerdon_domain::ids::MemberId;
use guerdon_stripe::event::{EventObject, StripeEvent};

use crate::{
    message::Received,
    parked::{park, replay},
    worker::Worker,
};

/// Handles one event. Any event may arrive twice, late, or before the one that it depends on.
pub(crate) async fn act(worker: &Worker, received: &Received<'_>) -> Result<(), AppError> {
    let event = &received.event;
    if let EventObject::InvoicePayment(paid) = &event.object {
        return payments::tie_invoice_payment(worker, paid).await;
    }
    if let Some(reversal) = reversals::of(event)? {
        reversals::reverse(worker, received, &reversal).await?;
        // An invoice may also report how much credit it used, which is handled below.
        if !matches!(event.object, EventObject::Invoice(_)) {
            return Ok(());
        }
    }
    // At most twice: when the customer became known before the event could be parked, the event is handled
    // again.
    for _ in 0..2 {
        let Some(member) = identify(worker, event).await? else {
            match park_unknown(worker, received).await? {
                Parked::Waiting => return Ok(()),
                Parked::KnownNow => continue,
            }
        };
        return payments::act(worker, received, &member).await;
    }
    Err(AppError::Conflict)
}

/// Finds the member that the event is about. An event that names both a customer and a member links them first.
async fn identify(worker: &Worker, event: &StripeEvent) -> Result<Option<MemberId>, AppError> {
    match (event.customer(), event.member_hint()) {
        (Some(customer), Some(telegram_id)) => {
            let linked = link_customer(&worker.app, customer, telegram_id).await?;
            if let Linked::Refused { owner } = &linked {
                let (event_id, member) = (&event.id, worker.app.tag(owner));
                tracing::warn!(event_id, member, "the customer is already linked to another member");
            }
            replay(worker, &WaitsFor::Customer { customer: customer.clone() }).await?;
            Ok(Some(linked.member().clone()))
        }
        (Some(customer), None) => guerdon_app::payments::member_of_customer(&worker.app, customer).await,
        (None, Some(telegram_id)) => Ok(Some(worker.app.member_id(telegram_id))),
        (None, None) => Ok(None),
    }
}

/// Parks an event that no member is linked to, if it will matter once a member is linked; otherwise ignores it.
async fn park_unknown(worker: &Worker, received: &Received<'_>) -> Result<Parked, AppError> {
    let event = &received.event;
    let matters = match &event.object {
        EventObject::Invoice(_) => true,
        EventObject::Checkout(session) => payments::is_one_time_payment(session),
        _ => false,
    };
    match event.customer().filter(|_| matters) {
        Some(customer) => park(worker, received, WaitsFor::Customer { customer: customer.clone() }).await,
        None => {
            tracing::info!(
                event_id = event.id,
                kind = event.kind,
                "ignored: no member is linked to this event"
            );
            Ok(Parked::Waiting)
        }
    }
}
