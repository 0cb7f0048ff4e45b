//! Members: made, seen, and given tokens.

pub(crate) mod register;
pub(crate) mod token;
pub(crate) mod view;
