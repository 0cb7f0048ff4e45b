//! Figures of the business.

pub(crate) mod credits;
pub(crate) mod dashboard;
