//! Destinations of withdrawals: checked, then sealed, and compared only by fingerprint.

use std::fmt;

use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use iban::IbanLike as _;
use serde::{Deserialize, Serialize};

use crate::members::PseudonymKey;

/// The method of a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayoutMethod {
    /// India's UPI: `name@bank`.
    Upi,
    /// An IBAN.
    Iban,
    /// An Indian bank account: `account number/IFSC`.
    BankIn,
}

impl PayoutMethod {
    /// Every method.
    pub const ALL: [Self; 3] = [Self::Upi, Self::Iban, Self::BankIn];

    /// Reads a method's name.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == word)
    }

    /// The method's name in the API and in exports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Upi => "upi",
            Self::Iban => "iban",
            Self::BankIn => "bank_in",
        }
    }
}

/// The reason why a destination cannot be used. The text never quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    /// The text is not valid for the method.
    #[error("{}", expected(*.0))]
    Malformed(PayoutMethod),
    /// It was sealed with another key, for another withdrawal, or was tampered with.
    #[error("the stored destination cannot be opened with this deployment's key")]
    Unreadable,
}

const fn expected(method: PayoutMethod) -> &'static str {
    match method {
        PayoutMethod::Upi => "a UPI id looks like name@bank",
        PayoutMethod::Iban => "this is not a valid IBAN",
        PayoutMethod::BankIn => "a bank account looks like 12345678901/HDFC0001234",
    }
}

/// A destination that is valid for its method, in its one normal form.
#[derive(Clone, PartialEq, Eq)]
pub struct Destination {
    method: PayoutMethod,
    text: String,
}

impl Destination {
    /// Checks and normalizes the text that a member typed.
    ///
    /// # Errors
    /// [`DestinationError::Malformed`] when the text is not valid for the method.
    pub fn parse(method: PayoutMethod, text: &str) -> Result<Self, DestinationError> {
        let normal = match method {
            PayoutMethod::Upi => upi(text.trim()),
            PayoutMethod::Iban => {
                text.trim().parse::<iban::Iban>().ok().map(|iban| iban.electronic_str().to_owned())
            }
            PayoutMethod::BankIn => bank_in(text.trim()),
        };
        normal.map(|text| Self { method, text }).ok_or(DestinationError::Malformed(method))
    }

    /// The method.
    pub const fn method(&self) -> PayoutMethod {
        self.method
    }

    /// Returns the normal form, for the payout itself.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The last four characters: enough for its owner to recognise it.
    pub fn masked(&self) -> String {
        let shown: String = self.text.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
        format!("…{shown}")
    }

    /// Computes a keyed hash: equal for equal destinations under a deployment's key, and useless without the
    /// key.
    pub fn fingerprint(&self, key: &PseudonymKey) -> String {
        let normal = format!("{}|{}", self.method.as_str(), self.text);
        hex::encode(&key.subkey("destination-fingerprint", normal.as_bytes())[..16])
    }

    /// Encrypts it for the record with the id `owner`, a withdrawal or an intent, with a new random `nonce`.
    ///
    /// # Errors
    /// [`DestinationError::Unreadable`] never, for texts of this length.
    pub fn seal(
        &self,
        key: &PseudonymKey,
        owner: &impl fmt::Display,
        nonce: [u8; 24],
    ) -> Result<SealedDestination, DestinationError> {
        let payload = Payload { msg: self.text.as_bytes(), aad: &bound_to(self.method, owner) };
        let sealed = cipher(key)
            .encrypt(XNonce::from_slice(&nonce), payload)
            .map_err(|_| DestinationError::Unreadable)?;
        let mut bytes = vec![VERSION];
        bytes.extend(nonce);
        bytes.extend(sealed);
        Ok(SealedDestination {
            method: self.method,
            sealed: hex::encode(bytes),
            fingerprint: self.fingerprint(key),
            masked: self.masked(),
        })
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Destination({}, ..)", self.method.as_str())
    }
}

/// A destination as it is stored: XChaCha20-Poly1305, bound to its withdrawal or intent and to its method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedDestination {
    /// The method.
    pub method: PayoutMethod,
    /// Version, nonce and ciphertext, in hex.
    pub sealed: String,
    /// The fingerprint: equal for equal destinations.
    pub fingerprint: String,
    /// The masked form, by which its owner recognises it.
    pub masked: String,
}

impl SealedDestination {
    /// Decrypts it.
    ///
    /// # Errors
    /// [`DestinationError::Unreadable`] when the key or the `owner` is another one, or the text was changed.
    pub fn open(
        &self,
        key: &PseudonymKey,
        owner: &impl fmt::Display,
    ) -> Result<Destination, DestinationError> {
        let bytes = hex::decode(&self.sealed).map_err(|_| DestinationError::Unreadable)?;
        let (head, sealed) = bytes.split_at_checked(25).ok_or(DestinationError::Unreadable)?;
        if head.first() != Some(&VERSION) {
            return Err(DestinationError::Unreadable);
        }
        let payload = Payload { msg: sealed, aad: &bound_to(self.method, owner) };
        let opened = cipher(key).decrypt(XNonce::from_slice(&head[1..]), payload);
        let text = opened.ok().and_then(|bytes| String::from_utf8(bytes).ok());
        text.map(|text| Destination { method: self.method, text }).ok_or(DestinationError::Unreadable)
    }
}

