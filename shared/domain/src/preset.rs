//! A preset: the numbers a business starts with, read from TOML and checked before anything runs on them.

use serde::{Deserialize, Serialize};

use crate::{Currency, Money, MoneyError, Program, Ranks, Trigger};

/// A subscription tier that the bot offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Short stable name, part of payment links.
    pub id: String,
    /// What members see.
    pub name: String,
    /// Price a month.
    pub price: Money,
}

/// A business's settings as shipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preset {
    /// The preset's name.
    pub name: String,
    /// What members see as the sender.
    pub brand: String,
    /// The currency of its prices and rewards.
    pub currency: Currency,
    /// Days a referral code is valid.
    pub code_valid_days: i64,
    /// Days after joining within which a payment converts the referral.
    pub referral_window_days: i64,
    /// The reward rules.
    pub program: Program,
    /// Tiers on offer.
    pub plans: Vec<Plan>,
    /// Ranks, if the brand has them.
    #[serde(default)]
    pub ranks: Option<Ranks>,
}

/// Why a preset cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PresetError {
    /// No preset of that name is built in.
    #[error("there is no preset '{name}'; there is: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The file is not a preset.
    #[error("the preset does not parse: {0}")]
    Malformed(#[from] toml::de::Error),
    /// A setting contradicts the rest.
    #[error("preset setting '{setting}' {problem}")]
    Inconsistent {
        /// Path of the setting.
        setting: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

const BUILTIN: &[(&str, &str)] = &[("bitten", include_str!("../presets/bitten.toml"))];

impl Preset {
    /// A preset that ships with Guerdon.
    ///
    /// # Errors
    /// [`PresetError::Unknown`] names those that exist.
    pub fn builtin(name: &str) -> Result<Self, PresetError> {
        let Some((_, text)) = BUILTIN.iter().find(|(known, _)| *known == name) else {
            let known = BUILTIN.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ");
            return Err(PresetError::Unknown { name: name.chars().take(32).collect(), known });
        };
        Self::parse(text)
    }

    /// Reads and checks a preset.
    ///
    /// # Errors
    /// [`PresetError`] with the setting that is wrong.
    pub fn parse(text: &str) -> Result<Self, PresetError> {
        let preset: Self = toml::from_str(text)?;
        preset.check()?;
        Ok(preset)
    }

    /// What one converted referral of the cheapest qualifying tier is worth, for texts and forecasts.
    ///
    /// # Errors
    /// [`MoneyError`] when the amount does not fit, which [`Preset::parse`] rules out.
    pub fn typical_reward(&self) -> Result<Money, MoneyError> {
        self.program.referrer.amount_for(self.program.referrer.minimum_payment)
    }

    fn check(&self) -> Result<(), PresetError> {
        let rule = &self.program.referrer;
        let wrong = |setting, problem| Err(PresetError::Inconsistent { setting, problem });
        let named = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if !(1..=3650).contains(&self.code_valid_days) {
            return wrong("code_valid_days", "must be 1 to 3650");
        }
        if !(1..=3650).contains(&self.referral_window_days) {
            return wrong("referral_window_days", "must be 1 to 3650");
        }
        if !named(&rule.id) || rule.id.len() > 24 {
            return wrong("program.referrer.id", "must be 1 to 24 lower-case letters, digits or '-'");
        }
        if !(0..=31_536_000).contains(&rule.hold_seconds) {
            return wrong("program.referrer.hold_seconds", "must be 0 to a year");
        }
        if rule.minimum_payment.currency() != self.currency {
            return wrong("program.referrer.minimum_payment", "must be in the preset's currency");
        }
        if self.typical_reward().is_ok_and(|reward| reward.currency() != self.currency) {
            return wrong("program.referrer.amount", "must be in the preset's currency");
        }
        if rule.minimum_payment.minor() < 0 {
            return wrong("program.referrer.minimum_payment", "must not be negative");
        }
        if !self.typical_reward().is_ok_and(|reward| reward.minor() >= 0) {
            return wrong("program.referrer.amount", "must be an amount of zero or more that fits");
        }
        if rule.trigger == Trigger::FirstPayment && self.plans.iter().any(|plan| !plan.price.is_positive()) {
            return wrong("plans", "must have prices above zero");
        }
        if self.plans.iter().any(|plan| !named(&plan.id)) {
            return wrong("plans.id", "must be lower-case letters, digits or '-'");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BITTEN: &str = include_str!("../presets/bitten.toml");

    #[test]
    fn bitten_has_the_documented_numbers() {
        let preset = Preset::builtin("bitten").unwrap();
        assert_eq!(preset.typical_reward().unwrap().to_string(), "$10.00");
        assert_eq!(preset.program.referrer.minimum_payment.to_string(), "$39.00");
        assert_eq!((preset.code_valid_days, preset.program.referrer.hold_seconds), (365, 0));
    }

    #[test]
    fn a_wrong_setting_is_named() {
        let check = |from: &str, to: &str, message: &str| {
            assert!(BITTEN.contains(from), "{from}");
            let error = Preset::parse(&BITTEN.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        };
        check("code_valid_days = 365", "code_valid_days = 0", "code_valid_days");
        check("hold_seconds = 0", "hold_seconds = -1", "hold_seconds");
        check("id = \"recruit\"", "id = \"Re cruit\"", "program.referrer.id");
        check("minor = 1000", "minor = -1000", "program.referrer.amount");
        check(
            "amount = { minor = 1000, currency = \"USD\"",
            "amount = { minor = 1000, currency = \"EUR\"",
            "must be in",
        );
        check("currency = \"USD\"", "currency = \"DOLLARS\"", "not a currency code");
        assert!(Preset::builtin("nope").unwrap_err().to_string().contains("bitten"));
    }
}
