//! Errors of the engine.

/// The engine could not be opened or used.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The database refused the request.
    #[error("the embedded table engine: {0}")]
    Database(String),
    /// Its file could not be opened.
    #[error("{0}")]
    File(#[from] guerdon_database::error::DatabaseError),
    /// The answer is not the documented JSON.
    #[error("the embedded table engine answered malformed JSON: {0}")]
    Json(#[from] serde_json::Error),
}