/// The version of the stored form, so that the key or the cipher can be changed later.
const VERSION: u8 = 1;

fn cipher(key: &PseudonymKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&key.subkey("destination-encryption", b"").into())
}

fn bound_to(method: PayoutMethod, owner: &impl fmt::Display) -> Vec<u8> {
    format!("{}|{owner}", method.as_str()).into_bytes()
}

/// Normalizes a UPI id by NPCI's rules: a handle of letters, digits, `.`, `-` and `_`, then the bank's
/// letters and digits.
fn upi(text: &str) -> Option<String> {
    let (name, bank) = text.split_once('@')?;
    let name_ok = (2..=256).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    let bank_ok = (2..=64).contains(&bank.len()) && bank.bytes().all(|b| b.is_ascii_alphanumeric());
    (name_ok && bank_ok).then(|| text.to_ascii_lowercase())
}

/// Normalizes an account number of 9 to 18 digits and RBI's IFSC: four letters, a zero, six letters or
/// digits.
fn bank_in(text: &str) -> Option<String> {
    let (account, ifsc) = text.split_once('/')?;
    let ifsc = ifsc.to_ascii_uppercase();
    let account_ok = (9..=18).contains(&account.len()) && account.bytes().all(|b| b.is_ascii_digit());
    let ifsc_ok = ifsc.len() == 11
        && ifsc.bytes().take(4).all(|b| b.is_ascii_uppercase())
        && ifsc.as_bytes().get(4) == Some(&b'0')
        && ifsc.bytes().skip(5).all(|b| b.is_ascii_alphanumeric());
    (account_ok && ifsc_ok).then(|| format!("{account}/{ifsc}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::WithdrawalId;

    fn key(byte: u8) -> PseudonymKey {
        PseudonymKey::try_new(vec![byte; 32]).unwrap()
    }

    #[test]
    fn destinations_have_one_normal_form() {
        let check = |method, text: &str, normal: Option<&str>| {
            let parsed = Destination::parse(method, text).ok();
            assert_eq!(parsed.as_ref().map(Destination::expose), normal, "{text}");
        };
        check(PayoutMethod::Upi, " Asha.K@okHDFC ", Some("asha.k@okhdfc"));
        check(PayoutMethod::Upi, "asha", None);
        check(PayoutMethod::Upi, "a@b@c", None);
        check(PayoutMethod::Upi, "=cmd|x@bank", None);
        check(PayoutMethod::Iban, "PL61 1090 1014 0000 0712 1981 2874", Some("PL61109010140000071219812874"));
        check(PayoutMethod::Iban, "PL62 1090 1014 0000 0712 1981 2874", None);
        check(PayoutMethod::BankIn, "50100012345678/hdfc0001234", Some("50100012345678/HDFC0001234"));
        check(PayoutMethod::BankIn, "50100012345678/HDFC1001234", None);
        check(PayoutMethod::BankIn, "", None);
    }

    #[test]
    fn only_its_own_withdrawal_and_key_open_it() {
        let destination = Destination::parse(PayoutMethod::Upi, "asha@okhdfc").unwrap();
        let id = |text: &str| WithdrawalId::parse(text).unwrap();
        let sealed = destination.seal(&key(1), &id("m-1"), [7; 24]).unwrap();
        assert_eq!(sealed.open(&key(1), &id("m-1")), Ok(destination.clone()));
        assert_eq!(sealed.open(&key(1), &id("m-2")), Err(DestinationError::Unreadable));
        assert_eq!(sealed.open(&key(2), &id("m-1")), Err(DestinationError::Unreadable));
        let moved = SealedDestination { method: PayoutMethod::Iban, ..sealed.clone() };
        assert_eq!(moved.open(&key(1), &id("m-1")), Err(DestinationError::Unreadable));
        assert!(!serde_json::to_string(&sealed).unwrap().contains("asha"));
        assert_eq!(format!("{destination:?}"), "Destination(upi, ..)");
        assert_eq!(sealed.masked, "…hdfc");
    }

    #[test]
    fn equal_destinations_share_a_keyed_fingerprint() {
        let print =
            |text: &str, byte| Destination::parse(PayoutMethod::Upi, text).unwrap().fingerprint(&key(byte));
        assert_eq!(print("Asha@okhdfc", 1), print("asha@OKHDFC", 1));
        assert_ne!(print("asha@okhdfc", 1), print("asha@okhdfc", 2));
        assert_ne!(print("asha@okhdfc", 1), print("asha@oksbi", 1));
    }
}
