//! Members: Telegram users of the business. The ledger knows them by pseudonym only.
mod mask;
mod member;
mod pseudonym;

pub use mask::mask_name;
pub use member::{Joined, Member, MemberCode};
pub use pseudonym::PseudonymKey;
