//! Differences between stored and recomputed data.

use guerdon_store::verification::FoundDifference;
use sha2::{Digest, Sha256};

/// A difference between stored and recomputed data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{subject}: {problem}")]
pub struct Difference {
    /// The wallet, payment or other record. Members are named by their log tags.
    pub subject: String,
    /// The description of the difference.
    pub problem: String,
    /// The part of the description that stays the same while the difference does: amounts that grow by
    /// themselves are not part of it.
    pub(super) identity: String,
}

impl Difference {
    pub(super) fn new(subject: impl Into<String>, problem: impl Into<Problem>) -> Self {
        let Problem { text, identity } = problem.into();
        Self { subject: subject.into(), problem: text, identity }
    }

    /// The id under which an operator acknowledges it. A difference that changes has another id.
    pub fn id(&self) -> String {
        let digest = Sha256::digest(format!("{}\n{}", self.subject, self.identity).as_bytes());
        hex::encode(&digest[..8])
    }

    pub(super) fn found(&self) -> FoundDifference {
        FoundDifference { id: self.id(), subject: self.subject.clone(), problem: self.problem.clone() }
    }
}

/// The description of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    text: String,
    identity: String,
}

impl Problem {
    /// A description with amounts that later movements change, and what does not change of it.
    pub(super) fn that_moves(text: String, identity: String) -> Self {
        Self { text, identity }
    }
}

impl From<String> for Problem {
    fn from(text: String) -> Self {
        Self { identity: text.clone(), text }
    }
}

impl From<&str> for Problem {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// The problems of one subject.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn add(&mut self, problem: impl Into<Problem>) {
        self.0.push(problem.into());
    }

    /// Adds a problem unless `holds`.
    pub(super) fn check(&mut self, holds: bool, problem: impl FnOnce() -> String) {
        if !holds {
            self.add(problem());
        }
    }

    pub(super) fn of(self, subject: &str) -> Vec<Difference> {
        self.0.into_iter().map(|problem| Difference::new(subject, problem)).collect()
    }
}

/// The beginning of a hash, enough to tell two apart.
pub(super) fn short(hash: &str) -> &str {
    hash.get(..8).unwrap_or(hash)
}
