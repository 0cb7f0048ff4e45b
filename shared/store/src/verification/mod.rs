//! Reading for verification: the whole table page by page, items by their keys, and the notes of the verification
//! itself.
mod acknowledged;
mod read;
mod scanned;
mod watch;

pub use acknowledged::AcknowledgedDifference;
pub use read::Verification;
pub use scanned::{Misfit, ScanCursor, Scanned};
pub use watch::{FoundDifference, KnownProgram};
