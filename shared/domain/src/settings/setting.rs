//! Settings: the numbers of a preset and the fraud rules that operators may change while the business runs.
//!
//! What is changed is an override of what was shipped, by key. Each key has a type and bounds; overrides are applied
//! together to the preset and the rules, and the whole is checked. Rewards and holds are no settings: the program is
//! versioned, so that a payment is decided by the rules of its time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    fraud::{FraudAction, FraudRules, Signal},
    money::{Currency, Money},
    settings::Preset,
};

/// A setting's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum SettingValue {
    /// On or off.
    Switch(bool),
    /// A whole number.
    Number(i64),
    /// Money.
    Amount(Money),
    /// What a fraud rule does.
    Action(FraudAction),
}

impl SettingValue {
    /// As JSON, an amount in major units with all its digits.
    pub fn to_json(self) -> String {
        match self {
            Self::Switch(on) => on.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Amount(amount) => amount.to_major().to_string(),
            Self::Action(action) => format!("\"{}\"", action.as_str()),
        }
    }
}

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingType {
    /// On or off.
    Switch,
    /// A whole number within bounds.
    Number {
        /// The least.
        least: i64,
        /// The most.
        most: i64,
    },
    /// Money within bounds, in minor units.
    Amount {
        /// The least.
        least: i64,
        /// The most.
        most: i64,
        /// The preset's currency.
        currency: Currency,
    },
    /// What a fraud rule does.
    Action,
}

impl SettingType {
    /// The word used in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Switch => "boolean",
            Self::Number { .. } => "integer",
            Self::Amount { .. } => "amount",
            Self::Action => "action",
        }
    }

    /// The least and the most, where it has bounds.
    pub const fn bounds(self) -> Option<(SettingValue, SettingValue)> {
        match self {
            Self::Number { least, most } => Some((SettingValue::Number(least), SettingValue::Number(most))),
            Self::Amount { least, most, currency } => Some((
                SettingValue::Amount(Money::new(least, currency)),
                SettingValue::Amount(Money::new(most, currency)),
            )),
            Self::Switch | Self::Action => None,
        }
    }

    /// What it takes, within a sentence.
    fn words(self) -> String {
        match self {
            Self::Switch => "true or false".to_owned(),
            Self::Number { least, most } => format!("a whole number from {least} to {most}"),
            Self::Amount { least, most, currency } => {
                let major = |minor| Money::new(minor, currency).to_major();
                format!("an amount from {} to {} in {currency}", major(least), major(most))
            }
            Self::Action => "allow, flag, hold or reject".to_owned(),
        }
    }

    fn takes(self, value: SettingValue) -> bool {
        match (self, value) {
            (Self::Switch, SettingValue::Switch(_)) | (Self::Action, SettingValue::Action(_)) => true,
            (Self::Number { least, most }, SettingValue::Number(number)) => (least..=most).contains(&number),
            (Self::Amount { least, most, currency }, SettingValue::Amount(amount)) => {
                amount.currency() == currency && (least..=most).contains(&amount.minor())
            }
            _ => false,
        }
    }

    /// Reads a JSON scalar from its text, so that no amount passes through a float.
    fn read(self, json: &str) -> Option<SettingValue> {
        let text = json.trim();
        let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        let value = match self {
            Self::Switch => SettingValue::Switch(text.parse().ok()?),
            Self::Number { .. } => SettingValue::Number(text.parse().ok()?),
            Self::Amount { currency, .. } => SettingValue::Amount(Money::parse_major(text, currency).ok()?),
            Self::Action => SettingValue::Action(action(text)?),
        };
        Some(value).filter(|value| self.takes(*value))
    }
}

/// A rule's action by its word.
fn action(word: &str) -> Option<FraudAction> {
    let all = [FraudAction::Allow, FraudAction::Flag, FraudAction::Hold, FraudAction::Reject];
    all.into_iter().find(|action| action.as_str() == word)
}

/// One thing that can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name: `withdrawals.minimum`.
    pub key: String,
    /// What it takes.
    pub takes: SettingType,
    /// What was shipped, where something was.
    pub default: Option<SettingValue>,
    /// What it is measured in: `days`, `seconds`, `percent`, `members`, or the currency.
    pub unit: Option<String>,
    /// What it means, for operators.
    pub description: String,
}

