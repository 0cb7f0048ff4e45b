//! The whole system in one process: the embedded table, durable queues, the stream, the schedules, every
//! function's handler called with the event its trigger would send, and the same HTTP routes as in the
//! cloud. Without tokens it brings the simulator (`/sim`).
//!
//! Only AWS, Telegram and Stripe are simulated; all of Guerdon's own code is the code that ships. `/local` and
//! `/sim` exist only in this binary.

pub mod backup;
pub mod bus;
pub mod config;
pub mod data;
mod files;
pub mod gateway;
pub mod guard;
mod local_routes;
mod metrics;
pub mod parts;
mod polling;
pub mod progress;
mod proxies;
mod pumps;
pub mod queue;
mod schedule;
pub mod server;
mod simulated;
pub mod stack;
mod upgrade;
