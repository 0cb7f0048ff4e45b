//! One newtype per id. Ids that others give or that we make are safe inside a table key: visible ASCII without `#`.
//! Names that people choose are kept as they came; their bounds are checked where they enter.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A text that cannot be an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} must be 1 to {MAX_LEN} visible ASCII characters without '#'")]
pub struct IdError {
    kind: &'static str,
}

impl IdError {
    pub(crate) const fn of(kind: &'static str) -> Self {
        Self { kind }
    }
}

/// The longest id, in bytes. Stripe's are under 100; a table key holds 1,024.
pub const MAX_LEN: usize = 200;

macro_rules! string_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Reads an id.
            ///
            /// # Errors
            /// [`IdError`] when it is empty, too long, or has a character that is not allowed in a key.
            pub fn parse(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                let fits = (1..=MAX_LEN).contains(&text.len());
                if fits && text.bytes().all(|b| b.is_ascii_graphic() && b != b'#') {
                    Ok(Self(text))
                } else {
                    Err(IdError { kind: stringify!($name) })
                }
            }

            /// The id's text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

macro_rules! name_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The name's text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

string_id! {
    /// A member's pseudonym: 32 hex digits, a keyed hash of the Telegram id (ADR 2). It is the only name that
    /// the ledger has for a member.
    MemberId
}
string_id! {
    /// `{payment}-{rule}-{level}`: the same payment, rule and level always give the same id.
    CommissionId
}
string_id! {
    /// A Stripe customer, `cus_...`.
    CustomerId
}
string_id! {
    /// A Stripe invoice, `in_...`.
    InvoiceId
}
string_id! {
    /// One posting of bill credit to a Stripe customer balance.
    PostingId
}
string_id! {
    /// One withdrawal: `{member}-{seq}`, where `seq` is the wallet's entry that holds the money.
    WithdrawalId
}
string_id! {
    /// An intent: 24 hex digits. The first 8 are those of its member.
    IntentId
}
string_id! {
    /// A click on a shared link: 16 hex digits.
    ClickId
}
string_id! {
    /// An order: `ord_` and 24 hex digits.
    OrderId
}
string_id! {
    /// A manual change of a wallet by an operator.
    AdjustmentId
}
string_id! {
    /// The provider's own id of a payment: an invoice, a session, a charge, `txid:vout`.
    ExternalPaymentId
}
string_id! {
    /// A fraud flag: 32 hex digits, a hash of the member it is about, the signal and the natural key.
    FraudFlagId
}

string_id! {
    /// An operator's session: random hex digits.
    SessionId
}
string_id! {
    /// A link with which an operator signs in once: random hex digits.
    SignInLinkId
}
string_id! {
    /// The part of a service's key that may be shown: random hex digits.
    ServiceKeyId
}

name_id! {
    /// A rule of the program: 1 to 24 lower-case letters, digits or `-`, by `Program::check`.
    RuleId
}
name_id! {
    /// A product that a payment is for, as the provider names it. A plan is the product of its orders.
    ProductId
}
name_id! {
    /// A plan of the preset.
    PlanId
}
name_id! {
    /// A batch of withdrawals, exported together for one transfer by the bank: 1 to 500 characters, by the operator.
    BatchId
}
name_id! {
    /// The actor of a change, as the audit trail names it: `admin` or the name of an operator's token,
    /// `operator-` or `member-` and a tag of their pseudonym, `service-` and the id of its key, or a job's name.
    PrincipalId
}

impl ProductId {
    /// True for an id that Stripe gave: a product or a price. Which ones exist, only Stripe knows.
    pub fn is_of_a_provider(&self) -> bool {
        self.0.starts_with("prod_") || self.0.starts_with("price_")
    }
}

impl From<&PlanId> for ProductId {
    fn from(plan: &PlanId) -> Self {
        Self(plan.0.clone())
    }
}

impl FraudFlagId {
    /// Makes an id of a hash. Hex digits are always well formed.
    pub(crate) fn from_hash(hash: &[u8]) -> Self {
        Self(hex::encode(hash))
    }
}

/// Hex digits of a member's pseudonym that begin the ids of their intents.
const OWNER_DIGITS: usize = 8;

impl IntentId {
    /// Makes an id of its member and a hash.
    pub(crate) fn of(member: &MemberId, hash: &[u8]) -> Self {
        let owner: String = member.0.chars().take(OWNER_DIGITS).collect();
        Self(format!("{owner}{}", hex::encode(hash)))
    }

    /// True when the id can be that of an intent of `member`.
    pub fn may_be_of(&self, member: &MemberId) -> bool {
        let owner = |id: &str| id.chars().take(OWNER_DIGITS).collect::<String>();
        owner(&self.0) == owner(&member.0)
    }
}

impl MemberId {
    /// Makes an id of a hash. Hex digits are always well formed.
    pub(crate) fn from_hash(hash: &[u8]) -> Self {
        Self(hex::encode(hash))
    }

