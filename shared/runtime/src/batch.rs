//! SQS batches: each message is handled on its own, and only the failed ones are delivered again.

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use guerdon_app::{
    context::{Clock, SystemClock},
    error::AppError,
};
use guerdon_store::table::METRICS;

/// Handles each message of `event` and reports those that failed. A message that can never succeed is reported
/// too: after its last delivery it is in the dead-letter queue, which raises an alarm.
pub async fn run<F, R>(function: &'static str, event: SqsEvent, mut handle: F) -> SqsBatchResponse
where
    F: FnMut(SqsMessage) -> R,
    R: Future<Output = Result<(), AppError>>,
{
    if let Some(queue_age_ms) = oldest(&event.records) {
        tracing::info!(target: METRICS, queue_age_ms);
    }
    let mut response = SqsBatchResponse::default();
    for message in event.records {
        let id = message.message_id.clone().unwrap_or_default();
        if let Err(error) = handle(message).await {
            if error.retryable() {
                tracing::warn!(function, message_id = id, code = error.code(), %error, "message will be delivered again");
            } else {
                tracing::error!(function, message_id = id, code = error.code(), %error, "message failed");
                tracing::info!(target: METRICS, failed_messages = 1);
            }
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id;
            response.batch_item_failures.push(failure);
        }
    }
    response
}

/// Age of the batch's oldest message in milliseconds, by SQS's `SentTimestamp`.
fn oldest(messages: &[SqsMessage]) -> Option<i64> {
    let sent =
        messages.iter().filter_map(|message| message.attributes.get("SentTimestamp")?.parse::<i64>().ok());
    sent.min().map(|sent| SystemClock::default().now().millis().saturating_sub(sent))
}

/// The message's body.
///
/// # Errors
/// [`AppError::Corrupt`] when there is none.
pub fn body(message: &SqsMessage) -> Result<&str, AppError> {
    message.body.as_deref().ok_or_else(|| AppError::Corrupt("a message without a body".into()))
}
