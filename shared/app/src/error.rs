//! Errors of use cases, and whether a retry helps.

use std::error::Error as _;

use guerdon_domain::{
    ids::IdError,
    money::MoneyError,
    settings::StoredSettingError,
    wallets::{LedgerError, WalletError},
};
pub use guerdon_store::table::Reason;
use guerdon_store::table::{CommitError, Guarded, StoreError};

use crate::entropy::EntropyError;

/// An error that stopped a use case. A refusal that the caller must show to a person is not an error but an
/// outcome of the use case.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Other writers changed the data first in every try. Nothing was written.
    #[error("too many writers at once; nothing was written")]
    Conflict,
    /// A required service did not answer; the outcome may be unknown. A retry is safe.
    #[error("{0}")]
    Unavailable(#[source] Reason),
    /// The stored or computed state is invalid. A retry does not help; an operator must investigate.
    #[error("{0}")]
    Corrupt(#[source] Reason),
}

impl AppError {
    /// Returns whether the message, update or job may be retried.
    pub const fn retryable(&self) -> bool {
        matches!(self, Self::Conflict | Self::Unavailable(_))
    }

    /// Returns a stable word for logs and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Unavailable(_) => "unavailable",
            Self::Corrupt(_) => "corrupt",
        }
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::Conflict,
            StoreError::Unavailable(why) => Self::Unavailable(why),
            StoreError::Corrupt(why) => Self::Corrupt(why),
        }
    }
}

impl From<EntropyError> for AppError {
    fn from(error: EntropyError) -> Self {
        let text = error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
        Self::Unavailable(Reason::with(text, error))
    }
}

macro_rules! corrupt_from {
    ($($error:ty),*) => {$(
        impl From<$error> for AppError {
            fn from(error: $error) -> Self {
                Self::Corrupt(Reason::of(error))
            }
        }
    )*};
}
corrupt_from!(IdError, MoneyError, LedgerError, WalletError, StoredSettingError, serde_json::Error);

/// The effect of a commit that is refused for one reason: its state has changed.
pub(crate) fn guarded(refused: Option<()>) -> Guarded {
    match refused {
        None => Guarded::Written,
        Some(()) => Guarded::Moved,
    }
}

/// Separates the refusal of a commit from the other failures, which end the use case.
pub(crate) fn refusal<E>(result: Result<(), CommitError<E>>) -> Result<Option<E>, AppError> {
    match result {
        Ok(()) => Ok(None),
        Err(CommitError::Refused(refusal)) => Ok(Some(refusal)),
        Err(CommitError::Store(error)) => Err(error.into()),
    }
}
