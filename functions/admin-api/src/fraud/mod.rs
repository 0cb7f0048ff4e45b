//! Fraud flags, and blocking members.

pub(crate) mod block;
pub(crate) mod list;
pub(crate) mod resolve;
pub(crate) mod view;
