//! Errors of the engine.

/// The engine could not be opened or used.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The database refused the request.
    #[error("the embedded table engine: {0}")]
    Database(String),
    /// Its file could not be prepared.
    #[error("the embedded table engine's file: {0}")]
    File(#[from] std::io::Error),
    /// The answer is not the documented JSON.
    #[error("the embedded table engine answered malformed JSON: {0}")]
    Json(#[from] serde_json::Error),
}
