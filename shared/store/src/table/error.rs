//! Errors of reads and writes.

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

/// A read or write that did not happen, or whose outcome is unknown.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Conflicts with other writers until the retries were used up. Nothing was written; trying later helps.
    #[error("the table is contended; nothing was written")]
    Conflict,
    /// The table could not be reached, throttled us, or the answer was lost: the write may have happened.
    /// Trying again is safe, because every write is guarded by its natural key.
    #[error("the table is unavailable: {0}")]
    Unavailable(String),
    /// A stored item cannot be read, or a request was malformed. Trying again does not help.
    #[error("the table holds or was sent something unreadable: {0}")]
    Corrupt(String),
}

impl StoreError {
    /// True when the caller may try again.
    pub const fn retryable(&self) -> bool {
        matches!(self, Self::Conflict | Self::Unavailable(_))
    }
}

impl From<serde_dynamo::Error> for StoreError {
    fn from(error: serde_dynamo::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}

impl From<guerdon_domain::ids::IdError> for StoreError {
    fn from(error: guerdon_domain::ids::IdError) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// Takes the service's error code only: a request contains members' data.
pub(crate) fn from_sdk<E, R>(error: &SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    match error.code() {
        Some("ValidationException" | "ResourceNotFoundException" | "AccessDeniedException") => {
            let code = error.code().unwrap_or_default();
            StoreError::Corrupt(format!("{code}: {}", error.message().unwrap_or_default()))
        }
        Some(code) => StoreError::Unavailable(code.to_owned()),
        None => StoreError::Unavailable(DisplayErrorContext(error).to_string()),
    }
}
