//! Withdrawals: request, decision, claim and payment.
mod confirm;
mod decide;
mod error;
mod export;
mod list;
mod pay;
mod request;
mod view;

pub use confirm::{Confirmed, WithdrawalOffer, confirm_withdrawal, offer_withdrawal};
pub use decide::{approve_withdrawal, reject_withdrawal};
pub use error::WithdrawalError;
pub use export::{BatchLine, export_batch};
pub use list::{find_withdrawal, withdrawals_in, withdrawals_of};
pub use pay::{
    Outcome, PaidOut, PayoutError, Payouts, claim_withdrawal, finish_withdrawal, look_up_stuck, pay_out,
};
pub use request::{WithdrawalAsked, request_withdrawal, request_withdrawal_as};
pub use view::{WithdrawView, withdraw_view};
