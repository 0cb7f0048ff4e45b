//! Checks of a whole program, made before anything uses it.

use rust_decimal::Decimal;

use crate::ids::ProductId;
use crate::{
    money::{Currency, Money},
    programs::{Amount, Cap, Program, Rule, Trigger},
};

/// A setting of the program that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("program setting '{setting}' {problem}")]
pub struct ProgramError {
    /// Path of the setting.
    pub setting: String,
    /// The problem with it.
    pub problem: &'static str,
}

/// The most rules in a program.
const MOST_RULES: usize = 8;
/// The most products of a rule, because a rule is copied into each of its commissions.
const MOST_PRODUCTS: usize = 8;
const YEAR_SECONDS: i64 = 31_536_000;

impl Program {
    /// Checks every number, for a deployment whose prices are in `currency`.
    ///
    /// # Errors
    /// [`ProgramError`] names the first setting that is wrong.
    pub fn check(&self, currency: Currency) -> Result<(), ProgramError> {
        if self.version == 0 {
            return wrong("version", "must be 1 or more");
        }
        if self.rules.len() > MOST_RULES {
            return wrong("rules", "must be at most 8");
        }
        for rule in &self.rules {
            rule.check(currency)?;
            if self.rules.iter().filter(|other| other.id == rule.id).count() > 1 {
                return wrong(&path(rule, "id"), "is used by two rules");
            }
        }
        if self.upline_active_days.is_some_and(|days| !(1..=3650).contains(&days)) {
            return wrong("upline_active_days", "must be 1 to 3650");
        }
        check_cap("budget", self.budget, currency)?;
        if self.budget.is_some() && self.rules.iter().any(|r| r.granted_currency(currency) != currency) {
            return wrong("budget", "cannot limit rules that grant in another currency");
        }
        for rate in &self.rates {
            if rate.to != currency || rate.from == currency || rate.rate <= Decimal::ZERO {
                return wrong("rates", "must be above zero, from another currency to the preset's");
            }
        }
        Ok(())
    }
}

impl Rule {
    fn check(&self, currency: Currency) -> Result<(), ProgramError> {
        let fail = |setting: &str, problem| wrong(&path(self, setting), problem);
        let id = self.id.as_str();
        let named = id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !named || id.is_empty() || id.len() > 24 {
            return wrong("rules.id", "must be 1 to 24 lower-case letters, digits or '-'");
        }
        if !(0..=YEAR_SECONDS).contains(&self.hold_seconds) {
            return fail("hold_seconds", "must be 0 to a year");
        }
        if self.minimum_payment.currency() != currency {
            return fail("minimum_payment", "must be in the preset's currency");
        }
        if self.minimum_payment.minor() < 0 {
            return fail("minimum_payment", "must not be negative");
        }
        if matches!(self.trigger, Trigger::NthPayment(n) | Trigger::Months(n) if !(1..=120).contains(&n)) {
            return fail("trigger", "must count from 1 to 120");
        }
        if self.claim_within_days.is_some_and(|days| !(1..=3650).contains(&days)) {
            return fail("claim_within_days", "must be 1 to 3650");
        }
        let fits = |product: &ProductId| (1..=64).contains(&product.as_str().len());
        if self.products.len() > MOST_PRODUCTS || !self.products.iter().all(fits) {
            return fail("products", "must be at most 8 names of 1 to 64 characters");
        }
        self.check_amount(currency)?;
        let granted = self.granted_currency(currency);
        if self.cap_commission.is_some_and(|cap| cap.currency() != granted || !cap.is_positive()) {
            return fail("cap_commission", "must be above zero, in the currency the rule grants");
        }
        check_cap(&path(self, "cap_member"), self.cap_member, granted)
    }

    fn check_amount(&self, currency: Currency) -> Result<(), ProgramError> {
        let fail = |problem| wrong(&path(self, "amount"), problem);
        match self.amount {
            Amount::Flat { amount } if amount.currency() != currency => {
                fail("must be in the preset's currency")
            }
            Amount::Flat { amount } if !(1..=MOST_MINOR).contains(&amount.minor()) => {
                fail("must be above zero and at most 1,000,000,000 minor units")
            }
            Amount::PremiumDays { days } if !(1..=3650).contains(&days) => fail("must be 1 to 3650 days"),
            Amount::PercentOfPayment { percent, quantum_minor, .. }
            | Amount::PercentOfProfit { percent, quantum_minor, .. } => {
                if percent <= Decimal::ZERO || percent > Decimal::ONE_HUNDRED || percent.scale() > 6 {
                    fail("must be above 0 and at most 100 percent, with at most 6 decimals")
                } else if !(1..=1_000_000).contains(&quantum_minor) {
                    fail("must round to a quantum of 1 to 1,000,000 minor units")
                } else {
                    Ok(())
                }
            }
            Amount::Flat { .. } | Amount::PremiumDays { .. } => Ok(()),
        }
    }
}

/// The largest flat reward: ten million dollars.
const MOST_MINOR: i64 = 1_000_000_000;

fn check_cap(setting: &str, cap: Option<Cap>, currency: Currency) -> Result<(), ProgramError> {
    let sound = |amount: Money| amount.is_positive() && amount.currency() == currency;
    match cap {
        Some(cap) if !sound(cap.amount) => wrong(setting, "must be above zero, in the granted currency"),
        _ => Ok(()),
    }
}

fn path(rule: &Rule, setting: &str) -> String {
    format!("rules.{}.{setting}", rule.id)
}

fn wrong(setting: &str, problem: &'static str) -> Result<(), ProgramError> {
    Err(ProgramError { setting: setting.to_owned(), problem })
}
