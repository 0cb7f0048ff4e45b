//! The use cases. Each one loads what it needs, decides with `guerdon-domain`, and commits one transaction.
//!
//! They know neither HTTP nor Lambda, neither Stripe's nor Telegram's formats: the functions decode those
//! and call in here. Anything a caller must show somebody is in a use case's outcome; an [`AppError`] means
//! that it did not complete, and says whether trying again helps.
//!
//! Every use case may be called twice, at once, or again after a crash at any point, with the same end.
mod bill_credit;
mod context;
pub mod desk;
mod error;
mod expire;
mod leaderboard;
mod link_customer;
mod notify;
mod project;
mod record_payment;
mod relay;
mod settle_wallet;
mod share_code;
mod start_member;
mod views;

pub use bill_credit::{
    BalanceError, CustomerBalance, InvoiceFacts, LEASE_SECONDS, Posted, Reconciled, post_bill_credit,
    reconcile_invoice,
};
pub use context::{App, Clock, Entropy, FixedClock, MovableClock, OsEntropy, SystemClock};
pub use error::AppError;
pub use expire::{Expired, expire};
pub use leaderboard::{Board, Period, Row, leaderboard};
pub use link_customer::{Linked, Parked, link_customer, park_for_customer, park_for_handler, replay_parked};
pub use notify::{Content, Notice, claim_notice, notice_done, notice_for, set_blocked};
pub use project::{PROJECTED, project};
pub use record_payment::{Recorded, explain, record_payment};
pub use relay::{DomainEvent, RELAYED, event_of};
pub(crate) use settle_wallet::pause;
pub use settle_wallet::{Settled, Swept, settle_wallet, sweep_releases};
pub use share_code::share_code;
pub use start_member::{Profile, StartRefusal, Started, start_member};
pub use views::{
    CreditsView, ProfileView, RecruitView, ReferralStats, StandingView, credits_view, profile_view,
    recruit_view,
};

/// The stored records that functions name in their own signatures.
pub mod stored {
    pub use guerdon_store::{
        Change, Cost, Joined, Member, MemberCode, Meter, ParkedEvent, PaymentOutcome, PaymentRecord, Store,
        StoreError, Stored, WaitsFor,
    };
}
