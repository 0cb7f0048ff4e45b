//! A preset: the numbers that a business starts with, written in TOML and checked before anything uses them.

use serde::{Deserialize, Serialize};

use crate::ids::{PlanId, ProductId};
use crate::{
    gamification::{Ranks, Tier},
    money::{Currency, Money, MoneyError},
    payments::{PaymentFacts, PaymentLine},
    programs::{Amount, Program, ProgramError, Rule},
    withdrawals::WithdrawalRules,
};

/// A plan or package that the bot offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Short stable name, part of payment links.
    pub id: PlanId,
    /// The name that members see.
    pub name: String,
    /// Price a month.
    pub price: Money,
    /// The cost of making it, for rules that share the profit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// The number of service credits included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits: Option<u32>,
    /// The payment providers' ids of it: Stripe's `prod_...` and `price_...`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<ProductId>,
}

impl Plan {
    /// Returns whether a payment for `product` pays this plan: it names the plan itself or one of its products.
    pub fn is_for(&self, product: &ProductId) -> bool {
        product.as_str() == self.id.as_str() || self.products.contains(product)
    }
}

/// A business's settings as shipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// The preset's name.
    pub name: String,
    /// The sender's name that members see.
    pub brand: String,
    /// The currency of its prices and rewards.
    pub currency: Currency,
    /// Days a referral code is valid.
    pub code_valid_days: i64,
    /// The number of days after joining within which a payment converts the referral.
    pub referral_window_days: i64,
    /// The reward rules.
    pub program: Program,
    /// The plans on offer.
    pub plans: Vec<Plan>,
    /// Ranks, if the brand has them.
    #[serde(default)]
    pub ranks: Option<Ranks>,
    /// Tiers by referral earnings, lowest first, if the brand has them.
    #[serde(default)]
    pub tiers: Vec<Tier>,
    /// The rules of withdrawals, if members are paid out.
    #[serde(default)]
    pub withdrawals: Option<WithdrawalRules>,
    /// The value of one service credit, if the brand sells them.
    #[serde(default)]
    pub credit_value: Option<Money>,
}