/// Why a setting was not set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// No setting has this key.
    #[error("no setting has the key '{0}'")]
    Unknown(String),
    /// It is of another type, or out of bounds.
    #[error("setting '{key}' must be {takes}")]
    Bad {
        /// The setting.
        key: String,
        /// What it takes, with its bounds.
        takes: String,
    },
    /// It contradicts the rest.
    #[error("with '{key}' set so, {problem}")]
    Inconsistent {
        /// The setting.
        key: String,
        /// What is wrong.
        problem: String,
    },
}

/// What is in force: the preset and the rules with the overrides in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The preset. Its program is the one that was shipped.
    pub preset: Preset,
    /// Members may ask to be paid out, where the preset pays out.
    pub withdrawals_enabled: bool,
    /// Codes make referrals.
    pub referrals_enabled: bool,
    /// Days after which what brought somebody is forgotten.
    pub attribution_window_days: i64,
    /// The fraud rules.
    pub fraud: FraudRules,
}

/// Overrides by key.
pub type Overrides = BTreeMap<String, SettingValue>;

/// The largest amount that can be set, in minor units: a slip of the finger stays bounded.
const MOST_MINOR: i64 = 1_000_000_000;
const MOST_DAYS: i64 = 3650;
const YEAR_SECONDS: i64 = 31_536_000;

impl Settings {
    /// What was shipped.
    pub fn shipped(preset: &Preset) -> Self {
        Self {
            preset: preset.clone(),
            withdrawals_enabled: preset.withdrawals.is_some(),
            referrals_enabled: true,
            attribution_window_days: 30,
            fraud: FraudRules::default(),
        }
    }

    /// `preset` under `overrides`. One that no longer fits, because the preset behind it has changed, is left out:
    /// what was shipped stands.
    pub fn of(preset: &Preset, overrides: &Overrides) -> Self {
        let known = Self::list(preset);
        let fits =
            |key: &str, value: SettingValue| known.iter().any(|s| s.key == key && s.takes.takes(value));
        let mut settings = Self::shipped(preset);
        let mut fraud = serde_json::to_value(&settings.fraud).unwrap_or_default();
        for (key, value) in overrides.iter().filter(|(key, value)| fits(key, **value)) {
            match key.strip_prefix("fraud.") {
                Some(path) => set_path(&mut fraud, path, *value),
                None => settings.put(key, *value),
            }
        }
        if let Ok(fraud) = serde_json::from_value(fraud) {
            settings.fraud = fraud;
        }
        settings
    }

    /// Everything that can be set in a business that was shipped as `preset`, with what was shipped.
    pub fn list(preset: &Preset) -> Vec<Setting> {
        let mut list = general(preset);
        for plan in &preset.plans {
            let amount = |least| SettingType::Amount { least, most: MOST_MINOR, currency: preset.currency };
            let unit = Some(preset.currency.to_string());
            list.push(Setting {
                key: format!("plans.{}.price", plan.id),
                takes: amount(1),
                default: Some(SettingValue::Amount(plan.price)),
                unit: unit.clone(),
                description: format!("The price of {}.", plan.name),
            });
            list.push(Setting {
                key: format!("plans.{}.cost", plan.id),
                takes: amount(0),
                default: plan.cost.map(SettingValue::Amount),
                unit,
                description: format!("What {} costs to make, for rules that share the profit.", plan.name),
            });
        }
        list.extend(fraud_settings());
        list
    }

