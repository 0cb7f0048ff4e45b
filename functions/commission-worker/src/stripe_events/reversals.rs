//! Reversals at Stripe: refunds, disputes, credit notes, voided and uncollectible invoices.

use guerdon_app::{
    error::AppError,
    payments::{Parked, Reversed, reverse_payment},
    stored::WaitsFor,
};
use guerdon_domain::{
    ids::{ExternalPaymentId, InvoiceId, PaymentKey},
    payments::{DisputeStage, RefundStage, Reversal, ReversalKind},
};
use guerdon_stripe::{
    credit_note::CreditNoteStatus,
    dispute::{Dispute, DisputeStatus},
    event::{EventObject, StripeEvent},
    refund::{Refund, RefundStatus},
};

use super::key::stripe_key;
use crate::{
    message::Received,
    parked::{park, replay},
    worker::Worker,
};

/// The name under which reversals in another currency than their payment are parked: how much of the payment such an
/// amount undoes is an operator's decision.
const OTHER_CURRENCY: &str = "reversal_in_another_currency";

/// A reversal and the payment it is about.
pub(super) struct Undone {
    subject: Subject,
    reversal: Reversal,
}

enum Subject {
    /// The payment's key.
    Payment(PaymentKey),
    /// Another name that Stripe has for the payment.
    Reference(PaymentKey),
}

/// Reads the reversal that an event reports, if it reports one about a payment. One that names no payment, such as the
/// refund of a customer's cash balance, reverses nothing that is booked here.
///
/// # Errors
/// [`AppError::Corrupt`] when an amount cannot be computed.
pub(super) fn of(event: &StripeEvent) -> Result<Option<Undone>, AppError> {
    let (subject, kind) = match &event.object {
        EventObject::Refund(refund) => {
            let subject = subject(&refund.invoice, &refund.payment_intent, &refund.charge)?;
            let stage = refund_stage(event, refund);
            (subject, ReversalKind::Refund { id: refund.id.clone(), amount: refund.amount, stage })
        }
        EventObject::Charge(charge) => {
            let subject = subject(&charge.invoice, &charge.payment_intent, &Some(charge.id.clone()))?;
            (subject, ReversalKind::RefundedTotal { amount: charge.amount_refunded })
        }
        EventObject::Dispute(dispute) => {
            let subject = subject(&dispute.invoice, &dispute.payment_intent, &dispute.charge)?;
            let stage = dispute_stage(event, dispute);
            (subject, ReversalKind::Dispute { id: dispute.id.clone(), amount: dispute.amount, stage })
        }
        EventObject::CreditNote(note) => {
            let amount = note.amount.checked_sub(note.pre_payment_amount)?.checked_sub(note.credited)?;
            let voided = event.kind == "credit_note.voided" || note.status == CreditNoteStatus::Void;
            let (id, refunds) = (note.id.clone(), note.refunds.clone());
            let kind = ReversalKind::CreditNote { id, amount, refunds, voided };
            (subject(&note.invoice, &None, &None)?, kind)
        }
        // An invoice that was never paid has nothing to undo.
        EventObject::Invoice(invoice)
            if matches!(event.kind.as_str(), "invoice.voided" | "invoice.marked_uncollectible")
                && invoice.amount_paid.is_positive() =>
        {
            let subject = subject(&Some(invoice.id.clone()), &None, &None)?;
            (subject, ReversalKind::Invoice { undone: true })
        }
        _ => return Ok(None),
    };
    let Some(subject) = subject else {
        tracing::info!(event_id = event.id, kind = event.kind, "ignored: the reversal names no payment");
        return Ok(None);
    };
    Ok(Some(Undone { subject, reversal: Reversal { at: event.created, kind } }))
}

fn subject(
    invoice: &Option<InvoiceId>,
    payment_intent: &Option<ExternalPaymentId>,
    charge: &Option<ExternalPaymentId>,
) -> Result<Option<Subject>, AppError> {
    if let Some(invoice) = invoice {
        return Ok(Some(Subject::Payment(stripe_key(ExternalPaymentId::parse(invoice.as_str())?))));
    }
    let name = payment_intent.clone().or_else(|| charge.clone());
    Ok(name.map(|name| Subject::Reference(stripe_key(name))))
}

