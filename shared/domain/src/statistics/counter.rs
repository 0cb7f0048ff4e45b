//! Counters, and the names that they are stored under.

use crate::{
    ids::Rail,
    money::{Currency, Money},
    payments::PaymentMethod,
    withdrawals::WithdrawalState,
};

/// A counter of a projected item. The same counter may exist for the deployment, for a day and for a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// Members who joined.
    Members,
    /// Members who joined through a code.
    Referrals,
    /// Members that a referrer brought.
    Recruits,
    /// Referrals that have not paid yet.
    Pending,
    /// Referrals that paid.
    Converted,
    /// Referrals that expired.
    Expired,
    /// Clicks on shared links.
    Clicks,
    /// Clicks by new visitors.
    Visitors,
    /// Clicks over the number that is kept of one source in a minute.
    ClicksNotKept,
    /// Codes that were made.
    Codes,
    /// Codes that have expired.
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
    /// Commissions of one beneficiary of which a part was taken back.
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

/// Sums of money, each kept once for every currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sum {
    /// Payments.
    Paid,
    /// The part of payments that was undone.
    Refunded,
    /// The cost of making the sold products.
    Cost,
    /// Payments in other currencies, in the currency of account.
    ForeignPaid,
    /// The part of them that was undone, in the currency of account.
    ForeignRefunded,
    /// The cost of what they bought, in the currency of account.
    ForeignCost,
    /// Commissions of all beneficiaries, less what was taken back.
    Issued,
    /// Commissions of one beneficiary, less what was taken back.
    Earned,
    /// Commissions on hold.
    Held,
    /// The part of commissions that was taken back.
    Clawed,
    /// Adjustments by operators: given less taken.
    Adjusted,
    /// Bill credit that invoices used up.
    Applied,
    /// Debts of members.
    Owed,
    /// Withdrawals of one state.
    Withdrawn(WithdrawalState),
    /// Withdrawals that were paid out.
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
            Self::ClicksNotKept => "clicks_not_kept".to_owned(),
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
    /// The beginning of its stored names.
    pub(super) fn word(self) -> String {
        let word = match self {
            Self::Paid => "paid",
            Self::Refunded => "refunded",
            Self::Cost => "cost",
            Self::ForeignPaid => "foreign_paid",
            Self::ForeignRefunded => "foreign_refunded",
            Self::ForeignCost => "foreign_cost",
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
