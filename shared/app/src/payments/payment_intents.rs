//! Payment intents: the intent of an invoice or a checkout is another name of that payment, one that a business made
//! itself is a payment.
//!
//! Which of both it is, its event does not say, and the event that says it may come later or never. The intent's event
//! waits for a tie. The invoice or the checkout writes it, or else a look-up at Stripe which shows that the intent
//! belongs to neither: then the intent is tied to itself, and its event is booked.

use async_trait::async_trait;
use guerdon_domain::{
    ids::{ExternalPaymentId, PaymentKey},
    payments::{Reversal, ReversalKind},
};
use guerdon_store::{
    payments::{PaymentReference, WaitsFor},
    table::{Effect, metered},
};

use super::{decide_after, move_reversals, reverse_payment};
use crate::{
    context::App,
    error::{AppError, refusal},
};

/// The look-up at Stripe of what a payment intent pays for.
#[async_trait]
pub trait PaymentIntentLookup: Send + Sync {
    /// Returns whether the intent belongs to an invoice or a checkout session.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] when Stripe could not say.
    async fn has_owner(&self, intent: &ExternalPaymentId) -> Result<bool, AppError>;
}

/// The result of claiming an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentIntentClaim {
    /// The intent is a payment. Its event is replayed and booked.
    Own,
    /// It belongs to an invoice or a checkout, whose event ties it.
    Owned,
    /// No event of it waits any more.
    Done,
}

/// Finds out whether a parked intent is a payment of its own. If so, ties it to itself and asks for a replay of its
/// event, in one transaction.
///
/// # Errors
/// [`AppError::Unavailable`] when Stripe could not say: call again.
pub async fn claim_payment_intent(
    app: &App,
    stripe: &dyn PaymentIntentLookup,
    reference: &PaymentKey,
) -> Result<PaymentIntentClaim, AppError> {
    metered("claim_payment_intent", async {
        let waits_for = WaitsFor::Reference { reference: reference.clone() };
        let waiting = app.store.parked().waiting_for(&waits_for).await?;
        let Some(event) = waiting.iter().find(|event| event.is_of_an_intent()) else {
            return Ok(PaymentIntentClaim::Done);
        };
        if stripe.has_owner(&reference.id).await? {
            return Ok(PaymentIntentClaim::Owned);
        }
        let tie = PaymentReference { reference: reference.clone(), payment: reference.clone() };
        let writes =
            [app.store.customers().tie(&tie, ())?, app.store.parked().request_replay(event, app.now(), ())?];
        // A refusal means that the intent was tied meanwhile, which replays its event.
        let refused = refusal(app.store.commit(&writes).await)?;
        Ok(if refused.is_none() { PaymentIntentClaim::Own } else { PaymentIntentClaim::Done })
    })
    .await
}

/// The result of tying a name to a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tied {
    /// The name is tied, to this payment or to another one.
    Done,
    /// The name is an intent that was a payment of its own until now. It is not booked any more, if it was.
    TakenOver,
    /// The name is an intent that is booked as a payment of its own. It counts until the payment that it paid is on
    /// record.
    PaymentUnknown,
}

/// Ties a provider's other name of a payment to it. Events that wait for this name can then be replayed.
///
/// A payment intent that was booked by itself, and turns out to have paid an invoice, counts with the invoice: the same
/// money is one payment. Its payment is undone, what was refunded or disputed of it is so of the invoice, and the invoice is
/// decided again, as the intent's payment stood in its way.
pub async fn tie_reference(app: &App, tie: &PaymentReference) -> Result<Tied, AppError> {
    metered("tie_reference", async {
        if app.store.customers().tie_reference(tie).await? == Effect::Applied {
            return Ok(Tied::Done);
        }
        match app.store.customers().referenced(&tie.reference).await? {
            Some(payment) if payment == tie.reference && payment != tie.payment => {
                if app.store.payments().find(&tie.payment).await?.is_none() {
                    return Ok(Tied::PaymentUnknown);
                }
                app.store.customers().retie(tie).await?;
                take_over(app, tie).await?;
                return Ok(Tied::TakenOver);
            }
            // An earlier call may have died before the last step.
            Some(payment) if payment == tie.payment && payment != tie.reference => {
                take_over(app, tie).await?;
                return Ok(Tied::TakenOver);
            }
            _ => {}
        }
        Ok(Tied::Done)
    })
    .await
}

/// Lets a payment take the place of the intent that was booked by itself. Every step can be repeated.
async fn take_over(app: &App, tie: &PaymentReference) -> Result<(), AppError> {
    if app.store.payments().find(&tie.reference).await?.is_none() {
        return Ok(());
    }
    undo(app, &tie.reference).await?;
    move_reversals(app, &tie.reference, &tie.payment).await?;
    decide_after(app, &tie.payment).await
}

/// Undoes the payment of an intent that another payment counts, if it was booked. To be called after the intent was
/// booked, too: the tie may have changed in between.
pub async fn undo_payment_intent(app: &App, intent: &PaymentKey) -> Result<(), AppError> {
    match app.store.customers().referenced(intent).await? {
        Some(payment) if payment != *intent => undo(app, intent).await,
        _ => Ok(()),
    }
}

async fn undo(app: &App, intent: &PaymentKey) -> Result<(), AppError> {
    // Later than the payment by any clock, so that it counts.
    let at = app.now().plus_seconds(1);
    reverse_payment(app, intent, &Reversal { at, kind: ReversalKind::Invoice { undone: true } }).await?;
    Ok(())
}
