//! Referrals: shared links, codes, and who brought whom.

pub(crate) mod click;
pub(crate) mod code;
pub(crate) mod tree;
