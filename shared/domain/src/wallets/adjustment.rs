//! Credit given or taken by an operator.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{AdjustmentId, MemberId},
    money::Money,
    time::Timestamp,
};

/// Credit given or taken by an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    /// The id, which the wallet's entry names.
    pub id: AdjustmentId,
    /// Whose wallet.
    pub member: MemberId,
    /// Positive gives, negative takes.
    pub amount: Money,
    /// Why.
    pub reason: String,
    /// By whom.
    pub principal: String,
    /// When.
    pub at: Timestamp,
}
