//! Things that members may share. Only a keyed hash of them is known.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

use serde::{Deserialize, Serialize};

use crate::{
    members::PseudonymKey,
    withdrawals::{Destination, SealedDestination},
};

/// The kind of thing that a fingerprint identifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FingerprintKind {
    /// A member's device.
    Device,
    /// An IP address that a member connected from.
    Ip,
    /// A means of payment: a card, an account, an address that paid.
    Payment,
    /// A payout destination of a member.
    Destination,
}

impl FingerprintKind {
    /// The kind's name: the part of a fingerprint before the colon.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Ip => "ip",
            Self::Payment => "payment",
            Self::Destination => "destination",
        }
    }

    /// The kind's name within a sentence.
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Ip => "IP address",
            Self::Payment => "means of payment",
            Self::Destination => "payout destination",
        }
    }
}

/// The reason why there is no fingerprint. The text never quotes the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// The input is not valid for this kind.
    #[error("{}", expected(*.0))]
    Malformed(FingerprintKind),
    /// The stored text is not a fingerprint.
    #[error("a fingerprint looks like device:0123456789abcdef0123456789abcdef")]
    Unreadable,
}

const fn expected(kind: FingerprintKind) -> &'static str {
    match kind {
        FingerprintKind::Device => "a device id is 1 to 256 characters without control characters",
        FingerprintKind::Payment => "a payment id is 1 to 256 characters without control characters",
        FingerprintKind::Ip => "this is not an IP address",
        FingerprintKind::Destination => "the destination has no fingerprint",
    }
}

/// The most characters of a device's or a means of payment's id.
const MOST_CHARS: usize = 256;
const HEX_DIGITS: usize = 32;

/// A keyed hash: equal for equal things under one deployment's key, and useless for guessing the input
/// without the key. Its text is `device:` and 32 hex digits, so it can be shown, stored and logged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint {
    kind: FingerprintKind,
    text: String,
}

impl Fingerprint {
    /// Hashes a device by the id that its client gave: 1 to 256 characters, case ignored.
    ///
    /// # Errors
    /// [`FingerprintError::Malformed`] for an id of another length.
    pub fn device(key: &PseudonymKey, id: &str) -> Result<Self, FingerprintError> {
        Self::of_id(key, FingerprintKind::Device, id)
    }

    /// Hashes a means of payment by the id that its provider gives it: 1 to 256 characters, case ignored.
    ///
    /// # Errors
    /// [`FingerprintError::Malformed`] for an id of another length.
    pub fn payment(key: &PseudonymKey, id: &str) -> Result<Self, FingerprintError> {
        Self::of_id(key, FingerprintKind::Payment, id)
    }

    /// Hashes an IP address without port or zone. An IPv6 address is reduced to its /64, which belongs to one
    /// customer; an IPv4 address that is written as IPv6 counts as IPv4.
    ///
    /// # Errors
    /// [`FingerprintError::Malformed`] for a text that is not an IP address.
    pub fn ip(key: &PseudonymKey, address: &str) -> Result<Self, FingerprintError> {
        let kind = FingerprintKind::Ip;
        let normal = normal_ip(address.trim()).ok_or(FingerprintError::Malformed(kind))?;
        Ok(Self::hashed(key, kind, &normal))
    }

    /// Hashes a payout destination, to the same digits as [`Destination::fingerprint`].
    pub fn destination(key: &PseudonymKey, destination: &Destination) -> Self {
        Self::from_digits(FingerprintKind::Destination, &destination.fingerprint(key))
    }

    /// Takes the fingerprint of a stored destination: equal to [`Fingerprint::destination`] of the unsealed
    /// one.
    ///
    /// # Errors
    /// [`FingerprintError::Malformed`] when the stored text is not a fingerprint.
    pub fn sealed(destination: &SealedDestination) -> Result<Self, FingerprintError> {
        let kind = FingerprintKind::Destination;
        let digits = &destination.fingerprint;
        if is_digits(digits) {
            Ok(Self::from_digits(kind, digits))
        } else {
            Err(FingerprintError::Malformed(kind))
        }
    }

