//! What a process remembers between calls. Everything here is bounded, and gone with the process.
mod delays;
mod failures;
mod tally;

pub use delays::Delays;
pub use failures::Failures;
pub use tally::Tally;

/// The memory of one process. Clones share it.
#[derive(Clone, Default)]
pub struct Memory {
    /// Sign-ins of each kind by each source.
    pub sign_ins: Tally,
    /// Failed authentications.
    pub failures: Failures,
    /// Wrong passwords for each account by each source.
    pub(crate) delays: Delays,
}
