//! The use cases. Each one loads what it needs, decides with `guerdon-domain`, and commits one transaction.
//!
//! They know neither HTTP nor Lambda, neither Stripe's nor Telegram's formats: the functions decode those
//! and call in here. Anything a caller must show somebody is in a use case's outcome; an [`AppError`] means
//! that it did not complete, and says whether trying again helps.
//!
//! Every use case may be called twice, at once, or again after a crash at any point, with the same end.
mod bill_credit;
mod clicks;
mod context;
pub mod desk;
mod error;
mod expire;
mod failed_payment;
mod figures;
mod fraud;
mod job_log;
mod leaderboard;
mod link_customer;
mod notify;
mod orders;
mod programs;
mod project;
mod project_lists;
mod record_payment;
mod referral_tree;
mod register_member;
mod relay;
mod reverse_payment;
mod rewards;
mod service_keys;
mod settings;
mod settle_wallet;
mod share_code;
mod sign_in;
mod simulate;
mod start_member;
mod statement;
mod verify_ledger;
mod views;
mod withdraw;

pub use bill_credit::{
    BalanceError, CustomerBalance, InvoiceFacts, LEASE_SECONDS, Posted, Reconciled, post_bill_credit,
    reconcile_invoice,
};
pub use clicks::{Attributed, Followed, explain_attribution, follow_link};
pub use context::{App, Clock, Entropy, FixedClock, MovableClock, OsEntropy, SystemClock};
pub use error::AppError;
pub use expire::{Expired, expire};
pub use failed_payment::record_failed_payment;
pub use figures::{Analytics, MOST_TREND_DAYS, TrendDay, referral_analytics, referral_trends};
pub use fraud::{
    ByHand, Checked, FraudRefusal, block_member, flag_by_hand, inspect_destination, inspect_joined,
    inspect_payer, inspect_prints, inspect_reversed, inspect_withdrawal, resolve_flag, run_checks,
    unblock_member,
};
pub use job_log::{JOBS, job_runs, logged_run};
pub use leaderboard::{Board, Period, Row, leaderboard, public_board};
pub use link_customer::{
    Linked, Parked, link_customer, park_for_handler, park_until_known, replay_parked, tie_reference,
};
pub use notify::{Content, Notice, claim_notice, notice_done, notice_for, set_blocked};
pub use orders::{OrderRefusal, OrderRequest, PaidOrder, create_order, pay_order, payout_of};
pub use programs::{Programs, program_at, program_now};
pub use project::{PROJECTED, project};
pub use record_payment::{Recorded, record_payment};
pub use referral_tree::{Branch, Tree, TreePlace, referral_tree};
pub use register_member::{Registered, Tracked, ensure_member, register_member, track_referral};
pub use relay::{Announcement, DomainEvent, RELAYED, announcement_of, event_of};
pub use reverse_payment::{Reversed, reverse_payment};
pub use rewards::{ClaimRefusal, Claimed, claim_reward, claim_rewards};
pub use service_keys::{KEY_PREFIX, NewServiceKey, make_service_key, revoke_service_key, service_of};
pub use settings::{KnownSettings, SettingRefusal, SettingState, all_settings, set_setting, settings_now};
pub(crate) use settle_wallet::pause;
pub use settle_wallet::{Settled, Swept, settle_wallet, sweep_releases};
pub use share_code::{generate_code, share_code};
pub use sign_in::{
    FirstOperator, LINK_MINUTES, LOCK_MINUTES, MOST_ATTEMPTS, OperatorError, Password, SESSION_HOURS,
    SignInError, SignedIn, WeakPassword, operator_name, remove_operator, renew, session_of, set_operator,
    sign_in, sign_in_by_link, sign_in_link, sign_out,
};
pub use simulate::{MOST_DAYS, RuleTotal, Simulation, simulate};
pub use start_member::{Profile, StartRefusal, Started, start_by_link, start_member};
pub use statement::{BalanceAt, balance_at};
pub use verify_ledger::{
    Difference, Verified, verify_all, verify_ledger, verify_next, verify_payment, verify_wallet,
};
pub use views::{
    CreditsView, ProfileView, RecruitView, ReferralStats, StandingView, ToClaim, WithdrawView,
    claim_and_view, credits_view, profile_view, recruit_view, reward_wallet, withdraw_view,
};

pub use withdraw::{
    BatchLine, Outcome, PaidOut, PayoutError, Payouts, WithdrawalAsked, WithdrawalError, approve_withdrawal,
    claim_withdrawal, export_batch, finish_withdrawal, look_up_stuck, pay_out, reject_withdrawal,
    request_withdrawal,
};

/// Work under a correlation id, and metrics.
pub use guerdon_store::{METRICS, correlated, correlation};

/// The stored records that functions name in their own signatures.
pub mod stored {
    pub use guerdon_store::{
        AuditRecord, Change, Cost, JobRun, Joined, Member, MemberCode, Meter, Order, ParkedEvent,
        PaymentRecord, PaymentReference, ProgramVersion, ScanCursor, ServiceKey, Store, StoreError, Stored,
        WaitsFor, commission_cursor,
    };
}