    /// The value in force of a setting.
    pub fn value_of(&self, key: &str) -> Option<SettingValue> {
        let withdrawals = self.preset.withdrawals.as_ref();
        match key {
            "withdrawals.enabled" => Some(SettingValue::Switch(self.withdrawals_enabled)),
            "withdrawals.minimum" => withdrawals.map(|rules| SettingValue::Amount(rules.minimum)),
            "withdrawals.cool_down_seconds" => {
                withdrawals.map(|rules| SettingValue::Number(rules.cool_down_seconds))
            }
            "referrals.enabled" => Some(SettingValue::Switch(self.referrals_enabled)),
            "referrals.code_valid_days" => Some(SettingValue::Number(self.preset.code_valid_days)),
            "referrals.window_days" => Some(SettingValue::Number(self.preset.referral_window_days)),
            "attribution.window_days" => Some(SettingValue::Number(self.attribution_window_days)),
            _ => match key.strip_prefix("fraud.") {
                Some(path) => value_at(&serde_json::to_value(&self.fraud).ok()?, path),
                None => {
                    let (id, field) = plan_field(key)?;
                    let plan = self.preset.plans.iter().find(|plan| plan.id == id)?;
                    let money = if field == "price" { Some(plan.price) } else { plan.cost };
                    money.map(SettingValue::Amount)
                }
            },
        }
    }

    fn put(&mut self, key: &str, value: SettingValue) {
        use SettingValue::{Amount, Number, Switch};
        match (key, value) {
            ("withdrawals.enabled", Switch(on)) => self.withdrawals_enabled = on,
            ("withdrawals.minimum", Amount(minimum)) => {
                if let Some(rules) = &mut self.preset.withdrawals {
                    rules.minimum = minimum;
                }
            }
            ("withdrawals.cool_down_seconds", Number(seconds)) => {
                if let Some(rules) = &mut self.preset.withdrawals {
                    rules.cool_down_seconds = seconds;
                }
            }
            ("referrals.enabled", Switch(on)) => self.referrals_enabled = on,
            ("referrals.code_valid_days", Number(days)) => self.preset.code_valid_days = days,
            ("referrals.window_days", Number(days)) => self.preset.referral_window_days = days,
            ("attribution.window_days", Number(days)) => self.attribution_window_days = days,
            (key, Amount(amount)) => {
                let Some((id, field)) = plan_field(key) else { return };
                for plan in self.preset.plans.iter_mut().filter(|plan| plan.id == id) {
                    match field {
                        "price" => plan.price = amount,
                        _ => plan.cost = Some(amount),
                    }
                }
            }
            _ => {}
        }
    }
}

impl Setting {
    /// The overrides with `json` for this setting: `null` goes back to what was shipped. The whole is checked.
    ///
    /// # Errors
    /// [`SettingError`]; an unknown key, another type, out of bounds, or at odds with the rest.
    pub fn set(
        preset: &Preset,
        overrides: &Overrides,
        key: &str,
        json: &str,
    ) -> Result<Overrides, SettingError> {
        let known = Settings::list(preset).into_iter().find(|setting| setting.key == key);
        let setting = known.ok_or_else(|| SettingError::Unknown(key.chars().take(100).collect()))?;
        let mut after = overrides.clone();
        if json.trim() == "null" {
            after.remove(key);
        } else {
            let bad = || SettingError::Bad { key: key.to_owned(), takes: setting.takes.words() };
            after.insert(key.to_owned(), setting.takes.read(json).ok_or_else(bad)?);
        }
        let inconsistent = |problem| SettingError::Inconsistent { key: key.to_owned(), problem };
        let whole = Settings::of(preset, &after);
        whole.preset.check().map_err(|error| inconsistent(error.to_string()))?;
        whole.fraud.check().map_err(|error| inconsistent(error.to_string()))?;
        Ok(after)
    }
}

/// `scout` and `price` of `plans.scout.price`.
fn plan_field(key: &str) -> Option<(&str, &str)> {
    let (id, field) = key.strip_prefix("plans.")?.rsplit_once('.')?;
    matches!(field, "price" | "cost").then_some((id, field))
}

