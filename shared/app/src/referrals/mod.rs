//! Referrals: codes, shared links, the referral tree and expiry.
mod codes;
mod expire;
mod links;
mod pending;
mod recruit;
mod tree;

pub use codes::{generate_code, share_code};
pub use expire::{Expired, expire};
pub use links::{Attributed, Followed, Visit, explain_attribution, follow_link};
pub use pending::{AdminReferral, Pending, pending_referrals};
pub use recruit::{RecruitView, recruit_view};
pub use tree::{Branch, Tree, TreePlace, referral_tree};

pub(crate) use codes::share_code_of;
