//! The options of a run.

use crate::mutant::Mutant;

/// One run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Run {
    /// The world.
    pub seed: u64,
    /// The seed of the order of events; that of the world by default.
    pub schedule: Option<u64>,
    /// The guard that is missing.
    pub mutant: Option<Mutant>,
    /// True to keep a readable trace.
    pub verbose: bool,
}
