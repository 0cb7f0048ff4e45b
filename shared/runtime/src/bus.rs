//! The event bus: publishing domain events, and the envelope in which they arrive.

use async_trait::async_trait;
use guerdon_app::{
    error::{AppError, Reason},
    events::Announcement,
};
use serde::{Deserialize, Serialize};

/// The `source` of our events; the rules match on it.
pub const SOURCE: &str = "guerdon";

/// Events could not be published; the stream's batch must be delivered again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the bus did not take {failed} of the events: {reason}")]
pub struct BusError {
    /// Number of events.
    pub failed: usize,
    /// Cause.
    pub reason: String,
}

impl From<BusError> for AppError {
    fn from(error: BusError) -> Self {
        Self::Unavailable(Reason::of(error))
    }
}

/// The writing side of an event bus.
#[async_trait]
pub trait EventBus: Send + Sync {
    /// Publishes all events, or returns an error.
    async fn publish(&self, events: &[Announcement]) -> Result<(), BusError>;
}

/// Envelope that EventBridge puts into an SQS queue, as the target of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// EventBridge's id of the event.
    pub id: String,
    /// The event's name.
    #[serde(rename = "detail-type")]
    pub detail_type: String,
    /// [`SOURCE`].
    pub source: String,
    /// Time of publication, RFC 3339.
    pub time: String,
    /// The event.
    pub detail: Announcement,
}

impl Envelope {
    /// Reads the body of a queue that only the bus writes to.
    ///
    /// # Errors
    /// [`AppError::Corrupt`] for anything else; the error never quotes the body.
    pub fn parse(body: &str) -> Result<Self, AppError> {
        serde_json::from_str(body).map_err(|_| AppError::Corrupt("a message that is no domain event".into()))
    }

    /// Correlation id of the event; an event without one gets its own id.
    pub fn correlation_id(&self) -> &str {
        self.detail.correlation_id.as_deref().unwrap_or(&self.id)
    }
}

/// An EventBridge bus.
#[cfg(feature = "bus")]
pub struct EventBridgeBus {
    client: aws_sdk_eventbridge::Client,
    name: String,
}

#[cfg(feature = "bus")]
impl EventBridgeBus {
    /// Makes a client of the bus `name`.
    pub fn new(aws: &crate::aws::Aws, name: String) -> Self {
        use aws_sdk_eventbridge::config::{BehaviorVersion, Region};
        let mut config = aws_sdk_eventbridge::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(aws.region.clone()))
            .credentials_provider(aws.credentials.clone())
            .timeout_config(crate::aws::Aws::timeouts())
            .http_client(aws.http_client());
        config.set_endpoint_url(aws.endpoint.clone());
        Self { client: aws_sdk_eventbridge::Client::from_conf(config.build()), name }
    }

    async fn put(&self, events: &[Announcement]) -> Result<(), BusError> {
        use aws_sdk_eventbridge::{error::ProvideErrorMetadata, types::PutEventsRequestEntry};
        let failed = |reason: &str| BusError { failed: events.len(), reason: reason.to_owned() };
        let mut request = self.client.put_events();
        for event in events {
            let detail = serde_json::to_string(event).map_err(|error| failed(&error.to_string()))?;
            let entry = PutEventsRequestEntry::builder()
                .event_bus_name(&self.name)
                .source(SOURCE)
                .detail_type(event.event.name())
                .detail(detail)
                .build();
            request = request.entries(entry);
        }
        let output = request.send().await.map_err(|error| failed(error.code().unwrap_or("no answer")))?;
        // The call succeeds even when entries fail: each entry has its own outcome.
        match usize::try_from(output.failed_entry_count).unwrap_or_default() {
            0 => Ok(()),
            count => {
                let reason =
                    output.entries().iter().find_map(|entry| entry.error_code()).unwrap_or("unknown");
                Err(BusError { failed: count, reason: reason.to_owned() })
            }
        }
    }
}

#[cfg(feature = "bus")]
#[async_trait]
impl EventBus for EventBridgeBus {
    async fn publish(&self, events: &[Announcement]) -> Result<(), BusError> {
        // EventBridge takes ten entries a call.
        for chunk in events.chunks(10) {
            self.put(chunk).await?;
        }
        Ok(())
    }
}