    /// Reads the text of a fingerprint.
    ///
    /// [`FingerprintError::Unreadable`] when it is not a known kind and 32 hex digits.
    /// [`FingerprintError::Unreadable`].
    pub fn parse(text: &str) -> Result<Self, FingerprintError> {
        use FingerprintKind::{Destination, Device, Ip, Payment};
        let (word, digits) = text.split_once(':').ok_or(FingerprintError::Unreadable)?;
        let kind = [Device, Ip, Payment, Destination].into_iter().find(|kind| kind.as_str() == word);
        match kind {
            Some(kind) if is_digits(digits) => Ok(Self::from_digits(kind, digits)),
            _ => Err(FingerprintError::Unreadable),
        }
    }

    /// The kind of thing that it identifies.
    pub const fn kind(&self) -> FingerprintKind {
        self.kind
    }

    /// The text: the kind, such as `device:`, and 32 hex digits.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn of_id(key: &PseudonymKey, kind: FingerprintKind, id: &str) -> Result<Self, FingerprintError> {
        let id = id.trim();
        if !(1..=MOST_CHARS).contains(&id.chars().count()) || id.chars().any(char::is_control) {
            return Err(FingerprintError::Malformed(kind));
        }
        // ASCII only: Unicode's lower case changes between compilers, and the hashes must never change.
        Ok(Self::hashed(key, kind, &id.to_ascii_lowercase()))
    }

    fn hashed(key: &PseudonymKey, kind: FingerprintKind, normal: &str) -> Self {
        let input = format!("{}|{normal}", kind.as_str());
        let digest = key.subkey("fraud-fingerprint", input.as_bytes());
        Self::from_digits(kind, &hex::encode(&digest[..HEX_DIGITS / 2]))
    }

    fn from_digits(kind: FingerprintKind, digits: &str) -> Self {
        Self { kind, text: format!("{}:{digits}", kind.as_str()) }
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = FingerprintError;
    fn try_from(text: String) -> Result<Self, FingerprintError> {
        Self::parse(&text)
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.text
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_digits(text: &str) -> bool {
    text.len() == HEX_DIGITS && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Normalizes an address to `203.0.113.7` or `2001:db8:1:2::/64`.
fn normal_ip(text: &str) -> Option<String> {
    let address: IpAddr = text.parse().ok()?;
    match address.to_canonical() {
        IpAddr::V4(address) => Some(address.to_string()),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Some(format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::WithdrawalId, withdrawals::PayoutMethod};

    fn key(byte: u8) -> PseudonymKey {
        PseudonymKey::try_new(vec![byte; 32]).unwrap()
    }

    #[test]
    fn addresses_have_one_normal_form() {
        let check = |text: &str, normal: Option<&str>| {
            assert_eq!(normal_ip(text).as_deref(), normal, "{text}");
            let malformed = Err(FingerprintError::Malformed(FingerprintKind::Ip));
            let expect =
                normal.map_or(malformed, |ip| Ok(Fingerprint::hashed(&key(1), FingerprintKind::Ip, ip)));
            assert_eq!(Fingerprint::ip(&key(1), &format!("\t{text} ")), expect, "{text}");
        };
        check("203.0.113.7", Some("203.0.113.7"));
        check("::ffff:203.0.113.7", Some("203.0.113.7"));
        check("::FFFF:cb00:7107", Some("203.0.113.7"));
        check("2001:db8:1:2:3:4:5:6", Some("2001:db8:1:2::/64"));
        check("2001:0DB8:0001:0002::9", Some("2001:db8:1:2::/64"));
        check("2001:db8:1:3::9", Some("2001:db8:1:3::/64"));
        check("::1", Some("::/64"));
        for bad in ["", "203.0.113", "203.0.113.256", "203.0.113.07", "203.0.113.7:443", "[2001:db8::1]"] {
            check(bad, None);
        }
        for bad in ["2001:db8::/64", "fe80::1%eth0", "203.0.113.7, 10.0.0.1", "localhost"] {
            check(bad, None);
        }
    }

    #[test]
    fn ids_count_by_their_normal_form_their_kind_and_the_key() {
        let device = |text: &str, byte| Fingerprint::device(&key(byte), text).unwrap();
        assert_eq!(device(" A1b2-É ", 1), device("a1B2-É", 1));
        // Stored for ever: the hash may not change between versions.
        assert_eq!(device("A1B2", 1).as_str(), "device:3a0ab4a824a49a85342c32dcda03a827");
        assert_ne!(device("a1b2", 1), device("a1b3", 1));
        assert_ne!(device("a1b2", 1), device("a1b2", 2));
        let digits = |print: &Fingerprint| print.as_str().split_once(':').unwrap().1.to_owned();
        let payment = Fingerprint::payment(&key(1), "a1b2").unwrap();
        assert_ne!(digits(&device("a1b2", 1)), digits(&payment));
        assert_eq!(payment.kind(), FingerprintKind::Payment);
    }

    #[test]
    fn ids_have_1_to_256_characters_and_none_of_control() {
        let check = |text: &str, good: bool| {
            let device = Fingerprint::device(&key(1), text);
            let payment = Fingerprint::payment(&key(1), text);
            assert_eq!((device.is_ok(), payment.is_ok()), (good, good), "{text:?}");
            if !good {
                assert_eq!(device, Err(FingerprintError::Malformed(FingerprintKind::Device)));
                assert_eq!(payment, Err(FingerprintError::Malformed(FingerprintKind::Payment)));
            }
        };
        check("x", true);
        check(&"ü".repeat(256), true);
        check(&format!(" {} ", "x".repeat(256)), true);
        check(&"x".repeat(257), false);
        check("", false);
        check(" \t\n", false);
        check("a\nb", false);
        check("a\u{0}", false);
        check("a\u{85}b", false);
    }

    #[test]
    fn a_destination_counts_alike_whether_typed_or_stored() {
        let destination = Destination::parse(PayoutMethod::Upi, "asha@okhdfc").unwrap();
        let sealed = destination.seal(&key(1), &WithdrawalId::parse("m-1").unwrap(), [7; 24]).unwrap();
        let print = Fingerprint::destination(&key(1), &destination);
        assert_eq!(Fingerprint::sealed(&sealed), Ok(print.clone()));
        assert_eq!(print.as_str(), format!("destination:{}", sealed.fingerprint));
        let spoiled = SealedDestination { fingerprint: "asha@okhdfc".to_owned(), ..sealed };
        let malformed = FingerprintError::Malformed(FingerprintKind::Destination);
        assert_eq!(Fingerprint::sealed(&spoiled), Err(malformed));
    }

    #[test]
    fn its_text_reads_back_and_shows_nothing_of_what_it_is_of() {
        let print = Fingerprint::device(&key(1), "iphone-of-asha").unwrap();
        assert_eq!((print.as_str().len(), &print.as_str()[..7]), (39, "device:"));
        assert_eq!(Fingerprint::parse(print.as_str()), Ok(print.clone()));
        let json = serde_json::to_string(&print).unwrap();
        assert_eq!(json, format!("\"{print}\""));
        assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), print);
        assert!(!format!("{print:?}{json}").contains("asha"));
        assert!(!FingerprintError::Malformed(FingerprintKind::Ip).to_string().contains("asha"));
    }

    #[test]
    fn other_texts_are_no_fingerprints() {
        let digits = "0123456789abcdef0123456789abcdef";
        assert!(Fingerprint::parse(&format!("ip:{digits}")).is_ok());
        for bad in ["", "ip", "ip:", digits, &format!("phone:{digits}"), &format!("IP:{digits}")] {
            assert_eq!(Fingerprint::parse(bad), Err(FingerprintError::Unreadable), "{bad}");
        }
        for bad in [&digits[1..], &digits.to_uppercase(), &format!("{digits}0"), &format!("{digits}:")] {
            assert_eq!(Fingerprint::parse(&format!("ip:{bad}")), Err(FingerprintError::Unreadable), "{bad}");
            assert!(serde_json::from_str::<Fingerprint>(&format!("\"ip:{bad}\"")).is_err(), "{bad}");
        }
    }
}
