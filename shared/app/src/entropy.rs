//! Random bytes come in from outside, so that a test can give its own.

use guerdon_domain::referrals::CODE_LEN;

/// The source of random bytes has none to give.
#[derive(Debug, thiserror::Error)]
#[error("no random bytes")]
pub struct EntropyError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl EntropyError {
    /// With its cause.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

/// Gives cryptographically secure random bytes.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// [`EntropyError`].
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

impl dyn Entropy {
    /// Bytes for a new referral code.
    ///
    /// # Errors
    /// [`EntropyError`].
    pub fn code_bytes(&self) -> Result<[u8; CODE_LEN], EntropyError> {
        self.bytes()
    }

    /// Bytes for the nonce of an encryption, never given twice, and for ids that nobody can guess.
    ///
    /// # Errors
    /// [`EntropyError`].
    pub fn nonce(&self) -> Result<[u8; 24], EntropyError> {
        self.bytes()
    }

    fn bytes<const N: usize>(&self) -> Result<[u8; N], EntropyError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }
}

/// The operating system's generator.
#[derive(Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is where randomness comes from")]
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(bytes).map_err(EntropyError::new)
    }
}
