//! Turns committed changes into domain events on the bus.
pub mod handler;
