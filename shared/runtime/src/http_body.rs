//! Bodies of webhooks: bounded before anything looks at them.

/// The largest webhook body we read: an SQS message holds no more.
pub const MAX_BODY: usize = 256 * 1024;

/// Too large to be a webhook of ours.
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
