//! Referrals: codes, the clicks on shared links, and the edges between referrers and referees.
mod click;
mod code;
mod program;
mod referral;

pub use click::{Attribution, Click, CodeStanding, Touch, attribute};
pub use code::{ALPHABET, CODE_LEN, Code, CodeError, CodeRecord};
pub use program::is_program;
pub use referral::{Counted, Progress, Referral, ReferralState};
