//! Members: Telegram users of the business. The ledger knows them by pseudonym only.
mod mask;
mod member;
mod name;
mod pseudonym;

pub use mask::mask_name;
pub use member::{Joined, Member, MemberCode};
pub use name::{is_hidden, shown_name};
pub use pseudonym::PseudonymKey;
