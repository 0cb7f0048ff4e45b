//! A Stripe event becomes use cases.

use guerdon_app::{
    AppError, InvoiceFacts, Linked, Parked, link_customer, park_for_customer, park_for_handler,
    post_bill_credit, reconcile_invoice, record_payment, replay_parked,
    stored::{ParkedEvent, PaymentOutcome, WaitsFor},
};
use guerdon_domain::{
    CustomerId, ExternalPaymentId, MemberId, Money, PaymentFacts, PaymentKey, Rail, Timestamp,
};
use guerdon_stripe::{
    CheckoutMode, CheckoutSession, EventObject, Invoice, InvoiceStatus, PaymentStatus, StripeEvent,
};

use serde::{Deserialize, Serialize};

use crate::handler::Worker;

/// An event that had been parked, on its way back through the queue.
#[derive(Serialize, Deserialize)]
struct Replayed {
    /// When we first heard of it.
    guerdon_parked_at: Timestamp,
    /// The event as it came.
    body: String,
}

/// The queue's message behind an event.
#[derive(Clone, Copy)]
struct Message<'a> {
    body: &'a str,
    id: &'a str,
    known_at: Timestamp,
}

/// Acts on one message: an event, or one that had been parked.
pub(crate) async fn handle(worker: &Worker, body: &str, message_id: &str) -> Result<(), AppError> {
    match serde_json::from_str::<Replayed>(body) {
        Ok(replayed) => {
            let known_at = replayed.guerdon_parked_at;
            on_event(worker, Message { body: &replayed.body, id: message_id, known_at }).await
        }
        Err(_) => on_event(worker, Message { body, id: message_id, known_at: worker.app.now() }).await,
    }
}

/// Acts on one event. Any event may come twice, late, or before the one it builds on.
async fn on_event(worker: &Worker, message: Message<'_>) -> Result<(), AppError> {
    let body = message.body;
    let event = StripeEvent::parse(body.as_bytes()).map_err(|error| AppError::Corrupt(error.to_string()))?;
    // Twice at the most: an event that could not be parked, because its customer became known, is looked
    // at again.
    for _ in 0..2 {
        let member = identify(worker, &event).await?;
        let Some(member) = member else {
            match park_unknown(worker, &event, body).await? {
                Parked::Waiting => return Ok(()),
                Parked::KnownNow => continue,
            }
        };
        return act(worker, &event, &member, message).await;
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
            replay(worker, customer).await?;
            Ok(Some(linked.member().clone()))
        }
        (Some(customer), None) => Ok(worker.app.store.customer(customer).await?.map(|link| link.member)),
        (None, Some(telegram_id)) => Ok(Some(worker.app.member_id(telegram_id))),
        (None, None) => Ok(None),
    }
}

/// Hands the events that waited for a customer back to the queue.
pub(crate) async fn replay(worker: &Worker, customer: &CustomerId) -> Result<(), AppError> {
    let replayed = replay_parked(&worker.app, customer, |event| async move {
        let replayed = Replayed { guerdon_parked_at: event.parked_at, body: event.body };
        Ok(worker.payments.send(serde_json::to_string(&replayed)?).await?)
    })
    .await?;
    if replayed > 0 {
        tracing::info!(replayed, "parked events replayed");
    }
    Ok(())
}

/// What to do with an event about somebody unknown: keep it if it will matter once we know them.
async fn park_unknown(worker: &Worker, event: &StripeEvent, body: &str) -> Result<Parked, AppError> {
    if is_reversal(&event.object) {
        keep_reversal(worker, event, body).await?;
        return Ok(Parked::Waiting);
    }
    let matters = match &event.object {
        EventObject::Invoice(_) => true,
        EventObject::Checkout(session) => is_one_time_payment(session),
        _ => false,
    };
    match event.customer().filter(|_| matters) {
        Some(customer) => {
            let waits_for = WaitsFor::Customer { customer: customer.clone() };
            let parked =
                park_for_customer(&worker.app, &parked(worker, event, waits_for, body), customer).await?;
            tracing::info!(event_id = event.id, kind = event.kind, "parked: the customer is not known yet");
            Ok(parked)
        }
        None => {
            tracing::info!(event_id = event.id, kind = event.kind, "concerns nobody we know");
            Ok(Parked::Waiting)
        }
    }
}