/// The reason why a preset cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PresetError {
    /// No preset of that name is built in.
    #[error("there is no preset '{name}'; there is: {known}")]
    Unknown {
        /// The name that was given.
        name: String,
        /// The names that exist.
        known: String,
    },
    /// The file is not a preset.
    #[error("the preset does not parse: {0}")]
    Malformed(#[from] toml::de::Error),
    /// A built-in preset cannot be read by this version.
    #[error("the built-in preset does not parse: {0}")]
    BuiltIn(#[from] serde_json::Error),
    /// A rule is not allowed.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A setting contradicts the rest.
    #[error("preset setting '{setting}' {problem}")]
    Inconsistent {
        /// Path of the setting.
        setting: &'static str,
        /// The problem with it.
        problem: &'static str,
    },
}

/// The presets as JSON, which `build.rs` makes of the files in `presets`.
const BUILTIN: &[(&str, &str)] = &[
    ("bitten", include_str!(concat!(env!("OUT_DIR"), "/bitten.json"))),
    ("ott", include_str!(concat!(env!("OUT_DIR"), "/ott.json"))),
    ("autosales", include_str!(concat!(env!("OUT_DIR"), "/autosales.json"))),
    ("streamline", include_str!(concat!(env!("OUT_DIR"), "/streamline.json"))),
    ("trollz", include_str!(concat!(env!("OUT_DIR"), "/trollz.json"))),
];

impl Preset {
    /// Returns a preset that ships with Guerdon.
    ///
    /// # Errors
    /// [`PresetError::Unknown`] names those that exist.
    pub fn builtin(name: &str) -> Result<Self, PresetError> {
        let Some((_, text)) = BUILTIN.iter().find(|(known, _)| *known == name) else {
            let known = BUILTIN.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ");
            return Err(PresetError::Unknown { name: name.chars().take(32).collect(), known });
        };
        let preset: Self = serde_json::from_str(text)?;
        preset.check()?;
        Ok(preset)
    }

    /// Reads and checks a preset that is written as TOML.
    ///
    /// # Errors
    /// [`PresetError`] with the setting that is wrong.
    pub fn parse(text: &str) -> Result<Self, PresetError> {
        let preset: Self = toml::from_str(text)?;
        preset.check()?;
        Ok(preset)
    }

    /// Computes the reward for one payment of the cheapest plan that satisfies `rule`, for forecasts.
    ///
    /// # Errors
    /// [`MoneyError`] when the amount does not fit, which [`Preset::parse`] rules out.
    pub fn typical_reward(&self, rule: &Rule) -> Result<Money, MoneyError> {
        let enough = |plan: &&Plan| plan.price.minor() >= rule.minimum_payment.minor();
        let cheapest = self.plans.iter().filter(enough).min_by_key(|plan| plan.price.minor());
        let base = cheapest.map_or(rule.minimum_payment, |plan| plan.price);
        let cost = cheapest.and_then(|plan| plan.cost).unwrap_or(Money::zero(base.currency()));
        rule.amount_for(base, cost)
    }

    /// Formats the headline rule's reward for texts: `$10.00`, `30 days`, `3%`. Nothing when the program
    /// rewards no referrers.
    pub fn reward_words(&self, program: &Program) -> Option<String> {
        let rule = program.headline()?;
        match rule.amount {
            Amount::PercentOfPayment { percent, .. } => Some(format!("{}%", percent.normalize())),
            Amount::Flat { .. } | Amount::PercentOfProfit { .. } | Amount::PremiumDays { .. } => {
                self.typical_reward(rule).ok().map(|reward| reward.to_string())
            }
        }
    }

    /// Fills in what the lines of a payment cost to make, and what a purchase without lines does. Costs that the rail
    /// or an operator gave stay. What is not known stays open.
    pub fn price(&self, payment: &mut PaymentFacts) {
        for line in &mut payment.lines {
            line.cost = line.cost.or_else(|| self.cost_of_line(line));
        }
        if payment.lines.is_empty() && payment.cost.is_none() && payment.purpose.is_purchase() {
            payment.cost = self.plan_at(payment.tier).and_then(|plan| plan.cost);
        }
    }

    /// What a line costs to make: its units at the cost of its plan. A correction within a period costs the part of a
    /// unit that it is of the plan's price. A line without money sells nothing.
    fn cost_of_line(&self, line: &PaymentLine) -> Option<Money> {
        if line.amount.is_zero() {
            return Some(Money::zero(self.currency));
        }
        let unit = i64::from(line.quantity.max(1));
        let each = Money::new(line.amount.minor().checked_div(unit)?, line.amount.currency());
        let named = self.plans.iter().find(|plan| plan.is_for(&line.product));
        let plan = match named {
            Some(plan) => plan,
            None => self.plan_priced(each).filter(|_| !line.proration)?,
        };
        let cost = plan.cost?;
        if line.proration || line.amount.minor() < 0 {
            let same = line.amount.currency() == plan.price.currency();
            return cost.checked_share(line.amount.minor(), plan.price.minor()).ok().filter(|_| same);
        }
        cost.checked_share(unit, 1).ok()
    }

    /// The plan that a purchase of nothing named is for: the only one, or else the only one at this price.
    fn plan_at(&self, price: Money) -> Option<&Plan> {
        match self.plans.as_slice() {
            [plan] => Some(plan),
            _ => self.plan_priced(price),
        }
    }

    fn plan_priced(&self, price: Money) -> Option<&Plan> {
        let mut priced = self.plans.iter().filter(|plan| plan.price == price);
        priced.next().filter(|_| priced.next().is_none())
    }

    /// Checks a program for this business: its numbers, and that its products and wallets exist here.
    ///
    /// # Errors
    /// [`ProgramError`] names the first setting that is wrong.
    pub fn check_program(&self, program: &Program) -> Result<(), ProgramError> {
        program.check(self.currency)?;
        for rule in &program.rules {
            let known = |product: &&ProductId| {
                product.is_of_a_provider() || self.plans.iter().any(|plan| plan.is_for(product))
            };
            if let Some(product) = rule.products.iter().find(|product| !known(product)) {
                return Err(ProgramError::of_rule(
                    rule,
                    "products",
                    format!("names '{product}', which is no plan"),
                ));
            }
        }
        Ok(())
    }

    pub(crate) fn check(&self) -> Result<(), PresetError> {
        let wrong = |setting, problem| Err(PresetError::Inconsistent { setting, problem });
        let named = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        let own = |money: Money| money.currency() == self.currency;
        if !(1..=3650).contains(&self.code_valid_days) {
            return wrong("code_valid_days", "must be 1 to 3650");
        }
        if !(1..=3650).contains(&self.referral_window_days) {
            return wrong("referral_window_days", "must be 1 to 3650");
        }
        self.check_program(&self.program)?;
        for plan in &self.plans {
            if !named(plan.id.as_str()) {
                return wrong("plans.id", "must be lower-case letters, digits or '-'");
            }
            if !plan.price.is_positive() || !own(plan.price) {
                return wrong("plans.price", "must be above zero, in the preset's currency");
            }
            if plan.cost.is_some_and(|cost| cost.minor() < 0 || !own(cost)) {
                return wrong("plans.cost", "must not be negative, in the preset's currency");
            }
            if plan.cost.is_some_and(|cost| cost.minor() > plan.price.minor()) {
                return wrong("plans.cost", "must not be above the plan's price");
            }
        }
        if !self.tiers.is_sorted_by(|a, b| a.from_minor < b.from_minor)
            || self.tiers.first().is_some_and(|tier| tier.from_minor != 0)
        {
            return wrong("tiers", "must rise from zero");
        }
        if self.credit_value.is_some_and(|value| !value.is_positive() || !own(value)) {
            return wrong("credit_value", "must be above zero, in the preset's currency");
        }
        match &self.withdrawals {
            Some(rules) if !rules.minimum.is_positive() || !own(rules.minimum) => {
                wrong("withdrawals.minimum", "must be above zero, in the preset's currency")
            }
            Some(rules) if !(0..=31_536_000).contains(&rules.cool_down_seconds) => {
                wrong("withdrawals.cool_down_seconds", "must be 0 to a year")
            }
            Some(rules) if rules.methods.is_empty() => wrong("withdrawals.methods", "must name one or more"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "preset_tests.rs"]
mod tests;
