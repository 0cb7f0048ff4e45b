//! Credit given or taken by an operator.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{AdjustmentId, MemberId, PrincipalId},
    money::Money,
    time::Timestamp,
};

/// Credit given or taken by an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    /// The id, which the wallet's entry refers to.
    pub id: AdjustmentId,
    /// The member whose wallet it changes.
    pub member: MemberId,
    /// The amount: positive gives, negative takes.
    pub amount: Money,
    /// The reason.
    pub reason: String,
    /// The operator or service that made it.
    pub principal: PrincipalId,
    /// The instant at which it was made.
    pub at: Timestamp,
}
