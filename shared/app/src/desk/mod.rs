//! The operators' desk: what they read, and what they change. Every change is audited and idempotent.
mod bank_payment;
mod dashboard;
mod lists;
mod parked;
mod program;
mod read;
mod write;

pub use bank_payment::{
    BankPayment, BankRefusal, CallRefusal, DeskCall, Line, answered_call, is_transferred, keep_answer,
    record_bank_payment,
};
pub use dashboard::{Dashboard, Figures, Monitoring, Success, Waiting, dashboard, payment_monitoring};
pub use lists::{
    LONGEST_PAGE, ListedReferrer, ListedUser, UserFilter, UserPlace, list_orders, list_referrers, list_users,
    list_withdrawals,
};
pub use parked::{ReplayRefusal, parked_events, request_replay};
pub use program::{
    Explained, ProgramRefusal, ProgramRequest, explain_member, explain_payment, newest_program, set_program,
};
pub use read::{
    DayTrend, DeskCommission, DeskMember, DeskPending, DeskStats, Export, Pending, TopReferrer,
    commissions_of, desk_member, desk_stats, export_credits, pending_referrals, top_referrers,
};
pub use write::{
    Answer, Change, DeskError, DeskRequest, apply_credit, force_confirm, revoke_credit, set_barred,
};
