//! The tests whose body is longer than a screen, each with the reason. The list only gets shorter: a test that is
//! shortened must leave it.

/// A test and why it is longer.
pub(crate) const LONGER: &[(&str, &str)] = &[];
