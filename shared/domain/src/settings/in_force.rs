//! Settings: the numbers of a preset and the fraud rules that operators may change while the business runs.
//!
//! A change is stored by key as an override of the shipped value. Each key has a type and bounds; overrides
//! are applied together to the preset and the rules, and the result is checked as a whole. Rewards and holds
//! are not settings: the program has versions, so that a payment is decided by the rules of its time.

use std::collections::BTreeMap;

use crate::{
    fraud::FraudRules,
    settings::{
        Plan, Preset, Setting, SettingError, SettingValue, StoredSettingError,
        table::{Entry, table},
    },
    time::Timestamp,
};

/// The preset and the fraud rules in force, with the overrides applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The preset. Its program is the shipped one.
    pub preset: Preset,
    /// True when members may request withdrawals, if the preset pays out.
    pub withdrawals_enabled: bool,
    /// True when codes make referrals.
    pub referrals_enabled: bool,
    /// True when the next payment converts a referral whose first one was undone as a whole.
    pub undone_reopens: bool,
    /// The number of days after which a click is forgotten.
    pub attribution_window_days: i64,
    /// The fraud rules.
    pub fraud: FraudRules,
    /// The instant of the latest change; none as shipped.
    pub changed_at: Option<Timestamp>,
}

/// Overrides by key.
pub type Overrides = BTreeMap<String, SettingValue>;

impl Settings {
    /// The settings as shipped.
    pub fn shipped(preset: &Preset) -> Self {
        Self {
            preset: preset.clone(),
            withdrawals_enabled: preset.withdrawals.is_some(),
            referrals_enabled: true,
            undone_reopens: true,
            attribution_window_days: 30,
            fraud: FraudRules::default(),
            changed_at: None,
        }
    }

    /// Applies `overrides` to `preset`. An override that no longer fits, because the preset has changed since
    /// (another currency, other bounds, a removed plan), is left out: the shipped value applies.
    ///
    /// # Errors
    /// [`StoredSettingError`] names the first override that is of another type than its setting.
    pub fn of(preset: &Preset, overrides: &Overrides) -> Result<Self, StoredSettingError> {
        let (settings, wrong) = Self::read(preset, overrides);
        wrong.map_or(Ok(settings), Err)
    }

    /// Like [`of`](Self::of), but leaves out overrides of another type. Used while such a setting is being
    /// corrected.
    pub fn of_readable(preset: &Preset, overrides: &Overrides) -> Self {
        Self::read(preset, overrides).0
    }

    fn read(preset: &Preset, overrides: &Overrides) -> (Self, Option<StoredSettingError>) {
        let (mut settings, mut wrong) = (Self::shipped(preset), None);
        for entry in table(preset) {
            if let Some(value) = overrides.get(&entry.setting.key)
                && let Err(error) = entry.set(&mut settings, *value)
            {
                wrong = wrong.or(Some(error));
            }
        }
        (settings, wrong)
    }

    /// Lists all settings of a business that was shipped as `preset`, with their shipped values.
    pub fn list(preset: &Preset) -> Vec<Setting> {
        table(preset).into_iter().map(|entry| entry.setting).collect()
    }

    /// Like [`list`](Self::list), each with the value in force.
    pub fn list_with_values(&self, preset: &Preset) -> Vec<(Setting, Option<SettingValue>)> {
        let with_value = |entry: Entry| {
            let value = entry.get(self);
            (entry.setting, value)
        };
        table(preset).into_iter().map(with_value).collect()
    }

    /// The value in force of a setting.
    pub fn value_of(&self, key: &str) -> Option<SettingValue> {
        table(&self.preset).iter().find(|entry| entry.setting.key == key)?.get(self)
    }

    /// Sets this setting to `json` in the overrides; `null` restores the shipped value. The result is checked
    /// as a whole.
    ///
    /// # Errors
    /// [`SettingError`] for an unknown key, a value of another type or out of bounds, or a contradiction to
    /// the rest.
    pub fn set(
        preset: &Preset,
        overrides: &Overrides,
        key: &str,
        json: &str,
    ) -> Result<Overrides, SettingError> {
        let known = Self::list(preset).into_iter().find(|setting| setting.key == key);
        let setting = known.ok_or_else(|| SettingError::Unknown(key.chars().take(100).collect()))?;
        let mut after = overrides.clone();
        if json.trim() == "null" {
            after.remove(key);
        } else {
            let bad = || SettingError::Bad { key: key.to_owned(), takes: setting.takes.words() };
            after.insert(key.to_owned(), setting.takes.read(json).ok_or_else(bad)?);
        }
        let inconsistent = |problem| SettingError::Inconsistent { key: key.to_owned(), problem };
        let whole = Self::of_readable(preset, &after);
        whole.preset.check().map_err(|error| inconsistent(error.to_string()))?;
        whole.fraud.check().map_err(|error| inconsistent(error.to_string()))?;
        Ok(after)
    }

    pub(super) fn plan(&self, id: &str) -> Option<&Plan> {
        self.preset.plans.iter().find(|plan| plan.id.as_str() == id)
    }

    pub(super) fn plan_mut(&mut self, id: &str) -> Option<&mut Plan> {
        self.preset.plans.iter_mut().find(|plan| plan.id.as_str() == id)
    }
}

#[cfg(test)]
#[path = "setting_tests.rs"]
mod tests;
