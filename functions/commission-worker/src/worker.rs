//! State of the function.

use std::sync::Arc;

use guerdon_app::context::App;
use guerdon_runtime::{bus::EventBus, queue::Queue};

/// State that every message is handled with.
pub struct Worker {
    /// The use cases' context.
    pub app: App,
    /// The worker's own queue, for parked events that are replayed.
    pub payments: Arc<dyn Queue>,
    /// The bus, for announcements about bill credit.
    pub bus: Arc<dyn EventBus>,
}
