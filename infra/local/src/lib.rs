//! The whole system in one process: the embedded table, durable queues, the stream, the schedules, every
//! function's handler called with the event its trigger would send, and the same HTTP routes as in the
//! cloud. Without tokens it brings the simulator (`/sim`).
//!
//! What is simulated is only what AWS, Telegram and Stripe would do; everything of ours is the code that
//! ships. `/local` and `/sim` exist only in this binary.
mod bus;
pub mod config;
mod gateway;
mod local_routes;
mod polling;
mod pumps;
mod queue;
mod schedule;
mod stack;

pub use bus::{EVENT_NAMES, RULES};
pub use config::{Config, Data};
pub use gateway::MEMBER_PATHS;
pub use queue::QueueName;
pub use stack::{Stack, app_on};
