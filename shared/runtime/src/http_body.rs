//! Bodies of webhooks. Their size is checked before anything else.

/// Largest webhook body that is accepted: an SQS message holds no more.
pub const MAX_BODY: usize = 256 * 1024;

/// The body is larger than [`MAX_BODY`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body is larger than {MAX_BODY} bytes")]
pub struct TooLarge;

/// Checks the body's size.
///
/// # Errors
/// [`TooLarge`].
pub const fn bounded(body: &[u8]) -> Result<&[u8], TooLarge> {
    if body.len() > MAX_BODY { Err(TooLarge) } else { Ok(body) }
}
