//! Errors of reads and writes.

use std::{error::Error, fmt};

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

/// The reason of an error: a text for logs, and the error that it comes from, if it comes from one.
#[derive(Debug)]
pub struct Reason {
    text: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Reason {
    /// Takes another error with its own text.
    pub fn of(source: impl Error + Send + Sync + 'static) -> Self {
        Self::with(source.to_string(), source)
    }

    /// Takes another error under a text that says more.
    pub fn with(text: impl Into<String>, source: impl Error + Send + Sync + 'static) -> Self {
        Self { text: text.into(), source: Some(Box::new(source)) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl From<&str> for Reason {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), source: None }
    }
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self { text, source: None }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Reason {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// A read or write that did not happen, or whose outcome is unknown.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Conflicts with other writers until the retries were used up. Nothing was written; trying later helps.
    #[error("the table is contended; nothing was written")]
    Conflict,
    /// The table could not be reached, throttled us, or the answer was lost: the write may have happened.
    /// Trying again is safe, because every write is guarded by its natural key.
    #[error("the table is unavailable: {0}")]
    Unavailable(#[source] Reason),
    /// A stored item cannot be read, or a request was malformed. Trying again does not help.
    #[error("the table holds or was sent something unreadable: {0}")]
    Corrupt(#[source] Reason),
}

impl StoreError {
    /// True when the caller may try again.
    pub const fn retryable(&self) -> bool {
        matches!(self, Self::Conflict | Self::Unavailable(_))
    }
}

impl From<serde_dynamo::Error> for StoreError {
    fn from(error: serde_dynamo::Error) -> Self {
        Self::Corrupt(Reason::of(error))
    }
}

impl From<guerdon_domain::ids::IdError> for StoreError {
    fn from(error: guerdon_domain::ids::IdError) -> Self {
        Self::Corrupt(Reason::of(error))
    }
}

/// Takes the service's error code only: its answer may contain members' data. An error without an answer is kept as
/// the source.
pub(crate) fn from_sdk<E, R>(error: SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    R: fmt::Debug + Send + Sync + 'static,
{
    match error.code() {
        Some("ValidationException" | "ResourceNotFoundException" | "AccessDeniedException") => {
            let code = error.code().unwrap_or_default();
            StoreError::Corrupt(format!("{code}: {}", error.message().unwrap_or_default()).into())
        }
        Some(code) => StoreError::Unavailable(code.into()),
        None => {
            let text = DisplayErrorContext(&error).to_string();
            StoreError::Unavailable(Reason::with(text, error))
        }
    }
}