fn general(preset: &Preset) -> Vec<Setting> {
    use SettingType::{Amount, Number, Switch};
    let setting = |key: &str, takes, default, unit: Option<&str>, description: &str| Setting {
        key: key.to_owned(),
        takes,
        default: Some(default),
        unit: unit.map(str::to_owned),
        description: description.to_owned(),
    };
    let days = |key: &str, default, most, description: &str| {
        setting(key, Number { least: 1, most }, SettingValue::Number(default), Some("days"), description)
    };
    let on = SettingValue::Switch(true);
    let mut list = Vec::new();
    if let Some(rules) = &preset.withdrawals {
        let currency = preset.currency;
        let minimum = SettingValue::Amount(rules.minimum);
        let cool_down = SettingValue::Number(rules.cool_down_seconds);
        let year = Number { least: 0, most: YEAR_SECONDS };
        let about = "Members may ask to be paid out. Off: what is under way goes on.";
        list.push(setting("withdrawals.enabled", Switch, on, None, about));
        let (key, takes) = ("withdrawals.minimum", Amount { least: 1, most: MOST_MINOR, currency });
        list.push(setting(key, takes, minimum, Some(currency.as_str()), "The least a member may ask for."));
        let about = "From one withdrawal to the next, unless it was turned down.";
        list.push(setting("withdrawals.cool_down_seconds", year, cool_down, Some("seconds"), about));
    }
    let about = "Codes make referrals. Off: a new member's code is refused; what exists goes on.";
    list.push(setting("referrals.enabled", Switch, on, None, about));
    let about = "How long a code that is made from now on is valid.";
    list.push(days("referrals.code_valid_days", preset.code_valid_days, MOST_DAYS, about));
    let about = "Within how many days after joining a payment converts a referral that is made from now on.";
    list.push(days("referrals.window_days", preset.referral_window_days, MOST_DAYS, about));
    let about = "For how long it is remembered what brought somebody.";
    list.push(days("attribution.window_days", 30, 365, about));
    list
}

/// Every field of the fraud rules, in the order of the signals.
fn fraud_settings() -> Vec<Setting> {
    let defaults = FraudRules::default();
    let Ok(shipped) = serde_json::to_value(&defaults) else { return Vec::new() };
    let mut list = vec![Setting {
        key: "fraud.shadow".to_owned(),
        takes: SettingType::Switch,
        default: Some(SettingValue::Switch(defaults.shadow)),
        unit: None,
        description: "Findings are recorded with what would have been done, and nothing is done.".to_owned(),
    }];
    for signal in Signal::ALL {
        let Some(Value::Object(fields)) = shipped.get(signal.as_str()) else { continue };
        for field in fields.keys() {
            let path = format!("{}.{field}", signal.as_str());
            let takes = match defaults.bounds_of(&path) {
                Some((least, most)) => SettingType::Number { least: i64::from(least), most: i64::from(most) },
                None => SettingType::Action,
            };
            let (unit, about) = field_words(field);
            list.push(Setting {
                key: format!("fraud.{path}"),
                takes,
                default: value_at(&shipped, &path),
                unit: unit.map(str::to_owned),
                description: format!("{} {about}", signal.explain()),
            });
        }
    }
    list
}

fn field_words(field: &str) -> (Option<&'static str>, &'static str) {
    match field {
        "action" => (None, "What is done: allow (nothing), flag, hold or reject."),
        "members" => (Some("members"), "From how many members, the one in question included."),
        "within_seconds" => (Some("seconds"), "Within how long."),
        "from_referrals" => (Some("referrals"), "Judged from how many referrals."),
        "below_percent" => (Some("percent"), "Less than this share of them converted."),
        "signups" => (Some("signups"), "From how many."),
        "from_payments" => (Some("payments"), "Judged from how many payments."),
        "above_percent" => (Some("percent"), "More than this share of them was undone."),
        _ => (None, ""),
    }
}

fn slot<'a>(rules: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    path.split('.').try_fold(rules, |at, name| at.get_mut(name))
}

fn set_path(rules: &mut Value, path: &str, value: SettingValue) {
    let Some(slot) = slot(rules, path) else { return };
    *slot = match value {
        SettingValue::Switch(on) => on.into(),
        SettingValue::Number(number) => number.into(),
        SettingValue::Action(action) => action.as_str().into(),
        SettingValue::Amount(_) => return,
    };
}

fn value_at(rules: &Value, path: &str) -> Option<SettingValue> {
    let found = path.split('.').try_fold(rules, |at, name| at.get(name))?;
    match found {
        Value::Bool(on) => Some(SettingValue::Switch(*on)),
        Value::Number(number) => number.as_i64().map(SettingValue::Number),
        Value::String(word) => action(word).map(SettingValue::Action),
        _ => None,
    }
}

#[cfg(test)]
#[path = "setting_tests.rs"]
mod tests;
