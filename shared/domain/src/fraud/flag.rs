//! A flag: a finding about a member, kept until a person has reviewed it and afterwards.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    fraud::{Evidence, Finding, FraudAction, Signal},
    ids::{FraudFlagId, MemberId, PrincipalId},
    time::Timestamp,
};

/// An operator's decision about a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FraudVerdict {
    /// There was no fraud.
    Dismissed,
    /// It is fraud.
    Confirmed,
}

impl FraudVerdict {
    /// The verdict's name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dismissed => "dismissed",
            Self::Confirmed => "confirmed",
        }
    }
}

/// The state of a flag. It leaves `Open` only once; a confirmed flag can be dismissed later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum FraudFlagState {
    /// Not reviewed yet.
    Open,
    /// Reviewed by a person.
    Resolved {
        /// The operator.
        by: PrincipalId,
        /// The instant of the review.
        at: Timestamp,
        /// The verdict.
        verdict: FraudVerdict,
        /// The reason, as the operator wrote it.
        note: String,
    },
}

impl FraudFlagState {
    /// The state's name in the API.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved { .. } => "resolved",
        }
    }
}

/// The reason why a flag cannot be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FraudFlagError {
    /// It was reviewed before.
    #[error("the flag was {} already", .0.as_str())]
    AlreadyResolved(FraudVerdict),
}

/// One finding about one member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FraudFlag {
    /// Deterministic id: the same member, signal and natural key give the same one.
    pub id: FraudFlagId,
    /// The member it is about.
    pub subject: MemberId,
    /// The signal that was found.
    pub signal: Signal,
    /// The action that the rule prescribes.
    pub action: FraudAction,
    /// The action taken: `action`, or none in shadow mode.
    pub enforced: FraudAction,
    /// The facts behind it.
    pub evidence: Evidence,
    /// The instant of the first finding.
    pub raised_at: Timestamp,
    /// The state.
    #[serde(flatten)]
    pub state: FraudFlagState,
}

impl FraudFlag {
    /// Makes the flag for a finding about `subject` at `at`. The natural key is the fingerprint, and of a pair the two
    /// members, whatever they share; without either it is `bucket`: the UTC day or hour that was counted, or the
    /// idempotency key of an operator's request.
    pub fn raise(subject: MemberId, finding: Finding, bucket: &str, at: Timestamp) -> Self {
        let Finding { signal, action, enforced, evidence } = finding;
        let id = FraudFlagId::derive(&subject, signal, &evidence.natural_key(bucket));
        Self { id, subject, signal, action, enforced, evidence, raised_at: at, state: FraudFlagState::Open }
    }

    /// Escalates an open flag to the stronger action of a later finding with the same id, for example when
    /// shadow mode has ended or the rule was made stricter. Returns nothing when the finding is not stronger
    /// or the flag was reviewed.
    pub fn strengthened(&self, finding: &Finding) -> Option<Self> {
        if self.state != FraudFlagState::Open || finding.enforced <= self.enforced {
            return None;
        }
        let Finding { action, enforced, evidence, .. } = finding.clone();
        Some(Self { action, enforced, evidence, ..self.clone() })
    }

    /// True when both flags are of the same finding: they have one id, or are about the same pair.
    pub fn is_of(&self, other: &Self) -> bool {
        let pair = |flag: &Self| match &flag.evidence {
            Evidence::SelfPaid { payer, referrer, .. } => Some((payer.clone(), referrer.clone())),
            _ => None,
        };
        self.id == other.id
            || (self.signal == other.signal && pair(self).is_some() && pair(self) == pair(other))
    }

    /// True when a dismissal of this flag dismisses `other`, too: an open flag about the same member that rests on the
    /// same fingerprint. It has the same signal, or says of an account that it is shared, by nobody else.
    pub fn explains(&self, other: &Self) -> bool {
        let same = self.evidence.fingerprint().is_some()
            && self.evidence.fingerprint() == other.evidence.fingerprint()
            && self.subject == other.subject
            && self.id != other.id
            && other.state == FraudFlagState::Open;
        let account = |flag: &Self| matches!(flag.signal, Signal::SelfReferral | Signal::SharedDestination);
        let (mine, theirs) = (self.evidence.others(&self.subject), other.evidence.others(&self.subject));
        same && (self.signal == other.signal
            || (account(self) && account(other) && theirs.iter().all(|member| mine.contains(member))))
    }

    /// Resolves the flag with the verdict of operator `by`.
    ///
    /// # Errors
    /// [`FraudFlagError::AlreadyResolved`] when it was reviewed before, whatever the verdict was.
    pub fn resolve(
        self,
        verdict: FraudVerdict,
        by: PrincipalId,
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

    /// Dismisses the flag for operator `by`, whatever the verdict was before.
    #[must_use]
    pub fn lift(self, by: PrincipalId, note: String, at: Timestamp) -> Self {
        let verdict = FraudVerdict::Dismissed;
        Self { state: FraudFlagState::Resolved { by, at, verdict, note }, ..self }
    }

    /// The action in force against its subject: `enforced`, until the flag is dismissed.
    pub const fn in_force(&self) -> FraudAction {
        match self.state {
            FraudFlagState::Resolved { verdict: FraudVerdict::Dismissed, .. } => FraudAction::Allow,
            FraudFlagState::Open | FraudFlagState::Resolved { .. } => self.enforced,
        }
    }

    /// Describes the observation and the action in a sentence for operators.
    pub fn explain(&self) -> String {
        super::judge::explain(&self.evidence, self.action, self.enforced)
    }
}

impl FraudFlagId {
    /// Derives the id of the flag for `signal` about `subject`. `natural_key` depends on what was found and
    /// not on when it was reported: a fingerprint, or the UTC day or hour that was counted.
    pub fn derive(subject: &MemberId, signal: Signal, natural_key: &str) -> Self {
        // Members and signals have no zero byte, so two different triples never join to the same text.
        let input = format!("fraud-flag\0{subject}\0{}\0{natural_key}", signal.as_str());
        Self::from_hash(&Sha256::digest(input.as_bytes())[..16])
    }
}
