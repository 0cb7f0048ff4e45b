//! One setting: its type, its value, and the shipped value.

use serde::{Deserialize, Serialize};

use crate::{
    fraud::FraudAction,
    money::{Currency, Money},
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
    /// The action of a fraud rule.
    Action(FraudAction),
}

impl SettingValue {
    /// Formats it as JSON, an amount in major units with all its digits.
    pub fn to_json(self) -> String {
        match self {
            Self::Switch(on) => on.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Amount(amount) => amount.to_major().to_string(),
            Self::Action(action) => format!("\"{}\"", action.as_str()),
        }
    }

    /// Reads a rule's action by its name.
    pub(super) fn action(word: &str) -> Option<Self> {
        let all = [FraudAction::Allow, FraudAction::Flag, FraudAction::Hold, FraudAction::Reject];
        all.into_iter().find(|action| action.as_str() == word).map(Self::Action)
    }
}

macro_rules! converts {
    ($($variant:ident($inner:ty)),*) => {$(
        impl From<$inner> for SettingValue {
            fn from(value: $inner) -> Self {
                Self::$variant(value)
            }
        }

        impl TryFrom<SettingValue> for $inner {
            type Error = SettingValue;

            fn try_from(value: SettingValue) -> Result<Self, SettingValue> {
                match value {
                    SettingValue::$variant(value) => Ok(value),
                    other => Err(other),
                }
            }
        }
    )*};
}

converts!(Switch(bool), Number(i64), Amount(Money));

/// The type of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingType {
    /// On or off.
    Switch,
    /// A whole number within bounds.
    Number {
        /// The lowest value.
        least: i64,
        /// The highest value.
        most: i64,
    },
    /// Money within bounds, in minor units.
    Amount {
        /// The lowest value.
        least: i64,
        /// The highest value.
        most: i64,
        /// The preset's currency.
        currency: Currency,
    },
    /// The action of a fraud rule.
    Action,
}

impl SettingType {
    /// The type's name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Switch => "boolean",
            Self::Number { .. } => "integer",
            Self::Amount { .. } => "amount",
            Self::Action => "action",
        }
    }

    /// The lowest and the highest value, if it has bounds.
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

    /// Describes the allowed values within a sentence.
    pub(super) fn words(self) -> String {
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

    /// True when `value` is of this type, whatever its bounds and its currency.
    pub(super) const fn is_type_of(self, value: SettingValue) -> bool {
        matches!(
            (self, value),
            (Self::Switch, SettingValue::Switch(_))
                | (Self::Number { .. }, SettingValue::Number(_))
                | (Self::Amount { .. }, SettingValue::Amount(_))
                | (Self::Action, SettingValue::Action(_))
        )
    }

    /// True when `value` is of this type, in its currency and within its bounds.
    pub(super) fn takes(self, value: SettingValue) -> bool {
        match (self, value) {
            (Self::Number { least, most }, SettingValue::Number(number)) => (least..=most).contains(&number),
            (Self::Amount { least, most, currency }, SettingValue::Amount(amount)) => {
                amount.currency() == currency && (least..=most).contains(&amount.minor())
            }
            _ => self.is_type_of(value),
        }
    }

    /// Reads a JSON scalar from its text, so that no amount passes through a float.
    pub(super) fn read(self, json: &str) -> Option<SettingValue> {
        let text = json.trim();
        let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        let value = match self {
            Self::Switch => SettingValue::Switch(text.parse().ok()?),
            Self::Number { .. } => SettingValue::Number(text.parse().ok()?),
            Self::Amount { currency, .. } => SettingValue::Amount(Money::parse_major(text, currency).ok()?),
            Self::Action => SettingValue::action(text)?,
        };
        Some(value).filter(|value| self.takes(*value))
    }
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name: `withdrawals.minimum`.
    pub key: String,
    /// The type.
    pub takes: SettingType,
    /// The shipped value, if there is one.
    pub default: Option<SettingValue>,
    /// The unit: `days`, `seconds`, `percent`, `members`, or the currency.
    pub unit: Option<String>,
    /// The meaning, for operators.
    pub description: String,
}

/// The reason why a setting was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// No setting has this key.
    #[error("no setting has the key '{0}'")]
    Unknown(String),
    /// The value is of another type, or out of bounds.
    #[error("setting '{key}' must be {takes}")]
    Bad {
        /// The setting.
        key: String,
        /// The allowed values, with their bounds.
        takes: String,
    },
    /// The value contradicts the rest.
    #[error("with '{key}' set so, {problem}")]
    Inconsistent {
        /// The setting.
        key: String,
        /// The problem.
        problem: String,
    },
}

/// A stored value is of another type than its setting, because another version or a person wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the stored value of setting '{key}' is of another type: it must be {takes}")]
pub struct StoredSettingError {
    /// The setting.
    pub key: String,
    /// The allowed values, with their bounds.
    pub takes: String,
}
