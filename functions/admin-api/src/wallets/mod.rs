//! Wallets: statements, and credit that operators give and take.

pub(crate) mod adjust;
pub(crate) mod statement;
