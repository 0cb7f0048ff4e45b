//! The options of a run.

use crate::{kinds::Kind, mutant::Mutant};

/// One run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Run {
    /// The world.
    pub seed: u64,
    /// The seed of the order of events; that of the world by default.
    pub schedule: Option<u64>,
    /// The guard that is missing.
    pub mutant: Option<Mutant>,
    /// Of many runs, only those of this kind.
    pub kind: Option<Kind>,
    /// True to keep a readable trace.
    pub verbose: bool,
}
