//! Members: Telegram users of the business, known to the ledger by pseudonyms alone.
mod mask;
mod member;
mod pseudonym;

pub use mask::mask_name;
pub use member::{Joined, Member, MemberCode};
pub use pseudonym::PseudonymKey;
