//! The audit trail: who did what to whom, when and why.

use serde::{Deserialize, Serialize};

use crate::{ids::MemberId, time::Timestamp};

/// A line of the audit trail: who did what to whom, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Unique within its instant: the idempotency key's hash, or random.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub principal: String,
    /// What: `credit.apply`, `credit.revoke`, `referral.force_confirm`, `withdrawal.paid`, `program.set`.
    pub action: String,
    /// To whom, if to somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberId>,
    /// Why, in the operator's words.
    pub reason: String,
    /// The state before, as JSON.
    pub before: String,
    /// The state after, as JSON.
    pub after: String,
}
