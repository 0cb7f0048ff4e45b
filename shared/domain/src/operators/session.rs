//! Sessions of operators, and the links that begin one.

use serde::{Deserialize, Serialize};

use crate::{ids::MemberId, time::Timestamp};

/// One sign-in of an operator, kept alive by its refresh token. Every use of that token makes a new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Random.
    pub id: String,
    /// Whose.
    pub operator: MemberId,
    /// The operator's [`Operator::generation`](crate::operators::Operator::generation) when it began.
    pub generation: u32,
    /// SHA-256 of the refresh token that is good for the next use, in hex.
    pub token_hash: String,
    /// When it ends, used or not.
    pub expires_at: Timestamp,
}

/// A link with which an operator signs in once, without their password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInLink {
    /// Random.
    pub id: String,
    /// Whose.
    pub operator: MemberId,
    /// The operator's [`Operator::generation`](crate::operators::Operator::generation) when it was made.
    pub generation: u32,
    /// SHA-256 of the link's secret, in hex.
    pub token_hash: String,
    /// From then on it opens nothing.
    pub expires_at: Timestamp,
}
