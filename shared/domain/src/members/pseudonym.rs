//! Pseudonyms: the ledger's names for members, and the key that derives them from Telegram ids.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::ids::{IdError, MemberId, TelegramId};

/// The secret that derives pseudonyms from Telegram ids. Never rotated: without it no wallet can be matched
/// to its member.
#[derive(Clone)]
pub struct PseudonymKey(Vec<u8>);

impl PseudonymKey {
    /// Takes the configured secret, at least 16 bytes.
    ///
    /// # Errors
    /// [`IdError`] when it is shorter.
    pub fn try_new(secret: impl Into<Vec<u8>>) -> Result<Self, IdError> {
        let secret = secret.into();
        if secret.len() < 16 { Err(IdError::of("PseudonymKey")) } else { Ok(Self(secret)) }
    }

    /// Makes a short keyed hash for logs: the same id gives the same tag, and the tag does not reveal the id.
    pub fn log_tag(&self, id: &str) -> String {
        hex::encode(&self.mac(format!("log:{id}").as_bytes())[..6])
    }

    /// Computes a keyed hash of `input` for `purpose`, 64 hex digits. Without the key the
    /// input cannot be guessed from it.
    pub fn digest(&self, purpose: &str, input: &[u8]) -> String {
        hex::encode(self.subkey(purpose, input))
    }

    /// Derives a separate key for another purpose, by HMAC over the purpose's name and `context`.
    pub(crate) fn subkey(&self, purpose: &str, context: &[u8]) -> [u8; 32] {
        let mut input = format!("{purpose}\0").into_bytes();
        input.extend(context);
        self.mac(&input)
    }

    fn mac(&self, input: &[u8]) -> [u8; 32] {
        // HMAC takes a key of any length, so this cannot fail.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return [0; 32] };
        mac.update(input);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey(..)")
    }
}

impl MemberId {
    /// Derives the pseudonym of a Telegram user with this deployment's `key`.
    pub fn derive(key: &PseudonymKey, telegram_id: TelegramId) -> Self {
        let digest = key.mac(telegram_id.get().to_string().as_bytes());
        Self::from_hash(&digest[..16])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_is_stable_and_keyed() {
        let key = |byte: u8| PseudonymKey::try_new(vec![byte; 32]).unwrap();
        let user = TelegramId::parse("5123456789").unwrap();
        assert_eq!(MemberId::derive(&key(1), user), MemberId::derive(&key(1), user));
        assert_ne!(MemberId::derive(&key(1), user), MemberId::derive(&key(2), user));
        assert_eq!(MemberId::derive(&key(1), user).as_str().len(), 32);
        assert!(PseudonymKey::try_new("short").is_err());
        assert_eq!(format!("{:?}", key(7)), "PseudonymKey(..)");
    }

    #[test]
    fn a_pseudonym_is_read_back_from_its_uuid() {
        let key = PseudonymKey::try_new(vec![1; 32]).unwrap();
        let member = MemberId::derive(&key, TelegramId::parse("42").unwrap());
        assert_eq!(MemberId::from_uuid(&member.to_uuid()), Ok(member.clone()));
        assert_eq!(MemberId::from_uuid(member.as_str()), Ok(member));
        for bad in ["", "42", "zz0e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-44665544000"] {
            assert!(MemberId::from_uuid(bad).is_err(), "{bad}");
        }
    }
}
