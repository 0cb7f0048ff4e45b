//! EventBridge on one machine: the rules of the template, applied in-process.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use guerdon_app::{context::Clock, events::Announcement};
use guerdon_runtime::bus::{BusError, Envelope, EventBus, SOURCE};

use crate::queue::{QueueName, Queues};

/// Which events go to which queue. A test compares this with the rules in `template.yaml`.
pub const RULES: [(QueueName, &[&str]); 2] = [
    (
        QueueName::Credits,
        &[
            "referral.created",
            "commission.booked",
            "commission.released",
            "commission.reversed",
            "withdrawal.moved",
            "event.replay_requested",
            "adjustment.booked",
            "customer.linked",
        ],
    ),
    (
        QueueName::Notifications,
        &[
            "referral.created",
            "commission.booked",
            "commission.released",
            "commission.reversed",
            "withdrawal.moved",
            "credit.applied",
        ],
    ),
];

/// Every event there is.
pub const EVENT_NAMES: [&str; 9] = [
    "referral.created",
    "commission.booked",
    "commission.released",
    "commission.reversed",
    "withdrawal.moved",
    "event.replay_requested",
    "adjustment.booked",
    "customer.linked",
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

    fn route(&self, announcement: &Announcement) -> Result<(), String> {
        let name = announcement.event.name();
        let number = self.published.fetch_add(1, Ordering::Relaxed);
        let envelope = Envelope {
            id: format!("local-{number}"),
            detail_type: name.to_owned(),
            source: SOURCE.to_owned(),
            time: self.clock.now().to_string(),
            detail: announcement.clone(),
        };
        let body = serde_json::to_string(&envelope).map_err(|error| error.to_string())?;
        for (queue, names) in RULES {
            if names.contains(&name) {
                self.queues.send(queue, &body).map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl EventBus for LocalBus {
    async fn publish(&self, events: &[Announcement]) -> Result<(), BusError> {
        for (done, event) in events.iter().enumerate() {
            self.route(event).map_err(|reason| BusError { failed: events.len() - done, reason })?;
        }
        Ok(())
    }
}