    /// Reads a pseudonym, also in the form of a UUID, which some APIs use.
    ///
    /// # Errors
    /// [`IdError`] unless it has 32 hex digits.
    pub fn from_uuid(text: &str) -> Result<Self, IdError> {
        let plain = if text.len() == 36 { text.replace('-', "") } else { text.to_owned() };
        let is_hex = plain.len() == 32 && plain.bytes().all(|b| b.is_ascii_hexdigit());
        if is_hex { Ok(Self(plain.to_ascii_lowercase())) } else { Err(IdError { kind: "MemberId" }) }
    }

    /// The pseudonym in the form of a UUID.
    pub fn to_uuid(&self) -> String {
        uuid_form(&self.0)
    }
}

/// Groups the first 32 of some hex digits like a UUID.
pub fn uuid_form(hex: &str) -> String {
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    let groups = [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)];
    groups.join("-")
}

/// A Telegram user or private chat id: above zero, up to 52 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TelegramId(i64);

impl TelegramId {
    /// Takes an id as Telegram sends it.
    ///
    /// # Errors
    /// [`IdError`] unless it is between 1 and 2^52.
    pub fn try_new(id: i64) -> Result<Self, IdError> {
        if (1..=1 << 52).contains(&id) { Ok(Self(id)) } else { Err(IdError { kind: "TelegramId" }) }
    }

    /// Reads the decimal text that Stripe metadata and our paths carry.
    ///
    /// # Errors
    /// [`IdError`] unless it is a plain decimal in range.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match text.parse() {
            Ok(id) if digits => Self::try_new(id),
            _ => Err(IdError { kind: "TelegramId" }),
        }
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for TelegramId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The way in which money was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rail {
    /// Stripe invoices and checkouts.
    Stripe,
    /// Telegram Stars.
    Stars,
    /// Bank, UPI or BLIK, approved by an operator.
    Bank,
    /// Bitcoin.
    Btc,
    /// Litecoin.
    Ltc,
    /// A member's own wallet.
    Wallet,
    /// No money that we can see: an operator vouched for it (`force-confirm`).
    Manual,
}

impl Rail {
    /// The rail's name in keys and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stripe => "stripe",
            Self::Stars => "stars",
            Self::Bank => "bank",
            Self::Btc => "btc",
            Self::Ltc => "ltc",
            Self::Wallet => "wallet",
            Self::Manual => "manual",
        }
    }
}

/// A payment's permanent natural key: the rail and the provider's own id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PaymentKey {
    /// The rail.
    pub rail: Rail,
    /// The provider's id on that rail.
    pub id: ExternalPaymentId,
}

impl ExternalPaymentId {
    /// The form in which references of bank transfers are compared. People copy them from statements, which print
    /// them in groups and in either case: letters count without case, separators not at all.
    ///
    /// # Errors
    /// [`IdError`] when nothing is left.
    pub fn canonical(&self) -> Result<Self, IdError> {
        let counts = self.0.chars().filter(char::is_ascii_alphanumeric);
        Self::parse(counts.map(|c| c.to_ascii_uppercase()).collect::<String>())
    }
}

impl PaymentKey {
    /// The natural key of a payment that people name: on the bank's rail by the canonical form of its reference.
    ///
    /// # Errors
    /// [`IdError`] when the reference has neither letters nor digits.
    pub fn named(rail: Rail, id: &ExternalPaymentId) -> Result<Self, IdError> {
        let id = if rail == Rail::Bank { id.canonical()? } else { id.clone() };
        Ok(Self { rail, id })
    }

    /// True for a payment intent at Stripe: it is a payment only while no invoice and no checkout counts it.
    pub fn is_payment_intent(&self) -> bool {
        self.rail == Rail::Stripe && self.id.as_str().starts_with("pi_")
    }

    /// The id of the commission that `rule` grants at `level` for this payment.
    ///
    /// # Errors
    /// [`IdError`] when the parts together are too long.
    pub fn commission(&self, rule: &RuleId, level: u8) -> Result<CommissionId, IdError> {
        CommissionId::parse(format!("{self}-{rule}-{level}"))
    }
}

impl fmt::Display for PaymentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.rail.as_str(), self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_the_same_in_every_spelling() {
        let named = |rail, text: &str| PaymentKey::named(rail, &ExternalPaymentId::parse(text).unwrap());
        for spelling in ["UTR123456789", "utr123456789", "Utr-123-456-789", "UTR/123.456_789"] {
            assert_eq!(named(Rail::Bank, spelling).unwrap().to_string(), "bank:UTR123456789", "{spelling}");
        }
        assert!(named(Rail::Bank, "--/").is_err());
        // Another rail's ids are machines' own, and case counts in them.
        assert_eq!(named(Rail::Stripe, "cs_a-B").unwrap().to_string(), "stripe:cs_a-B");
    }

    #[test]
    fn ids_stay_inside_a_key() {
        assert!(InvoiceId::parse("in_1SRzqCKXBGcbgpbZ").is_ok());
        for bad in ["", "in 1", "in#1", "in_ü", "in\n1", &"x".repeat(201)] {
            assert!(InvoiceId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn telegram_ids_are_positive_decimals() {
        for bad in ["", "0", "-5", "+5", " 5", "5.0", "9007199254740993", "abc"] {
            assert!(TelegramId::parse(bad).is_err(), "{bad:?}");
        }
    }
}
