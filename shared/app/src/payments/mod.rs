//! Payments: recording, explanation, reversal, orders, and parked provider events.
mod bank;
mod customers;
mod decide_again;
mod deciding;
mod explain;
mod failed;
mod orders;
mod parked;
mod payment_intents;
mod record;
mod refund;
mod reverse;
mod vouch;

pub use bank::{BankPayment, BankRefusal, is_transferred, record_bank_payment};
pub use customers::{Linked, link_customer, member_of_customer, payment_behind};
pub use decide_again::{
    DecideRefusal, DecidedAll, Supplied, Undecided, decide_again, decide_all, undecided_payments,
};
pub use explain::{Explained, explain_member, explain_payment, explained, payer_of};
pub use failed::record_failed_payment;
pub use orders::{OrderRefusal, OrderRequest, PaidOrder, create_order, find_order, pay_order, payout_of};
pub use parked::{
    Parked, ReplayRefusal, park_for_handler, park_until_known, parked_events, replay_parked, request_replay,
};
pub use payment_intents::{
    PaymentIntentClaim, PaymentIntentLookup, Tied, claim_payment_intent, tie_reference, undo_payment_intent,
};
pub use record::{Recorded, record_payment};
pub use refund::{RefundRefusal, currency_of, refund_by_hand};
pub use reverse::{Reversed, reverse_payment};
pub use vouch::force_confirm;

pub(crate) use decide_again::decide_after;
pub(crate) use record::{Along, priced, record_along, record_once};
pub(crate) use reverse::move_reversals;
