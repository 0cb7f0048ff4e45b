//! One batch of either queue.

use std::sync::Arc;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use guerdon_app::{
    bill_credit::{CustomerBalance, Posted, post_bill_credit},
    commissions::settle_wallet,
    context::App,
    error::AppError,
    events::DomainEvent,
    fraud::{inspect_joined, inspect_reversed, inspect_withdrawal},
    observe::correlated,
};
use guerdon_domain::{ids::MemberId, withdrawals::WithdrawalState};
use guerdon_runtime::{
    batch::{body, run},
    bus::{Envelope, SOURCE},
    queue::Queue,
};

use crate::stripe_events;

/// What the worker needs.
pub struct Worker {
    /// The use cases' context.
    pub app: App,
    /// Stripe's customer balance.
    pub stripe: Arc<dyn CustomerBalance>,
    /// Where replayed events go.
    pub payments: Arc<dyn Queue>,
}

/// Handles a batch; failed messages are reported one by one.
pub async fn handle(worker: &Worker, event: SqsEvent) -> SqsBatchResponse {
    run("commission-worker", event, |message| on_message(worker, message)).await
}

/// The two queues' messages tell themselves apart: ours come in the bus's envelope.
async fn on_message(worker: &Worker, message: SqsMessage) -> Result<(), AppError> {
    let body = body(&message)?;
    let id = message.message_id.as_deref().unwrap_or_default();
    match serde_json::from_str::<Envelope>(body) {
        Ok(envelope) if envelope.source == SOURCE => {
            let event = &envelope.detail.event;
            correlated(envelope.correlation_id(), on_domain_event(worker, event, id)).await
        }
        _ => stripe_events::handle(worker, body, id).await,
    }
}

async fn on_domain_event(worker: &Worker, event: &DomainEvent, message_id: &str) -> Result<(), AppError> {
    match event {
        DomainEvent::ReferralCreated { referee, .. } => {
            inspect_joined(&worker.app, referee).await?;
        }
        DomainEvent::CommissionReversed { beneficiary, .. } => {
            inspect_reversed(&worker.app, beneficiary).await?;
        }
        DomainEvent::ReplayRequested { waits_for, .. } => stripe_events::replay(worker, waits_for).await?,
        // Its money is held by now, and what is found keeps it from being approved.
        DomainEvent::WithdrawalMoved { withdrawal, state: WithdrawalState::Requested, .. } => {
            inspect_withdrawal(&worker.app, withdrawal).await?;
        }
        _ => {}
    }
    let Some(member) = event.credit_member() else { return Ok(()) };
    // A member who was just linked may have events parked behind the link.
    if let DomainEvent::CustomerLinked { customer, .. } = event {
        stripe_events::replay_customer(worker, customer).await?;
    }
    settle_and_post(worker, member, message_id).await
}

/// Releases what is due and brings what is available to the member's Stripe balance.
async fn settle_and_post(worker: &Worker, member: &MemberId, message_id: &str) -> Result<(), AppError> {
    let settled = settle_wallet(&worker.app, member).await?;
    let posted = post_bill_credit(&worker.app, worker.stripe.as_ref(), member, message_id).await?;
    let tag = worker.app.tag(member);
    match posted {
        Posted::Done(amount) => {
            tracing::info!(
                member = tag,
                minor = amount.minor(),
                released = settled.released,
                "credit posted"
            );
        }
        Posted::Refused(code) => tracing::error!(member = tag, code, "Stripe refused a posting"),
        Posted::Nothing | Posted::NoCustomer => {}
    }
    if settled.unfinished {
        return Err(AppError::Unavailable("commissions are still appearing in the index".to_owned()));
    }
    Ok(())
}
