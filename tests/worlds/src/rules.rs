//! Rules as the worlds' businesses write them.

use guerdon_domain::{
    money::{Currency, Money, Rounding},
    programs::{Amount, Beneficiary, Rule, Trigger},
    wallets::WalletKind,
};

/// A fixed amount of US cents.
pub fn flat(minor: i64) -> Amount {
    Amount::Flat { amount: Money::new(minor, Currency::USD) }
}

/// A share of what was paid.
pub fn share(percent: u32) -> Amount {
    Amount::PercentOfPayment { percent: percent.into(), rounding: Rounding::HalfUp, quantum_minor: 1 }
}

/// A rule without a hold or limits.
pub fn rule(id: &str, trigger: Trigger, beneficiary: Beneficiary, amount: Amount) -> Rule {
    Rule {
        id: id.into(),
        trigger,
        beneficiary,
        amount,
        minimum_payment: Money::new(2000, Currency::USD),
        products: Vec::new(),
        hold_seconds: 0,
        claim_within_days: None,
        target: WalletKind::Earnings,
        cap_commission: None,
        cap_member: None,
    }
}
