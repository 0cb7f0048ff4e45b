//! Fraud flags, and who was seen with which fingerprint.
mod flags;
mod sightings;

pub use flags::{Flags, Force};
pub use sightings::{Sighting, Sightings};
