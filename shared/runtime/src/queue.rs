//! Queues: where webhooks leave what they verified.

use async_trait::async_trait;

/// A message could not be queued; the sender must be told to try again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the queue did not take the message: {0}")]
pub struct QueueError(pub String);

impl From<QueueError> for guerdon_app::error::AppError {
    fn from(error: QueueError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// One queue, written to.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Puts a message in. Once this returns, the message is not lost.
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
    /// The queue at `url`.
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
