//! The answer to one request.

/// Status and JSON body of the answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}
