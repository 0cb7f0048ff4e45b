//! Payments: recorded, vouched for, explained; orders; and events that wait.

pub(crate) mod bank;
pub(crate) mod explain;
pub(crate) mod orders;
pub(crate) mod parked;
pub(crate) mod refund;
pub(crate) mod undecided;
pub(crate) mod vouch;