fn refund_stage(event: &StripeEvent, refund: &Refund) -> RefundStage {
    match refund.status {
        RefundStatus::Succeeded => RefundStage::Succeeded,
        RefundStatus::Failed | RefundStatus::Canceled => RefundStage::Failed,
        _ if event.kind == "refund.failed" => RefundStage::Failed,
        RefundStatus::Pending | RefundStatus::RequiresAction | RefundStatus::Unknown => RefundStage::Pending,
    }
}

/// State of a dispute. A decision comes first: Stripe sends `funds_reinstated` also for a lost dispute, when
/// a part of the payment had been refunded before
/// (<https://docs.stripe.com/api/events/types#event_types-charge.dispute.funds_reinstated>). While the dispute is
/// undecided the event's type says more: `funds_withdrawn` carries the status of a dispute that only needs a response.
fn dispute_stage(event: &StripeEvent, dispute: &Dispute) -> DisputeStage {
    match (dispute.status, event.kind.as_str()) {
        (DisputeStatus::Lost, _) => DisputeStage::Lost,
        (DisputeStatus::Won, _) => DisputeStage::Won,
        // Money that was taken is taken, also where the dispute itself was prevented.
        (_, "charge.dispute.funds_withdrawn") => DisputeStage::Withdrawn,
        (_, "charge.dispute.funds_reinstated")
        | (DisputeStatus::Prevented | DisputeStatus::WarningClosed, _) => DisputeStage::Won,
        (status, _) if status.is_inquiry() => DisputeStage::Inquiry,
        _ => DisputeStage::Opened,
    }
}

/// Merges the reversal into its payment, or parks the event until the payment is known.
pub(super) async fn reverse(
    worker: &Worker,
    received: &Received<'_>,
    undone: &Undone,
) -> Result<(), AppError> {
    let event = &received.event;
    // Earlier versions parked such events under this name.
    replay(worker, &WaitsFor::Handler { kind: format!("stripe.{}", event.kind) }).await?;
    // What it waits for may appear just before it is parked: the reference once, and the payment once.
    for _ in 0..3 {
        let payment = match &undone.subject {
            Subject::Payment(payment) => Some(payment.clone()),
            Subject::Reference(reference) => {
                guerdon_app::payments::payment_behind(&worker.app, reference).await?
            }
        };
        let waits_for = match (payment, &undone.subject) {
            (Some(payment), _) => match reverse_payment(&worker.app, &payment, &undone.reversal).await? {
                Reversed::Applied { undone: amount, changed } => {
                    let (event_id, minor) = (&event.id, amount.minor());
                    tracing::info!(event_id, minor, changed, "payment reversed");
                    if has_moved(worker, &undone.subject, &payment).await? {
                        continue;
                    }
                    return Ok(());
                }
                Reversed::AlreadyApplied if has_moved(worker, &undone.subject, &payment).await? => continue,
                Reversed::AlreadyApplied => return Ok(()),
                Reversed::UnknownPayment => WaitsFor::Payment { payment },
                Reversed::OtherCurrency => {
                    tracing::error!(
                        event_id = event.id,
                        kind = event.kind,
                        "reversal in another currency: parked"
                    );
                    WaitsFor::Handler { kind: OTHER_CURRENCY.to_owned() }
                }
            },
            (None, Subject::Reference(reference)) => WaitsFor::Reference { reference: reference.clone() },
            (None, Subject::Payment(payment)) => WaitsFor::Payment { payment: payment.clone() },
        };
        if park(worker, received, waits_for).await? == Parked::Waiting {
            return Ok(());
        }
    }
    Err(AppError::Conflict)
}

/// Returns whether the name counts with another payment since it was looked up: only an intent that was booked by itself
/// can move.
async fn has_moved(worker: &Worker, subject: &Subject, payment: &PaymentKey) -> Result<bool, AppError> {
    match subject {
        Subject::Reference(reference) if payment.is_payment_intent() => {
            let now = guerdon_app::payments::payment_behind(&worker.app, reference).await?;
            Ok(now.is_some_and(|now| now != *payment))
        }
        _ => Ok(false),
    }
}
