//! Checks of a whole program, made before anything uses it.

use std::borrow::Cow;

use rust_decimal::Decimal;

use crate::ids::ProductId;
use crate::{
    money::{Currency, Money},
    payments::Purpose,
    programs::{Amount, Beneficiary, Cap, Program, Rule, Trigger},
    wallets::WalletKind,
};

/// A setting of the program that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("program setting '{setting}' {problem}")]
pub struct ProgramError {
    /// Path of the setting.
    pub setting: String,
    /// The problem with it.
    pub problem: Cow<'static, str>,
}

impl ProgramError {
    /// A problem with a setting of a rule.
    pub fn of_rule(rule: &Rule, setting: &str, problem: impl Into<Cow<'static, str>>) -> Self {
        Self { setting: path(rule, setting), problem: problem.into() }
    }
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
        if self.rules.iter().any(|rule| rule.beneficiary == Beneficiary::Upline) && !self.second_level {
            return wrong("second_level", "must be true, because a rule rewards the upline");
        }
        self.check_rates(currency)
    }

    fn check_rates(&self, currency: Currency) -> Result<(), ProgramError> {
        for (n, rate) in self.rates.iter().enumerate() {
            if rate.to != currency || rate.from == currency || !rate.from.is_known() {
                return wrong("rates", "must be from another currency that exists to the preset's");
            }
            if !rate.is_sound() {
                return wrong(
                    "rates",
                    "must be above zero, at most 100,000,000,000, with at most 12 decimals",
                );
            }
            if self.rates.iter().take(n).any(|other| other.from == rate.from) {
                return wrong("rates", "must be one for each currency");
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
        if !(0..=MOST_MINOR).contains(&self.minimum_payment.minor()) {
            return fail("minimum_payment", "must be 0 to 1,000,000,000 minor units");
        }
        if self.trigger == Trigger::Spend {
            return fail("trigger", "cannot be spend: nothing is sold from wallets in this version");
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
        let days = matches!(self.amount, Amount::PremiumDays { .. });
        if days && self.target != WalletKind::Credits {
            return fail("target", "must be credits for premium days");
        }
        if self.shares_profit() && self.trigger.purpose() != Purpose::Purchase {
            return fail("amount", "cannot share a profit: only a purchase has one");
        }
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
    Err(ProgramError { setting: setting.to_owned(), problem: Cow::Borrowed(problem) })
}
