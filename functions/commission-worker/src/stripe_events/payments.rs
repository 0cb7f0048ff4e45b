//! Invoices and checkouts: money that settled, and the credit that an invoice used.

use guerdon_app::{
    bill_credit::{InvoiceFacts, credit_waits, reconcile_invoice},
    error::AppError,
    events::{Announcement, DomainEvent},
    observe::METRICS,
    payments::{
        Parked, Recorded, Tied, payment_behind, record_failed_payment, record_payment, reverse_payment,
        tie_reference, undo_payment_intent,
    },
    stored::{PaymentReference, WaitsFor},
};
use guerdon_domain::{
    ids::{ExternalPaymentId, MemberId, PaymentKey, Rail},
    money::Money,
    payments::{PaymentFacts, PaymentLine, Purpose, Reversal, ReversalKind},
    time::Timestamp,
};
use guerdon_stripe::{
    checkout::{CheckoutMode, CheckoutSession, PaymentStatus},
    event::{EventObject, StripeEvent},
    invoice::{Invoice, InvoiceStatus},
    invoice_payment::InvoicePayment,
    payment_intent::PaymentIntent,
};

use super::key::stripe_key;
use crate::{
    message::Received,
    parked::{park, replay},
    worker::Worker,
};

/// Acts on an event about a member.
pub(super) async fn act(worker: &Worker, received: &Received<'_>, member: &MemberId) -> Result<(), AppError> {
    let event = &received.event;
    match &event.object {
        EventObject::Invoice(invoice) => on_invoice(worker, received, invoice, member).await,
        EventObject::Checkout(session) if is_one_time_payment(session) => {
            let facts = one_time_facts(event, session, member, received.known_at)?;
            pay(worker, event, &facts).await?;
            tie(worker, session.payment_intent.as_slice(), &facts.key).await?;
            Ok(())
        }
        EventObject::PaymentIntent(intent) => on_intent(worker, received, intent, member).await,
        // Sessions, customers and subscriptions matter only because they name their member.
        _ => Ok(()),
    }
}

async fn on_invoice(
    worker: &Worker,
    received: &Received<'_>,
    invoice: &Invoice,
    member: &MemberId,
) -> Result<(), AppError> {
    let event = &received.event;
    if event.kind == "invoice.created" && invoice.status != InvoiceStatus::Void {
        announce_waiting_credit(worker, event, invoice, member).await?;
    }
    let facts = InvoiceFacts {
        invoice: invoice.id.clone(),
        customer: invoice.customer.clone(),
        applied: invoice.credit_applied(),
        voided: invoice.status == InvoiceStatus::Void,
    };
    reconcile_invoice(&worker.app, member, &facts).await?;
    if event.kind == "invoice.payment_failed" {
        record_failed_payment(&worker.app, Rail::Stripe, &event.id).await?;
    }
    if event.kind == "invoice.paid" {
        let facts = invoice_facts(event, invoice, member, received.known_at)?;
        if let Recorded::AlreadyApplied(_) = pay(worker, event, &facts).await? {
            // An invoice that was marked uncollectible has been paid.
            let paid = Reversal { at: event.created, kind: ReversalKind::Invoice { undone: false } };
            reverse_payment(&worker.app, &facts.key, &paid).await?;
        }
        let names: Vec<_> =
            [&invoice.payment_intent, &invoice.charge].into_iter().flatten().cloned().collect();
        tie(worker, &names, &facts.key).await?;
    }
    Ok(())
}

/// Announces a new invoice: credit that is not yet on the customer balance can still be used by it. The event counts
/// as handled once the bus has the announcement, and nothing is written here that could disagree with it.
async fn announce_waiting_credit(
    worker: &Worker,
    event: &StripeEvent,
    invoice: &Invoice,
    member: &MemberId,
) -> Result<(), AppError> {
    if credit_waits(&worker.app, member).await? {
        let waiting = DomainEvent::CreditWaiting { invoice: invoice.id.clone(), member: member.clone() };
        let waiting = Announcement { event: waiting, correlation_id: Some(event.id.clone()) };
        worker.bus.publish(&[waiting]).await?;
    }
    Ok(())
}

fn invoice_facts(
    event: &StripeEvent,
    invoice: &Invoice,
    member: &MemberId,
    known_at: Timestamp,
) -> Result<PaymentFacts, AppError> {
    Ok(PaymentFacts {
        key: stripe_key(ExternalPaymentId::parse(invoice.id.as_str())?),
        member: member.clone(),
        purpose: Purpose::Purchase,
        paid: invoice.amount_paid,
        presented: None,
        tax: invoice.tax_paid(),
        tier: invoice.tier_amount(),
        lines: lines_of(invoice),
        cost: None,
        paid_at: invoice.paid_at.unwrap_or(event.created),
        known_at,
    })
}

/// What an invoice sold. Lines that the event does not show are one more, of an unknown product.
fn lines_of(invoice: &Invoice) -> Vec<PaymentLine> {
    let listed = invoice.lines.iter().map(|line| {
        let product = line.product.clone().or_else(|| line.price.clone());
        PaymentLine {
            product: product.unwrap_or_else(|| UNNAMED.to_owned()).into(),
            amount: line.amount,
            quantity: line.quantity,
            proration: line.proration,
            cost: None,
        }
    });
    let rest = invoice.unlisted().map(|amount| PaymentLine::unit(UNNAMED.into(), amount));
    listed.chain(rest).collect()
}

