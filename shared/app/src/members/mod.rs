//! Members: `/start`, registration over the API, and barring.
mod bar;
mod find;
mod register;
mod start;
mod view;

pub use bar::set_barred;
pub use find::find_member;
pub use register::{Registered, Tracked, ensure_member, register_member, track_referral};
pub use start::{Profile, StartRefusal, Started, first_name, member_or_start, start_by_link, start_member};
pub use view::{AdminMember, admin_member};

pub(crate) use start::{Join, join};
