//! Sessions of operators, and the links that start one.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{MemberId, SessionId, SignInLinkId},
    time::Timestamp,
};

/// One sign-in of an operator, extended by its refresh token. Every use of that token makes a new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The random id.
    pub id: SessionId,
    /// The operator who signed in.
    pub operator: MemberId,
    /// The operator's [`Operator::generation`](crate::operators::Operator::generation) when the session
    /// began.
    pub generation: u32,
    /// SHA-256 of the refresh token that is valid for the next use, in hex.
    pub token_hash: String,
    /// The instant at which it ends, used or not.
    pub expires_at: Timestamp,
}

/// A link with which an operator signs in once, without their password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInLink {
    /// The random id.
    pub id: SignInLinkId,
    /// The operator it was made for.
    pub operator: MemberId,
    /// The operator's [`Operator::generation`](crate::operators::Operator::generation) when the link was
    /// made.
    pub generation: u32,
    /// SHA-256 of the link's secret, in hex.
    pub token_hash: String,
    /// The instant from which it is refused.
    pub expires_at: Timestamp,
}