/// The product of a line that names none.
const UNNAMED: &str = "unnamed";

/// Records a payment and replays the events that waited for it.
async fn pay(worker: &Worker, event: &StripeEvent, facts: &PaymentFacts) -> Result<Recorded, AppError> {
    let recorded = record_payment(&worker.app, facts).await?;
    let (event_id, member, record) = (&event.id, worker.app.tag(&facts.member), recorded.record());
    for (candidate, _, reward) in record.grants() {
        let (rule, minor) = (candidate.rule.as_str(), reward.minor());
        tracing::info!(event_id, member, rule, minor, "payment earned a commission");
    }
    if let Some(reason) = record.refusal() {
        tracing::info!(event_id, member, reason = reason.code(), "payment earned nothing");
    }
    if let Recorded::Applied(_) = recorded {
        let payment_age_ms = worker.app.now().millis().saturating_sub(event.created.millis());
        tracing::info!(target: METRICS, payment_age_ms);
    }
    replay(worker, &WaitsFor::Payment { payment: facts.key.clone() }).await?;
    Ok(recorded)
}

/// Ties the payment's other names at Stripe to it and replays the events that waited for them.
async fn tie(worker: &Worker, names: &[ExternalPaymentId], payment: &PaymentKey) -> Result<Tied, AppError> {
    for name in names {
        let tie = PaymentReference { reference: stripe_key(name.clone()), payment: payment.clone() };
        match tie_reference(&worker.app, &tie).await? {
            Tied::PaymentUnknown => return Ok(Tied::PaymentUnknown),
            // What waited for the intent's own payment waits for one that is never booked.
            Tied::TakenOver if tie.reference.is_payment_intent() => {
                replay(worker, &WaitsFor::Payment { payment: tie.reference.clone() }).await?;
            }
            Tied::TakenOver | Tied::Done => {}
        }
        replay(worker, &WaitsFor::Reference { reference: tie.reference }).await?;
    }
    Ok(Tied::Done)
}

/// Books a payment intent that is a payment of its own. Until that is known, its event waits for the intent's tie.
async fn on_intent(
    worker: &Worker,
    received: &Received<'_>,
    intent: &PaymentIntent,
    member: &MemberId,
) -> Result<(), AppError> {
    let key = stripe_key(intent.id.clone());
    // At most twice: the tie may appear just before the event is parked.
    for _ in 0..2 {
        match payment_behind(&worker.app, &key).await? {
            Some(payment) if payment == key => {
                let purchase = PaymentFacts::purchase(
                    key.clone(),
                    member.clone(),
                    intent.received,
                    received.event.created,
                );
                let facts = PaymentFacts { known_at: received.known_at, ..purchase };
                pay(worker, &received.event, &facts).await?;
                undo_payment_intent(&worker.app, &key).await?;
                replay(worker, &WaitsFor::Reference { reference: key.clone() }).await?;
                tie(worker, intent.charge.as_slice(), &key).await?;
                return Ok(());
            }
            // A reversal may have been parked just while another payment took the intent over.
            Some(_) => return replay(worker, &WaitsFor::Payment { payment: key }).await,
            None => {
                let waits_for = WaitsFor::Reference { reference: key.clone() };
                if park(worker, received, waits_for).await? == Parked::Waiting {
                    return Ok(());
                }
            }
        }
    }
    Err(AppError::Conflict)
}

/// Ties an invoice to its payment intent. Since API version `basil` only this event names the intent of an invoice. An
/// intent that was booked by itself counts until the invoice is on record.
pub(super) async fn tie_invoice_payment(
    worker: &Worker,
    received: &Received<'_>,
    paid: &InvoicePayment,
) -> Result<(), AppError> {
    let payment = stripe_key(ExternalPaymentId::parse(paid.invoice.as_str())?);
    let names: Vec<_> = [&paid.payment_intent, &paid.charge].into_iter().flatten().cloned().collect();
    // At most twice: the invoice may be recorded just before the event is parked.
    for _ in 0..2 {
        if tie(worker, &names, &payment).await? != Tied::PaymentUnknown {
            return Ok(());
        }
        let waits_for = WaitsFor::Payment { payment: payment.clone() };
        if park(worker, received, waits_for).await? == Parked::Waiting {
            return Ok(());
        }
    }
    Err(AppError::Conflict)
}

/// Returns whether the session is a paid checkout without a subscription. `invoice.paid` covers one with an invoice.
pub(super) fn is_one_time_payment(session: &CheckoutSession) -> bool {
    session.mode == CheckoutMode::Payment
        && session.payment_status == PaymentStatus::Paid
        && session.invoice.is_none()
        && session.amount_total.is_some()
}

/// The payment of a session. It settled when the event says so: a session is opened earlier, and a delayed method pays
/// it days later.
fn one_time_facts(
    event: &StripeEvent,
    session: &CheckoutSession,
    member: &MemberId,
    known_at: Timestamp,
) -> Result<PaymentFacts, AppError> {
    let total = session.amount_total.ok_or_else(|| AppError::Corrupt("a session without a total".into()))?;
    let key = stripe_key(session.id.clone());
    let tax = session.amount_tax.unwrap_or(Money::zero(total.currency()));
    let presented = session.presented;
    let purchase = PaymentFacts::purchase(key, member.clone(), total, event.created);
    Ok(PaymentFacts { presented, tax, known_at, ..purchase })
}
