//! EventBridge on one machine: the rules of the template, applied in-process.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use guerdon_app::{context::Clock, events::Announcement};
use guerdon_runtime::bus::{BusError, Envelope, EventBus, SOURCE};

use crate::queue::{QueueName, Queues, wall_millis};

/// A rule: which events go to which queue, and in which form.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The rule's target.
    pub queue: QueueName,
    /// The events' names.
    pub events: &'static [&'static str],
    /// The target's `InputTemplate`, with `<announcement>` for the event's detail. Without one the queue gets the
    /// whole envelope.
    pub input: Option<&'static str>,
}

/// The rules there are. A test compares them with those in `template.yaml`.
pub const RULES: [Rule; 3] = [
    Rule {
        queue: QueueName::Payments,
        events: &["event.replay_requested", "customer.linked"],
        input: Some(r#"{"object":"guerdon.announcement","announcement":<announcement>}"#),
    },
    Rule {
        queue: QueueName::Credits,
        events: &[
            "referral.created",
            "commission.booked",
            "commission.released",
            "commission.reversed",
            "withdrawal.moved",
            "adjustment.booked",
            "customer.linked",
            "customers.changed",
            "payment_intent.parked",
            "credit.waiting",
        ],
        input: None,
    },
    Rule {
        queue: QueueName::Notifications,
        events: &[
            "referral.created",
            "commission.booked",
            "commission.released",
            "commission.reversed",
            "withdrawal.moved",
            "credit.applied",
        ],
        input: None,
    },
];

/// Every event there is.
pub const EVENT_NAMES: [&str; 12] = [
    "referral.created",
    "commission.booked",
    "commission.released",
    "commission.reversed",
    "withdrawal.moved",
    "event.replay_requested",
    "adjustment.booked",
    "customer.linked",
    "customers.changed",
    "payment_intent.parked",
    "credit.waiting",
    "credit.applied",
];

/// Puts each event into the queues whose rule names it.
pub struct LocalBus {
    queues: Queues,
    clock: Arc<dyn Clock>,
    published: AtomicU64,
}

impl LocalBus {
    /// A bus into `queues`.
    pub fn new(queues: Queues, clock: Arc<dyn Clock>) -> Self {
        Self { queues, clock, published: AtomicU64::new(0) }
    }

    /// The messages that the rules make of an event.
    fn route(&self, announcement: &Announcement) -> serde_json::Result<Vec<(QueueName, String)>> {
        let name = announcement.event.name();
        let number = self.published.fetch_add(1, Ordering::Relaxed);
        let envelope = Envelope {
            id: format!("local-{number}"),
            detail_type: name.to_owned(),
            source: SOURCE.to_owned(),
            time: self.clock.now().to_string(),
            detail: announcement.clone(),
        };
        let rules = RULES.iter().filter(|rule| rule.events.contains(&name));
        rules.map(|rule| Ok((rule.queue, body(rule, &envelope)?))).collect()
    }
}

/// The event as the rule's target gets it.
fn body(rule: &Rule, envelope: &Envelope) -> serde_json::Result<String> {
    match rule.input {
        Some(template) => Ok(template.replace("<announcement>", &serde_json::to_string(&envelope.detail)?)),
        None => serde_json::to_string(envelope),
    }
}

#[async_trait]
impl EventBus for LocalBus {
    async fn publish(&self, events: &[Announcement]) -> Result<(), BusError> {
        let failed = |reason: String| BusError { failed: events.len(), reason };
        let mut messages = Vec::new();
        for event in events {
            messages.extend(self.route(event).map_err(|error| failed(error.to_string()))?);
        }
        if messages.is_empty() {
            return Ok(());
        }
        // All of them or none, in one commit.
        let ticket =
            self.queues.send_all(&messages, wall_millis()).map_err(|error| failed(error.to_string()))?;
        ticket.settled().await.map_err(|error| failed(error.to_string()))
    }
}
