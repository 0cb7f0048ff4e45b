//! The table on one machine: a DynamoDB-compatible engine inside this process.
//!
//! The client is the real SDK. Only its HTTP connector is ours: it passes each request to the embedded
//! database instead of a socket, so tests and the cloud use the same storage code. The connector is also
//! where faults are injected ([`connector::Faults`]).
//!
//! Differences from AWS (and what replaces it): no conflicts and no throttling of its own (inject
//! them), no TTL sweeper ([`engine::Engine::sweep_ttl`]), one stream shard ([`engine::Engine::read_stream`]). Indexes are
//! updated at once. A scan follows the order of the partition keys, a `BatchGetItem` leaves nothing unprocessed, and
//! request tokens are lost at a restart and with a failed commit. Unknown parameters and operations, among them projections,
//! `BatchWriteItem` and the capacity of single indexes, are refused by their name. The texts of error messages
//! are our own.
mod answer;
pub mod connector;
mod dispatch;
pub mod engine;
pub mod error;
pub mod options;
#[cfg(feature = "sqlite")]
mod sqlite;
pub mod stream;
mod tables;
pub mod wire;
