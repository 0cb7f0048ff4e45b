//! Bill credit on its way to a Stripe customer's balance.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{CustomerId, MemberId, PostingId},
    money::Money,
    time::Timestamp,
};

/// How far a posting to a Stripe customer balance has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PostingState {
    /// Ours to make: the call may or may not have been made.
    Claimed,
    /// Stripe has it.
    Posted {
        /// Stripe's balance transaction.
        transaction: String,
        /// When we learned of it.
        posted_at: Timestamp,
    },
    /// Stripe refused it for good; the credit went back.
    Refused {
        /// Stripe's error code.
        code: String,
        /// When.
        refused_at: Timestamp,
    },
}

/// Bill credit on its way to a Stripe customer balance. At most one of a wallet is claimed at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// Also the idempotency key at Stripe.
    pub id: PostingId,
    /// Whose credit it is.
    pub member: MemberId,
    /// Where it goes.
    pub customer: CustomerId,
    /// How much, above zero.
    pub amount: Money,
    /// The wallet's entry that claimed it.
    pub seq: u64,
    /// When it was claimed.
    pub claimed_at: Timestamp,
    /// The message that claimed it.
    pub claimed_by: String,
    /// How far it has come.
    #[serde(flatten)]
    pub state: PostingState,
}
