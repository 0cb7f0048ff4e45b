//! Fraud flags, and sightings of members with fingerprints.
mod flags;
mod sightings;

pub use flags::{Flags, Force};
pub use sightings::{Sighting, Sightings};
