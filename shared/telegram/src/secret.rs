//! The secret that proves a webhook call is Telegram's.

use subtle::ConstantTimeEq;

/// Compares the header `X-Telegram-Bot-Api-Secret-Token` with the configured secret, in constant time. Without a
/// configured secret every request is rejected.
pub fn secret_matches(configured: &[u8], presented: Option<&[u8]>) -> bool {
    !configured.is_empty() && presented.is_some_and(|given| bool::from(configured.ct_eq(given)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_secret_opens() {
        assert!(secret_matches(b"s3cret", Some(b"s3cret")));
        for presented in [None, Some(&b""[..]), Some(b"s3cre"), Some(b"s3cret "), Some(b"S3cret")] {
            assert!(!secret_matches(b"s3cret", presented));
        }
        assert!(!secret_matches(b"", Some(b"")));
        assert!(!secret_matches(b"", None));
    }
}
