//! Referrals: how a member came to their referrer, and who waits or converts.

pub(crate) mod attribution;
pub(crate) mod list;
