//! A flag: a finding about a member that is kept until a person has looked, and after.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    fraud::{Evidence, Finding, FraudAction, Signal},
    ids::{FraudFlagId, MemberId},
    time::Timestamp,
};

/// What a person made of a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FraudVerdict {
    /// There is nothing to it.
    Dismissed,
    /// It is fraud.
    Confirmed,
}

impl FraudVerdict {
    /// The word used in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dismissed => "dismissed",
            Self::Confirmed => "confirmed",
        }
    }
}

/// Where a flag stands. It leaves `Open` once; what was confirmed can be dismissed later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum FraudFlagState {
    /// Nobody has looked yet.
    Open,
    /// A person has looked.
    Resolved {
        /// The operator.
        by: String,
        /// When.
        at: Timestamp,
        /// What they made of it.
        verdict: FraudVerdict,
        /// Why, in their words.
        note: String,
    },
}

impl FraudFlagState {
    /// The word used in the API.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved { .. } => "resolved",
        }
    }
}

/// Why a flag cannot be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FraudFlagError {
    /// A person has looked already.
    #[error("the flag was {} already", .0.as_str())]
    AlreadyResolved(FraudVerdict),
}

/// One thing that was noticed about one member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FraudFlag {
    /// Deterministic: the same member, signal and natural key give the same id.
    pub id: FraudFlagId,
    /// Whom it is about.
    pub subject: MemberId,
    /// What was noticed.
    pub signal: Signal,
    /// What the rule said.
    pub action: FraudAction,
    /// What was done: `action`, or in shadow mode nothing.
    pub enforced: FraudAction,
    /// What it rests on.
    pub evidence: Evidence,
    /// When it was noticed first.
    pub raised_at: Timestamp,
    /// Where it stands.
    #[serde(flatten)]
    pub state: FraudFlagState,
}

impl FraudFlag {
    /// The flag that a finding about `subject` raises at `at`. Its natural key is the fingerprint; where
    /// there is none it is `bucket`: the UTC day or hour of what was counted, or the key under which an
    /// operator asked for it.
    pub fn raise(subject: MemberId, finding: Finding, bucket: &str, at: Timestamp) -> Self {
        let Finding { signal, action, enforced, evidence } = finding;
        let natural_key = evidence.fingerprint().map_or(bucket, |fingerprint| fingerprint.as_str());
        let id = FraudFlagId::derive(&subject, signal, natural_key);
        Self { id, subject, signal, action, enforced, evidence, raised_at: at, state: FraudFlagState::Open }
    }

    /// The flag with what a later finding of the same id adds: while it is open, a stronger hand, as when
    /// shadow mode has ended or the rule was tightened. Nothing when the finding changes nothing, or a person
    /// has looked.
    pub fn strengthened(&self, finding: &Finding) -> Option<Self> {
        if self.state != FraudFlagState::Open || finding.enforced <= self.enforced {
            return None;
        }
        let Finding { action, enforced, evidence, .. } = finding.clone();
        Some(Self { action, enforced, evidence, ..self.clone() })
    }

    /// The flag once operator `by` has looked.
    ///
    /// # Errors
    /// [`FraudFlagError::AlreadyResolved`], whatever the verdict was.
    pub fn resolve(
        self,
        verdict: FraudVerdict,
        by: String,
        note: String,
        at: Timestamp,
    ) -> Result<Self, FraudFlagError> {
        match self.state {
            FraudFlagState::Open => {
                Ok(Self { state: FraudFlagState::Resolved { by, at, verdict, note }, ..self })
            }
            FraudFlagState::Resolved { verdict, .. } => Err(FraudFlagError::AlreadyResolved(verdict)),
        }
    }

    /// The flag once operator `by` has lifted it, whatever was made of it before: it is dismissed.
    #[must_use]
    pub fn lift(self, by: String, note: String, at: Timestamp) -> Self {
        let verdict = FraudVerdict::Dismissed;
        Self { state: FraudFlagState::Resolved { by, at, verdict, note }, ..self }
    }

    /// What it does to its subject now: what is enforced, until it is dismissed.
    pub const fn in_force(&self) -> FraudAction {
        match self.state {
            FraudFlagState::Resolved { verdict: FraudVerdict::Dismissed, .. } => FraudAction::Allow,
            FraudFlagState::Open | FraudFlagState::Resolved { .. } => self.enforced,
        }
    }

    /// What was seen and what came of it, in a sentence for operators.
    pub fn explain(&self) -> String {
        super::judge::explain(&self.evidence, self.action, self.enforced)
    }
}

impl FraudFlagId {
    /// The id of the flag for `signal` about `subject`. `natural_key` is what was found and not when it was
    /// told: a fingerprint, or the UTC day or hour that was counted.
    pub fn derive(subject: &MemberId, signal: Signal, natural_key: &str) -> Self {
        // No member or signal has a zero byte, so different parts never read the same.
        let input = format!("fraud-flag\0{subject}\0{}\0{natural_key}", signal.as_str());
        Self::from_hash(&Sha256::digest(input.as_bytes())[..16])
    }
}
