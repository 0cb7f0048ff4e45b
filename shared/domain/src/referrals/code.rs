//! Referral codes: eight characters that can be read aloud and typed by hand.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{ids::MemberId, time::Timestamp};

/// 32 symbols: upper-case letters and digits without `0 O I 1` (and no lower case, so no `l`).
pub const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// Characters in a code.
pub const CODE_LEN: usize = 8;

/// A text that is not a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a referral code is {CODE_LEN} letters or digits, without 0, O, I, 1")]
pub struct CodeError;

/// A referral code. There are 32^8 = 1.1e12 of them: a guess hits one of a million codes once in a million
/// tries.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Code(String);

impl Code {
    /// Makes a code of random bytes. Five bits of each byte count, so every code is equally likely.
    pub fn from_random(bytes: [u8; CODE_LEN]) -> Self {
        Self(bytes.iter().map(|b| char::from(ALPHABET[usize::from(b % 32)])).collect())
    }

    /// Reads a code in upper or lower case.
    ///
    /// # Errors
    /// [`CodeError`] for another length or a character outside [`ALPHABET`].
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let upper = text.to_ascii_uppercase();
        let well_formed = upper.len() == CODE_LEN && upper.bytes().all(|b| ALPHABET.contains(&b));
        if well_formed { Ok(Self(upper)) } else { Err(CodeError) }
    }

    /// The code's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Code {
    type Error = CodeError;
    fn try_from(text: String) -> Result<Self, CodeError> {
        Self::parse(&text)
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The stored record of a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeRecord {
    /// The code.
    pub code: Code,
    /// The member whose code it is.
    pub owner: MemberId,
    /// The instant at which it was made.
    pub created_at: Timestamp,
    /// The instant from which it is refused.
    pub expires_at: Timestamp,
    /// True when the expiry job has processed it. Whether it is valid depends on `expires_at` only.
    #[serde(default)]
    pub expired: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_either_case_and_refuses_the_rest() {
        assert_eq!(Code::parse("abcd2345").unwrap().as_str(), "ABCD2345");
        for bad in [
            "",
            "ABCD234",
            "ABCD23456",
            "ABCD234O",
            "ABCD2340",
            "ABCD234I",
            "ABCD2341",
            "ABCD-234",
            "ÄBCD234",
        ] {
            assert_eq!(Code::parse(bad), Err(CodeError), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_random_code_reads_back(bytes: [u8; 8]) {
            let code = Code::from_random(bytes);
            prop_assert_eq!(Code::parse(code.as_str()), Ok(code.clone()));
            prop_assert!(!code.as_str().contains(['0', 'O', 'I', '1', 'l']));
        }
    }
}
