//! The source of random bytes. Tests can replace it.

use guerdon_domain::referrals::CODE_LEN;

/// An error: the source of random bytes returned none.
#[derive(Debug, thiserror::Error)]
#[error("no random bytes")]
pub struct EntropyError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl EntropyError {
    /// Creates the error with its cause.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

/// A source of cryptographically secure random bytes.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with random bytes.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

impl dyn Entropy {
    /// Returns bytes for a new referral code.
    pub fn code_bytes(&self) -> Result<[u8; CODE_LEN], EntropyError> {
        self.bytes()
    }

    /// Returns bytes for an encryption nonce, which is never repeated, or for an id that cannot be guessed.
    pub fn nonce(&self) -> Result<[u8; 24], EntropyError> {
        self.bytes()
    }

    fn bytes<const N: usize>(&self) -> Result<[u8; N], EntropyError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }
}

/// The random generator of the operating system.
#[derive(Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is where randomness comes from")]
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(bytes).map_err(EntropyError::new)
    }
}
