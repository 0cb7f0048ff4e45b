//! The audit trail: each change of an operator or service, with its reason.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{MemberId, PrincipalId},
    time::Timestamp,
};

/// A line of the audit trail: a principal, an action, the member it was about, and the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Unique within its instant: the idempotency key's hash, or random.
    pub id: String,
    /// The instant of the action.
    pub at: Timestamp,
    /// The operator, service or job that acted.
    pub principal: PrincipalId,
    /// The action: `credit.apply`, `credit.revoke`, `referral.force_confirm`, `withdrawal.paid`,
    /// `program.set`.
    pub action: String,
    /// The member it was about, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberId>,
    /// The reason, as the operator wrote it.
    pub reason: String,
    /// The state before, as JSON.
    pub before: String,
    /// The state after, as JSON.
    pub after: String,
}
