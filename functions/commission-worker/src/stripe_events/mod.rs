//! Stripe's events: each is translated into calls of use cases.
mod billing;
mod key;
mod payments;
mod reversals;

use guerdon_app::{
    bill_credit::note_billing,
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
        return payments::tie_invoice_payment(worker, received, paid).await;
    }
    if matches!(&event.object, EventObject::PaymentIntent(intent) if intent.invoice.is_some()) {
        tracing::info!(event_id = event.id, kind = event.kind, "ignored: the invoice is the payment");
        return Ok(());
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

/// Finds the member that the event is about. An event that names both a customer and a member links them first. What
/// it says about the customer's bills is noted.
async fn identify(worker: &Worker, event: &StripeEvent) -> Result<Option<MemberId>, AppError> {
    let app = &worker.app;
    let Some(customer) = event.customer() else {
        return Ok(event.member_hint().map(|telegram_id| app.member_id(telegram_id)));
    };
    let reports = billing::reports(event);
    let member = match event.member_hint() {
        Some(telegram_id) => {
            let linked = link_customer(app, customer, telegram_id, &reports).await?;
            if let Linked::Refused { owner } = &linked {
                let (event_id, member) = (&event.id, app.tag(owner));
                tracing::warn!(event_id, member, "the customer is already linked to another member");
            }
            replay(worker, &WaitsFor::Customer { customer: customer.clone() }).await?;
            if let Linked::Applied(member) = linked {
                return Ok(Some(member));
            }
            linked.member().clone()
        }
        None => match guerdon_app::payments::member_of_customer(app, customer).await? {
            Some(member) => member,
            None => return Ok(None),
        },
    };
    note_billing(app, &member, customer, &reports).await?;
    Ok(Some(member))
}

/// Parks an event that no member is linked to, if it will matter once a member is linked; otherwise ignores it.
async fn park_unknown(worker: &Worker, received: &Received<'_>) -> Result<Parked, AppError> {
    let event = &received.event;
    let matters = match &event.object {
        EventObject::Invoice(_) => true,
        EventObject::Checkout(session) => payments::is_one_time_payment(session),
        EventObject::PaymentIntent(_) => true,
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
