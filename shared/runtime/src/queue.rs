//! Queues, to which webhooks send what they verified.

use async_trait::async_trait;

/// A message could not be queued; the caller must ask the sender to try again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the queue did not take the message: {0}")]
pub struct QueueError(pub String);

impl From<QueueError> for guerdon_app::error::AppError {
    fn from(error: QueueError) -> Self {
        Self::Unavailable(guerdon_app::error::Reason::of(error))
    }
}

/// The writing side of a queue.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Sends a message. When this has returned `Ok`, the message is stored.
    async fn send(&self, body: String) -> Result<(), QueueError>;
}

/// An SQS queue.
#[cfg(feature = "queue")]
pub struct SqsQueue {
    client: aws_sdk_sqs::Client,
    url: String,
}

#[cfg(feature = "queue")]
impl SqsQueue {
    /// Makes a client of the queue at `url`.
    pub fn new(aws: &crate::aws::Aws, url: String) -> Self {
        use aws_sdk_sqs::config::{BehaviorVersion, Region};
        let mut config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(aws.region.clone()))
            .credentials_provider(aws.credentials.clone())
            .timeout_config(crate::aws::Aws::timeouts())
            .http_client(aws.http_client());
        config.set_endpoint_url(aws.endpoint.clone());
        Self { client: aws_sdk_sqs::Client::from_conf(config.build()), url }
    }
}

#[cfg(feature = "queue")]
#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, body: String) -> Result<(), QueueError> {
        use aws_sdk_sqs::error::ProvideErrorMetadata;
        let sent = self.client.send_message().queue_url(&self.url).message_body(body).send().await;
        sent.map(|_| ()).map_err(|error| QueueError(error.code().unwrap_or("no answer").to_owned()))
    }
}
