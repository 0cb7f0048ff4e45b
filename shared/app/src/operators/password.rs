//! Passwords of operators: the rules for new ones, and their hashes.

use argon2::{
    Argon2, PasswordHash, PasswordHasher, PasswordVerifier,
    password_hash::{Error, SaltString},
};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{context::App, error::AppError};

/// Minimum number of characters (NIST SP 800-63B-4 asks for 15 where the password is the only factor, and
/// accepts 8 with a second one; the number of attempts is small here).
const SHORTEST: usize = 12;

/// Maximum number of characters. It limits the time of hashing, which grows with every byte.
const LONGEST: usize = 128;

/// Minimum number of different characters after all common words are removed.
const VARIETY: usize = 5;

/// Words that are common in guessed passwords.
const COMMON: [&str; 14] = [
    "password", "passwort", "admin", "super", "guerdon", "change", "secret", "letmein", "welcome", "qwerty",
    "qwertz", "abcdef", "123456", "telegram",
];

/// The hash for a sign-in with an unknown id, so that it takes as long as an operator's sign-in.
const UNKNOWN_OPERATORS_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A password that passed the rules.
#[derive(Clone)]
pub struct Password(String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

/// The reason why a password is refused; a sentence for the operator who chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// The password is too short or too long.
    #[error("it must have {SHORTEST} to {LONGEST} characters")]
    Length,
    /// The password consists of common words, the owner's Telegram id or few characters.
    #[error("it is easy to guess: leave out common words, your Telegram id and repetitions")]
    Guessable,
}

impl Password {
    /// Checks a password for the operator with this Telegram id.
    pub fn try_new(text: &str, telegram_id: i64) -> Result<Self, WeakPassword> {
        if !(SHORTEST..=LONGEST).contains(&text.chars().count()) {
            return Err(WeakPassword::Length);
        }
        let own = telegram_id.to_string();
        let mut rest = text.to_lowercase();
        for word in COMMON.into_iter().chain([own.as_str()]) {
            rest = rest.replace(word, "");
        }
        let variety: std::collections::BTreeSet<char> = rest.chars().collect();
        // Digits alone are often a telephone number or a birthday.
        let is_number = rest.chars().all(|c| c.is_ascii_digit());
        if is_number || variety.len() < VARIETY {
            return Err(WeakPassword::Guessable);
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns whether `presented` is this password. It takes the same time for every other text.
    pub(super) fn is(&self, presented: &str) -> bool {
        let [ours, theirs] = [self.0.as_str(), presented].map(Sha256::digest);
        bool::from(ours.as_slice().ct_eq(theirs.as_slice()))
    }

    /// Hashes the password for storage: argon2id with 19 MiB and two passes, as OWASP recommends.
    pub(super) fn hash(&self, app: &App) -> Result<String, AppError> {
        let bytes = app.entropy.nonce()?;
        let unusable =
            |error: Error| AppError::Corrupt(format!("a password cannot be hashed: {error}").into());
        let salt = SaltString::encode_b64(&bytes[..16]).map_err(unusable)?;
        Argon2::default()
            .hash_password(self.0.as_bytes(), &salt)
            .map(|hash| hash.to_string())
            .map_err(unusable)
    }
}

/// Returns whether `presented` matches the hash `kept`. Without a hash, the answer is false and takes the
/// same time.
pub(super) fn is_right(presented: &str, kept: Option<&str>) -> Result<bool, AppError> {
    let bounded: String = presented.chars().take(LONGEST + 1).collect();
    let hash = PasswordHash::new(kept.unwrap_or(UNKNOWN_OPERATORS_HASH))
        .map_err(|error| AppError::Corrupt(format!("a password's hash is unreadable: {error}").into()))?;
    let right = Argon2::default().verify_password(bounded.as_bytes(), &hash).is_ok();
    Ok(right && kept.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_is_guessed_early_is_refused() {
        let check = |text: &str, expected: Result<(), WeakPassword>| {
            assert_eq!(Password::try_new(text, 100_000_001).map(|_| ()), expected, "{text}");
        };
        check("elephant-Moon7", Ok(()));
        check("šest-plných-kávů", Ok(()));
        check("short", Err(WeakPassword::Length));
        check(&"ab1-".repeat(40), Err(WeakPassword::Length));
        for guessable in [
            "password1234",
            "aaaaaaaaaaaaaa",
            "Admin123456!",
            "abababababab",
            "1234567890123",
            "x100000001-x!",
        ] {
            check(guessable, Err(WeakPassword::Guessable));
        }
    }

    #[test]
    fn an_unknown_operators_password_is_never_right() {
        for presented in ["", "elephant-Moon7", "\0\0\0"] {
            assert!(!is_right(presented, None).unwrap(), "{presented:?}");
        }
        assert!(is_right("x", Some("no hash")).is_err());
    }

    #[test]
    fn a_passwords_debug_output_hides_it() {
        let password = Password::try_new("elephant-Moon7", 1).unwrap();
        assert!(!format!("{password:?}").contains("elephant"));
    }
}
