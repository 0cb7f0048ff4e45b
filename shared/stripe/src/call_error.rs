//! Errors of calls to Stripe, sorted by their consequence for the money, not by protocol.

use serde::Deserialize;

/// Stripe's answer to a failed call (<https://docs.stripe.com/api/errors>).
#[derive(Deserialize)]
pub(crate) struct ErrorAnswer {
    pub(crate) error: ApiError,
}

#[derive(Deserialize)]
pub(crate) struct ApiError {
    #[serde(rename = "type")]
    kind: String,
    code: Option<String>,
    message: Option<String>,
}

/// The reason why a call did not succeed. The variant decides the caller's next step; the texts hold no
/// secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StripeCallError {
    /// Stripe refused, nothing was done, and the same request would be refused again.
    #[error("Stripe refused ({code}): {message}")]
    Refused {
        /// Stripe's error code (`resource_missing`), or the error's type when it has none.
        code: String,
        /// Stripe's explanation.
        message: String,
    },
    /// It is unknown whether it was done: look it up before anything else.
    #[error("the outcome of the call to Stripe is unknown: {reason}")]
    Unknown {
        /// The problem.
        reason: &'static str,
    },
    /// Nothing was done, and the same request may be made again later: too many requests, a locked object, an
    /// identical request that is still running, or a key that an operator has to correct.
    #[error("Stripe is not available ({code}): try again later")]
    Busy {
        /// Stripe's error code, `rate_limit` or `unauthorized`.
        code: String,
    },
}

impl StripeCallError {
    pub(crate) fn refused(code: &str, message: &str) -> Self {
        Self::Refused { code: code.to_owned(), message: message.to_owned() }
    }

    fn busy(code: &str) -> Self {
        Self::Busy { code: code.to_owned() }
    }

    /// Sorts an answer by status and code (<https://docs.stripe.com/error-low-level>,
    /// <https://docs.stripe.com/error-codes>).
    pub(crate) fn of_answer(error: &ApiError, status: u16) -> Self {
        // The key was used before, with other parameters: something was done under it, and only a look-up
        // shows what.
        if error.kind == "idempotency_error" && status != 409 {
            return Self::Unknown { reason: "the idempotency key was used with other parameters" };
        }
        let code = error.code.as_deref().unwrap_or(&error.kind);
        match status {
            // Stripe's text quotes the end of the key.
            401 | 403 => Self::busy("unauthorized"),
            // A request with the same idempotency key is still running; Stripe stored nothing for this one.
            409 => Self::busy(code),
            429 if error.code.is_none() => Self::busy("rate_limit"),
            429 => Self::busy(code),
            _ if code == "lock_timeout" => Self::busy(code),
            // These come from a proxy or a server of Stripe, after the request may have had its effect.
            408 | 424 => Self::Unknown { reason: "Stripe failed" },
            400..=499 => Self::refused(code, &without_secrets(error.message.as_deref().unwrap_or_default())),
            _ => Self::Unknown { reason: "Stripe failed" },
        }
    }
}

impl From<reqwest::Error> for StripeCallError {
    /// Drops the library's text, which holds the address.
    fn from(error: reqwest::Error) -> Self {
        let reason = if error.is_timeout() { "no answer in time" } else { "the connection failed" };
        Self::Unknown { reason }
    }
}

/// The longest explanation kept, in characters.
const MESSAGE_LEN: usize = 200;

/// Removes keys and secrets from a text, so that they do not reach a log if Stripe quotes one.
fn without_secrets(message: &str) -> String {
    let words = message.split(' ').map(|word| {
        let secret = ["sk_", "rk_", "whsec_"].iter().any(|prefix| word.contains(prefix));
        if secret { "(secret)" } else { word }
    });
    words.collect::<Vec<_>>().join(" ").chars().take(MESSAGE_LEN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_short_and_quotes_no_key() {
        assert_eq!(without_secrets("Invalid key: 'sk_test_51' given"), "Invalid key: (secret) given");
        assert_eq!(without_secrets("No such customer: 'cus_A1'"), "No such customer: 'cus_A1'");
        assert_eq!(without_secrets(&"x".repeat(500)).len(), MESSAGE_LEN);
    }
}
