//! The tests whose body is longer than a screen, each with the reason. None is at present. A test that is shortened
//! must leave the list.

/// A test and why it is longer.
pub(crate) const LONGER: &[(&str, &str)] = &[];
