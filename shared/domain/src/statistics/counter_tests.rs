use super::*;

const PLAIN: [(Counter, &str); 18] = [
    (Counter::Members, "members"),
    (Counter::Referrals, "referrals"),
    (Counter::Recruits, "recruits"),
    (Counter::Pending, "pending"),
    (Counter::Converted, "converted"),
    (Counter::Expired, "expired"),
    (Counter::Clicks, "clicks"),
    (Counter::Visitors, "visitors"),
    (Counter::ClicksNotKept, "clicks_not_kept"),
    (Counter::Codes, "codes"),
    (Counter::CodesExpired, "codes_expired"),
    (Counter::Payments, "payments"),
    (Counter::Orders, "orders"),
    (Counter::OrdersPaid, "orders_paid"),
    (Counter::Commissions, "commissions"),
    (Counter::Rewards, "rewards"),
    (Counter::Reversed, "reversed"),
    (Counter::WithdrawalSeconds, "withdrawal_seconds"),
];

const SUMS: [(Sum, &str); 20] = [
    (Sum::ForeignPaid, "foreign_paid_USD"),
    (Sum::ForeignRefunded, "foreign_refunded_USD"),
    (Sum::ForeignCost, "foreign_cost_USD"),
    (Sum::Paid, "paid_USD"),
    (Sum::Refunded, "refunded_USD"),
    (Sum::Cost, "cost_USD"),
    (Sum::Issued, "issued_USD"),
    (Sum::Earned, "earned_USD"),
    (Sum::Held, "held_USD"),
    (Sum::Clawed, "clawed_USD"),
    (Sum::Adjusted, "adjusted_USD"),
    (Sum::Applied, "applied_USD"),
    (Sum::Owed, "owed_USD"),
    (Sum::PaidOut, "paid_out_USD"),
    (Sum::Withdrawn(WithdrawalState::Requested), "withdrawn_requested_USD"),
    (Sum::Withdrawn(WithdrawalState::Approved), "withdrawn_approved_USD"),
    (Sum::Withdrawn(WithdrawalState::Paying), "withdrawn_paying_USD"),
    (Sum::Withdrawn(WithdrawalState::Paid), "withdrawn_paid_USD"),
    (Sum::Withdrawn(WithdrawalState::Rejected), "withdrawn_rejected_USD"),
    (Sum::Withdrawn(WithdrawalState::Failed), "withdrawn_failed_USD"),
];

const WITH_DATA: [(Counter, &str); 29] = [
    (Counter::PaymentsBy(Rail::Stripe), "payments_stripe"),
    (Counter::PaymentsBy(Rail::Stars), "payments_stars"),
    (Counter::PaymentsBy(Rail::Bank), "payments_bank"),
    (Counter::PaymentsBy(Rail::Btc), "payments_btc"),
    (Counter::PaymentsBy(Rail::Ltc), "payments_ltc"),
    (Counter::PaymentsBy(Rail::Wallet), "payments_wallet"),
    (Counter::PaymentsBy(Rail::Manual), "payments_manual"),
    (Counter::FailedBy(Rail::Stripe), "failed_stripe"),
    (Counter::FailedBy(Rail::Stars), "failed_stars"),
    (Counter::FailedBy(Rail::Bank), "failed_bank"),
    (Counter::FailedBy(Rail::Btc), "failed_btc"),
    (Counter::FailedBy(Rail::Ltc), "failed_ltc"),
    (Counter::FailedBy(Rail::Wallet), "failed_wallet"),
    (Counter::FailedBy(Rail::Manual), "failed_manual"),
    (Counter::OrdersBy(PaymentMethod::Upi), "orders_upi"),
    (Counter::OrdersBy(PaymentMethod::Bank), "orders_bank"),
    (Counter::OrdersBy(PaymentMethod::Blik), "orders_blik"),
    (Counter::OrdersPaidBy(PaymentMethod::Upi), "orders_paid_upi"),
    (Counter::OrdersPaidBy(PaymentMethod::Bank), "orders_paid_bank"),
    (Counter::OrdersPaidBy(PaymentMethod::Blik), "orders_paid_blik"),
    (Counter::Withdrawals(WithdrawalState::Requested), "withdrawals_requested"),
    (Counter::Withdrawals(WithdrawalState::Approved), "withdrawals_approved"),
    (Counter::Withdrawals(WithdrawalState::Paying), "withdrawals_paying"),
    (Counter::Withdrawals(WithdrawalState::Paid), "withdrawals_paid"),
    (Counter::Withdrawals(WithdrawalState::Rejected), "withdrawals_rejected"),
    (Counter::Withdrawals(WithdrawalState::Failed), "withdrawals_failed"),
    (Counter::Score, "score"),
    (Counter::Bucket(7), "0007"),
    (Counter::Bucket(1043), "1043"),
];

/// Stored counters are added to under these names, so they may not change.
#[test]
fn every_counter_has_the_name_that_it_is_stored_under() {
    let sums = SUMS.map(|(sum, name)| (Counter::Sum(sum, Currency::USD), name));
    let mut names = std::collections::BTreeSet::new();
    for (counter, name) in PLAIN.into_iter().chain(WITH_DATA).chain(sums) {
        assert_eq!(counter.name(), name);
        assert!(names.insert(name), "{name} is counted twice");
        assert!(is_listed(counter));
    }
    let days = Money::new(30, Currency::DAY);
    assert_eq!(Counter::of(Sum::Earned, days).name(), "earned_DAY");
}

/// Does not compile until a new counter is added here, as a reminder to list its name above.
const fn is_listed(counter: Counter) -> bool {
    use Counter as C;
    match counter {
        C::Members | C::Referrals | C::Recruits | C::Pending | C::Converted | C::Expired => true,
        C::Clicks | C::Visitors | C::ClicksNotKept | C::Codes | C::CodesExpired => true,
        C::Payments | C::PaymentsBy(_) | C::FailedBy(_) => true,
        C::Orders | C::OrdersBy(_) | C::OrdersPaid | C::OrdersPaidBy(_) => true,
        C::Commissions | C::Rewards | C::Reversed => true,
        C::Withdrawals(_) | C::WithdrawalSeconds | C::Score | C::Bucket(_) => true,
        C::Sum(sum, _) => match sum {
            Sum::Paid | Sum::Refunded | Sum::Cost | Sum::Issued | Sum::Earned | Sum::Held => true,
            Sum::Clawed | Sum::Adjusted | Sum::Applied | Sum::Owed => true,
            Sum::Withdrawn(_) | Sum::PaidOut => true,
            Sum::ForeignPaid | Sum::ForeignRefunded | Sum::ForeignCost => true,
        },
    }
}
