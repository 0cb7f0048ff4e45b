//! Effects of single writes under a condition.

use crate::table::item::Attributes;

/// The effect of a write that may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// This call made the change.
    Applied,
    /// An earlier call made the change, or a later state has replaced it. Nothing was written.
    AlreadyApplied,
}

/// The effect of a write that depends on the state that its caller read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the state may have changed in the meantime"]
pub enum Guarded {
    /// It was written.
    Written,
    /// The state has changed since. Nothing was written.
    Moved,
}

/// The outcome of a conditional write, with its item.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Written {
    /// It was written. Holds the item after the write, if it was requested.
    Done(Attributes),
    /// The condition did not hold; nothing was written.
    Refused,
}

impl Written {
    pub(crate) const fn effect(&self) -> Effect {
        match self {
            Self::Done(_) => Effect::Applied,
            Self::Refused => Effect::AlreadyApplied,
        }
    }

    pub(crate) const fn guarded(&self) -> Guarded {
        match self {
            Self::Done(_) => Guarded::Written,
            Self::Refused => Guarded::Moved,
        }
    }
}
