//! Double entry: an operation is a set of legs that sums to zero in every currency.
//!
//! Members' wallets *authorize* (their buckets are guarded by conditions in the table). House accounts
//! only *record*: their legs sit in the entry that caused them and no house item exists.

use serde::{Deserialize, Serialize};

use crate::{
    ids::MemberId,
    money::{Money, MoneyError},
};

/// The purpose of a wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WalletKind {
    /// Commissions that may be withdrawn.
    Earnings,
    /// Deposits that may be spent in the shop.
    Balance,
    /// Credit that lowers the member's next Stripe invoices.
    BillCredit,
    /// Service credits.
    Credits,
}

impl WalletKind {
    /// The kind's name in keys and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Earnings => "earnings",
            Self::Balance => "balance",
            Self::BillCredit => "bill_credit",
            Self::Credits => "credits",
        }
    }
}

/// The part of a wallet that a leg touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bucket {
    /// Free to use.
    Available,
    /// The member's, but reserved: for a withdrawal, or as credit on their Stripe customer balance.
    Held,
    /// The member's debt. Stored positive, posted negative: a debt lowers the sum.
    Owed,
}

/// An account of the business. It has no balance item; its legs are in the entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum House {
    /// Commissions granted: the cost of the referral program.
    CommissionExpense,
    /// Credits given and taken by hand.
    ManualAdjustment,
    /// Bill credit that an invoice has used up.
    InvoiceRevenue,
    /// Money paid out to members.
    Payout,
}

impl House {
    /// The account's name in the API and in hashes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CommissionExpense => "commission_expense",
            Self::ManualAdjustment => "manual_adjustment",
            Self::InvoiceRevenue => "invoice_revenue",
            Self::Payout => "payout",
        }
    }
}

/// The account that a leg changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Account {
    /// A bucket of a member's wallet.
    Wallet(MemberId, WalletKind, Bucket),
    /// An account of the business.
    House(House),
}

/// One side of an operation; positive adds to the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// The account.
    pub account: Account,
    /// The signed amount.
    pub amount: Money,
}

/// The reason why legs do not make an operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The legs of a currency do not cancel out.
    #[error("the legs sum to {0}, not to zero")]
    Unbalanced(Money),
    /// Fewer than two legs, or a leg of zero.
    #[error("an operation has two legs or more, none of zero")]
    Degenerate,
    /// An amount does not fit.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// Legs that are known to sum to zero per currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    legs: Vec<Leg>,
}

impl Operation {
    /// Makes an operation of legs that balance.
    ///
    /// # Errors
    /// [`LedgerError`] when they do not balance, when there are fewer than two, or when one is zero.
    pub fn try_new(legs: Vec<Leg>) -> Result<Self, LedgerError> {
        if legs.len() < 2 || legs.iter().any(|leg| leg.amount.is_zero()) {
            return Err(LedgerError::Degenerate);
        }
        let mut sums: Vec<Money> = Vec::new();
        for leg in &legs {
            match sums.iter_mut().find(|sum| sum.currency() == leg.amount.currency()) {
                Some(sum) => *sum = sum.checked_add(leg.amount)?,
                None => sums.push(leg.amount),
            }
        }
        match sums.into_iter().find(|sum| !sum.is_zero()) {
            Some(sum) => Err(LedgerError::Unbalanced(sum)),
            None => Ok(Self { legs }),
        }
    }

    /// The legs.
    pub fn legs(&self) -> &[Leg] {
        &self.legs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    fn leg(house: House, minor: i64, currency: Currency) -> Leg {
        Leg { account: Account::House(house), amount: Money::new(minor, currency) }
    }

    #[test]
    fn only_balanced_legs_are_an_operation() {
        use House::{CommissionExpense as C, ManualAdjustment as M};
        let (usd, eur) = (Currency::USD, Currency::EUR);
        let check = |legs, expect: Result<(), LedgerError>| {
            assert_eq!(Operation::try_new(legs).map(|_| ()), expect);
        };
        check(vec![leg(C, -5, usd), leg(M, 5, usd)], Ok(()));
        check(vec![leg(C, -5, usd), leg(M, 3, usd), leg(M, 2, usd)], Ok(()));
        check(vec![leg(C, -5, usd), leg(M, 4, usd)], Err(LedgerError::Unbalanced(Money::new(-1, usd))));
        check(vec![leg(C, -5, usd), leg(M, 5, eur)], Err(LedgerError::Unbalanced(Money::new(-5, usd))));
        check(vec![leg(C, 0, usd), leg(M, 0, usd)], Err(LedgerError::Degenerate));
        check(vec![], Err(LedgerError::Degenerate));
        let overflow = vec![leg(C, i64::MAX, usd), leg(M, i64::MAX, usd)];
        check(overflow, Err(LedgerError::Money(MoneyError::Overflow)));
    }
}
