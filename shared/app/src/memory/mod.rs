//! What a process remembers between calls. Everything here is bounded, and gone with the process.
mod delays;
mod failures;
mod later;
mod tally;

pub use delays::Delays;
pub use failures::Failures;
pub(crate) use later::Later;
pub use tally::Tally;

/// The memory of one process. Clones share it.
#[derive(Clone, Default)]
pub struct Memory {
    /// Sign-ins of each kind by each source.
    pub sign_ins: Tally,
    /// Failed authentications.
    pub failures: Failures,
    /// Callers who have no calls left in this minute.
    pub(crate) refused: Tally,
    /// Clicks on shared links by each source.
    pub(crate) clicks: Tally,
    /// Clicks that were not kept.
    pub(crate) clicks_not_kept: Later,
    /// Wrong passwords for each account by each source.
    pub(crate) delays: Delays,
}
