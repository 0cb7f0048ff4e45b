//! Referrals: codes, the clicks on shared links, and the edges between referrers and referees.
mod click;
mod code;
mod referral;

pub use click::{Attribution, Click, Touch, attribute, is_program};
pub use code::{ALPHABET, CODE_LEN, Code, CodeError, CodeRecord};
pub use referral::{Counted, Progress, Referral, ReferralState};