async fn act(
    worker: &Worker,
    event: &StripeEvent,
    member: &MemberId,
    message: Message<'_>,
) -> Result<(), AppError> {
    match &event.object {
        EventObject::Invoice(invoice) => on_invoice(worker, event, invoice, member, message).await,
        EventObject::Checkout(session) if is_one_time_payment(session) => {
            pay(worker, event, &one_time_facts(session, member, message.known_at)?).await
        }
        object if is_reversal(object) => keep_reversal(worker, event, message.body).await,
        // Sessions, customers and subscriptions have done their work by naming their member.
        _ => Ok(()),
    }
}

async fn on_invoice(
    worker: &Worker,
    event: &StripeEvent,
    invoice: &Invoice,
    member: &MemberId,
    message: Message<'_>,
) -> Result<(), AppError> {
    if event.kind == "invoice.created" && invoice.status != InvoiceStatus::Void {
        // Whatever has not reached the customer balance yet can still come off this invoice.
        post_bill_credit(&worker.app, worker.stripe.as_ref(), member, message.id).await?;
    }
    let facts = InvoiceFacts {
        invoice: invoice.id.clone(),
        applied: invoice.credit_applied(),
        voided: invoice.status == InvoiceStatus::Void,
    };
    reconcile_invoice(&worker.app, member, &facts).await?;
    if event.kind == "invoice.paid" {
        let facts = PaymentFacts {
            key: stripe_key(ExternalPaymentId::parse(invoice.id.as_str())?),
            member: member.clone(),
            paid: invoice.amount_paid,
            tax: invoice.tax,
            tier: invoice.tier_amount(),
            paid_at: invoice.paid_at.or(invoice.finalized_at).unwrap_or(invoice.created),
            known_at: message.known_at,
        };
        pay(worker, event, &facts).await?;
    }
    Ok(())
}

async fn pay(worker: &Worker, event: &StripeEvent, facts: &PaymentFacts) -> Result<(), AppError> {
    let recorded = record_payment(&worker.app, facts).await?;
    let (event_id, member) = (&event.id, worker.app.tag(&facts.member));
    match &recorded.record().outcome {
        PaymentOutcome::Granted { commission, reward, .. } => {
            tracing::info!(event_id, member, %commission, minor = reward.minor(), "payment earned a commission");
        }
        PaymentOutcome::Refused { reason } => {
            tracing::info!(event_id, member, reason = reason.code(), "payment earned nothing");
        }
    }
    Ok(())
}

/// A paid checkout without a subscription. One with an invoice is covered by `invoice.paid`.
fn is_one_time_payment(session: &CheckoutSession) -> bool {
    session.mode == CheckoutMode::Payment
        && session.payment_status == PaymentStatus::Paid
        && session.invoice.is_none()
        && session.amount_total.is_some()
}

fn one_time_facts(
    session: &CheckoutSession,
    member: &MemberId,
    known_at: Timestamp,
) -> Result<PaymentFacts, AppError> {
    let total =
        session.amount_total.ok_or_else(|| AppError::Corrupt("a session without a total".to_owned()))?;
    Ok(PaymentFacts {
        key: stripe_key(session.id.clone()),
        member: member.clone(),
        paid: total,
        tax: Money::zero(total.currency()),
        tier: total,
        paid_at: session.created,
        known_at,
    })
}

const fn stripe_key(id: ExternalPaymentId) -> PaymentKey {
    PaymentKey { rail: Rail::Stripe, id }
}

const fn is_reversal(object: &EventObject) -> bool {
    matches!(
        object,
        EventObject::Charge(_)
            | EventObject::Refund(_)
            | EventObject::Dispute(_)
            | EventObject::CreditNote(_)
    )
}

/// Reversals are not acted upon in this version; each is kept, to be replayed by the one that does.
async fn keep_reversal(worker: &Worker, event: &StripeEvent, body: &str) -> Result<(), AppError> {
    let waits_for = WaitsFor::Handler { kind: format!("stripe.{}", event.kind) };
    park_for_handler(&worker.app, &parked(worker, event, waits_for, body)).await?;
    tracing::warn!(event_id = event.id, kind = event.kind, "parked: no rule for it yet");
    Ok(())
}

fn parked(worker: &Worker, event: &StripeEvent, waits_for: WaitsFor, body: &str) -> ParkedEvent {
    ParkedEvent {
        event_id: event.id.clone(),
        waits_for,
        event_kind: event.kind.clone(),
        created: event.created,
        parked_at: worker.app.now(),
        body: body.to_owned(),
    }
}
