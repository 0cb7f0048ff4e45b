//! Members: Telegram users of the business, known to the ledger by pseudonyms alone.
mod mask;
mod pseudonym;

pub use mask::mask_name;
pub use pseudonym::PseudonymKey;
