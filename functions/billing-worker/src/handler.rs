//! One batch of the credits queue.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use guerdon_app::{
    bill_credit::{Posted, post_bill_credit},
    commissions::settle_wallet,
    error::AppError,
    events::DomainEvent,
    fraud::{inspect_joined, inspect_refunded, inspect_withdrawal},
    observe::correlated,
    payments::claim_payment_intent,
};
use guerdon_domain::{ids::MemberId, withdrawals::WithdrawalState};
use guerdon_runtime::{
    batch::{body, run},
    bus::Envelope,
};

use crate::worker::Worker;

/// Handles a batch; failed messages are reported one by one.
pub async fn handle(worker: &Worker, event: SqsEvent) -> SqsBatchResponse {
    run("billing-worker", event, |message| on_message(worker, message)).await
}

async fn on_message(worker: &Worker, message: SqsMessage) -> Result<(), AppError> {
    let envelope = Envelope::parse(body(&message)?)?;
    let claimant = message.message_id.as_deref().unwrap_or_default();
    let event = &envelope.detail.event;
    correlated(envelope.correlation_id(), async {
        inspect(worker, event).await?;
        bill(worker, event, claimant).await
    })
    .await
}

/// Runs the fraud rules. This comes first, because what they hold must not be released.
async fn inspect(worker: &Worker, event: &DomainEvent) -> Result<(), AppError> {
    match event {
        DomainEvent::ReferralCreated { referee, .. } => {
            inspect_joined(&worker.app, referee).await?;
        }
        DomainEvent::CommissionReversed { referee, .. } => {
            inspect_refunded(&worker.app, referee).await?;
        }
        // Its money is already held, and a finding prevents the approval.
        DomainEvent::WithdrawalMoved { withdrawal, state: WithdrawalState::Requested, .. } => {
            inspect_withdrawal(&worker.app, withdrawal).await?;
        }
        _ => {}
    }
    Ok(())
}

/// Settles and posts credit to the member's Stripe balance. `claimant` names the message.
async fn bill(worker: &Worker, event: &DomainEvent, claimant: &str) -> Result<(), AppError> {
    if let DomainEvent::CreditWaiting { member, .. } = event {
        return post(worker, member, claimant, 0).await;
    }
    if let DomainEvent::PaymentIntentParked { intent } = event {
        let claim = claim_payment_intent(&worker.app, worker.intents.as_ref(), intent).await?;
        tracing::info!(payment = intent.to_string(), ?claim, "payment intent looked up");
        return Ok(());
    }
    let Some(member) = event.credit_member() else { return Ok(()) };
    let settled = settle_wallet(&worker.app, member).await?;
    post(worker, member, claimant, settled.released).await?;
    if settled.unfinished {
        return Err(AppError::Unavailable("commissions are still appearing in the index".into()));
    }
    Ok(())
}

/// Posts what is available. `released` is the number of commissions that were just released into it.
async fn post(worker: &Worker, member: &MemberId, claimant: &str, released: u32) -> Result<(), AppError> {
    let posted = post_bill_credit(&worker.app, worker.stripe.as_ref(), member, claimant).await?;
    let tag = worker.app.tag(member);
    match posted {
        Posted::Done(amount) => {
            tracing::info!(member = tag, minor = amount.minor(), released, "credit posted");
        }
        Posted::Refused(code) => tracing::error!(member = tag, code, "Stripe refused a posting"),
        Posted::Nothing | Posted::NoCustomer => {}
    }
    Ok(())
}
