//! Every counter there is, and the name that it is stored under.

use crate::{
    ids::Rail,
    money::{Currency, Money},
    payments::PaymentMethod,
    withdrawals::WithdrawalState,
};

/// A counter of a projected item. The same one may count for the deployment, for a day and for a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// Members who joined.
    Members,
    /// Of these, through a code.
    Referrals,
    /// Members that a referrer brought.
    Recruits,
    /// Referrals that have not paid yet.
    Pending,
    /// Referrals that paid.
    Converted,
    /// Referrals that ran out of time.
    Expired,
    /// Clicks on shared links.
    Clicks,
    /// Of these, first ones.
    Visitors,
    /// Codes that were made.
    Codes,
    /// Of these, those whose time is over.
    CodesExpired,
    /// Payments of all rails.
    Payments,
    /// Payments of one rail.
    PaymentsBy(Rail),
    /// Attempts to pay by one rail that failed.
    FailedBy(Rail),
    /// Orders that services made.
    Orders,
    /// Orders of one method.
    OrdersBy(PaymentMethod),
    /// Orders that were paid.
    OrdersPaid,
    /// Orders of one method that were paid.
    OrdersPaidBy(PaymentMethod),
    /// Commissions booked.
    Commissions,
    /// Commissions booked for one beneficiary.
    Rewards,
    /// Of these, those of which some was taken back.
    Reversed,
    /// Withdrawals of one state.
    Withdrawals(WithdrawalState),
    /// Seconds from request to payment, over all withdrawals that were paid.
    WithdrawalSeconds,
    /// A sum of money, in minor units.
    Sum(Sum, Currency),
    /// A member's score in a ranking.
    Score,
    /// Members whose score is in one bucket of a ranking's histogram.
    Bucket(i64),
}

/// Sums of money that are kept, each once for every currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sum {
    /// Payments.
    Paid,
    /// What was undone of them.
    Refunded,
    /// What was sold cost to make.
    Cost,
    /// Commissions of all beneficiaries, less what was taken back.
    Issued,
    /// Commissions of one beneficiary, less what was taken back.
    Earned,
    /// Commissions on hold.
    Held,
    /// What was taken back of commissions.
    Clawed,
    /// What operators gave, less what they took.
    Adjusted,
    /// Bill credit that invoices used up.
    Applied,
    /// What members owe.
    Owed,
    /// Withdrawals of one state.
    Withdrawn(WithdrawalState),
    /// Withdrawals that left the books.
    PaidOut,
}

impl Counter {
    /// The counter of a sum in the currency of `money`.
    pub const fn of(sum: Sum, money: Money) -> Self {
        Self::Sum(sum, money.currency())
    }

    /// The name that it is stored under.
    pub fn name(self) -> String {
        match self {
            Self::Members => "members".to_owned(),
            Self::Referrals => "referrals".to_owned(),
            Self::Recruits => "recruits".to_owned(),
            Self::Pending => "pending".to_owned(),
            Self::Converted => "converted".to_owned(),
            Self::Expired => "expired".to_owned(),
            Self::Clicks => "clicks".to_owned(),
            Self::Visitors => "visitors".to_owned(),
            Self::Codes => "codes".to_owned(),
            Self::CodesExpired => "codes_expired".to_owned(),
            Self::Payments => "payments".to_owned(),
            Self::PaymentsBy(rail) => format!("payments_{}", rail.as_str()),
            Self::FailedBy(rail) => format!("failed_{}", rail.as_str()),
            Self::Orders => "orders".to_owned(),
            Self::OrdersBy(method) => format!("orders_{}", method.as_str()),
            Self::OrdersPaid => "orders_paid".to_owned(),
            Self::OrdersPaidBy(method) => format!("orders_paid_{}", method.as_str()),
            Self::Commissions => "commissions".to_owned(),
            Self::Rewards => "rewards".to_owned(),
            Self::Reversed => "reversed".to_owned(),
            Self::Withdrawals(state) => format!("withdrawals_{}", state.as_str()),
            Self::WithdrawalSeconds => "withdrawal_seconds".to_owned(),
            Self::Sum(sum, currency) => format!("{}_{currency}", sum.word()),
            Self::Score => "score".to_owned(),
            Self::Bucket(bucket) => format!("{bucket:04}"),
        }
    }
}

impl Sum {
    /// What its names begin with.
    pub(super) fn word(self) -> String {
        let word = match self {
            Self::Paid => "paid",
            Self::Refunded => "refunded",
            Self::Cost => "cost",
            Self::Issued => "issued",
            Self::Earned => "earned",
            Self::Held => "held",
            Self::Clawed => "clawed",
            Self::Adjusted => "adjusted",
            Self::Applied => "applied",
            Self::Owed => "owed",
            Self::Withdrawn(state) => return format!("withdrawn_{}", state.as_str()),
            Self::PaidOut => "paid_out",
        };
        word.to_owned()
    }
}

#[cfg(test)]
#[path = "counter_tests.rs"]
mod tests;
