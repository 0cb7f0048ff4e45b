//! Bill credit on its way to a Stripe customer's balance.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{CustomerId, MemberId, PostingId},
    money::Money,
    time::Timestamp,
};

/// The state of a posting to a Stripe customer balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PostingState {
    /// The posting is recorded; the call to Stripe may or may not have been made.
    Claimed,
    /// Stripe has the credit.
    Posted {
        /// Stripe's balance transaction.
        transaction: String,
        /// The instant at which we learned of it.
        posted_at: Timestamp,
    },
    /// Stripe refused it for good; the credit is available in the wallet again.
    Refused {
        /// Stripe's error code.
        code: String,
        /// The instant of the refusal.
        refused_at: Timestamp,
    },
}

/// Bill credit on its way to a Stripe customer balance. At most one of a wallet is claimed at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// The id, which is also the idempotency key at Stripe.
    pub id: PostingId,
    /// The member whose credit it is.
    pub member: MemberId,
    /// The Stripe customer whose balance receives it.
    pub customer: CustomerId,
    /// The amount, above zero.
    pub amount: Money,
    /// The wallet's entry that claimed it.
    pub seq: u64,
    /// The instant of the claim.
    pub claimed_at: Timestamp,
    /// The id of the message that claimed it.
    pub claimed_by: String,
    /// The state.
    #[serde(flatten)]
    pub state: PostingState,
}
