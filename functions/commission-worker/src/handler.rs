//! One batch of the payments queue.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use guerdon_app::{error::AppError, observe::correlated};
use guerdon_runtime::batch::{body, run};

use crate::{message::Message, parked::replay, stripe_events, worker::Worker};

/// Handles a batch; failed messages are reported one by one.
pub async fn handle(worker: &Worker, event: SqsEvent) -> SqsBatchResponse {
    run("commission-worker", event, |message| on_message(worker, message)).await
}

async fn on_message(worker: &Worker, message: SqsMessage) -> Result<(), AppError> {
    match Message::parse(body(&message)?, worker.app.now())? {
        Message::Event(received) => {
            correlated(&received.event.id, stripe_events::act(worker, &received)).await
        }
        Message::Replay { waits_for, correlation_id } => {
            let id = correlation_id.or(message.message_id.clone()).unwrap_or_default();
            correlated(id, replay(worker, &waits_for)).await
        }
    }
}
