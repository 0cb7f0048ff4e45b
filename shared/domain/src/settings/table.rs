//! The table of settings: one entry for each, with its key, type, description, and functions to get and set
//! it.

use serde_json::Value;

use crate::{
    fraud::{FraudRules, Signal},
    settings::{Preset, Setting, SettingType, SettingValue, Settings, StoredSettingError},
};

/// The largest amount that can be set, in minor units. It bounds typing errors.
const MOST_MINOR: i64 = 1_000_000_000;
const MOST_DAYS: i64 = 3650;
const YEAR_SECONDS: i64 = 31_536_000;

type Get = Box<dyn Fn(&Settings) -> Option<SettingValue>>;
type Set = Box<dyn Fn(&mut Settings, SettingValue) -> Option<()>>;

/// A setting, with functions to get and set it.
pub(super) struct Entry {
    pub(super) setting: Setting,
    get: Get,
    set: Set,
}

impl Entry {
    fn new<T: Into<SettingValue> + TryFrom<SettingValue> + 'static>(
        key: impl Into<String>,
        takes: SettingType,
        description: impl Into<String>,
        get: impl Fn(&Settings) -> Option<T> + 'static,
        set: impl Fn(&mut Settings, T) + 'static,
    ) -> Self {
        let (key, description) = (key.into(), description.into());
        Self {
            setting: Setting { key, takes, default: None, unit: None, description },
            get: Box::new(move |settings| get(settings).map(Into::into)),
            set: Box::new(move |settings, value| T::try_from(value).ok().map(|value| set(settings, value))),
        }
    }

    fn measured_in(mut self, unit: impl Into<String>) -> Self {
        self.setting.unit = Some(unit.into());
        self
    }

    /// Gets the value from `settings`.
    pub(super) fn get(&self, settings: &Settings) -> Option<SettingValue> {
        (self.get)(settings)
    }

    /// Sets the value in `settings`. A value of the right type that is out of bounds is left out: bounds and
    /// currency are the preset's, and the preset may have changed since the value was stored.
    ///
    /// # Errors
    /// [`StoredSettingError`] when the value is of another type.
    pub(super) fn set(&self, settings: &mut Settings, value: SettingValue) -> Result<(), StoredSettingError> {
        let takes = self.setting.takes;
        let wrong = || StoredSettingError { key: self.setting.key.clone(), takes: takes.words() };
        if !takes.is_type_of(value) {
            return Err(wrong());
        }
        if takes.takes(value) { (self.set)(settings, value).ok_or_else(wrong) } else { Ok(()) }
    }
}

/// Lists all settings of a business that was shipped as `preset`.
pub(super) fn table(preset: &Preset) -> Vec<Entry> {
    let mut table = Vec::new();
    if preset.withdrawals.is_some() {
        table.extend(withdrawals(preset));
    }
    table.extend(referrals());
    for plan in &preset.plans {
        table.extend(plan_entries(preset, plan.id.as_str(), &plan.name));
    }
    table.extend(fraud());
    let shipped = Settings::shipped(preset);
    for entry in &mut table {
        entry.setting.default = entry.get(&shipped);
    }
    table
}

fn withdrawals(preset: &Preset) -> [Entry; 3] {
    let currency = preset.currency;
    let enabled = Entry::new(
        "withdrawals.enabled",
        SettingType::Switch,
        "Members may ask to be paid out. Off: what is under way goes on.",
        |settings| Some(settings.withdrawals_enabled),
        |settings, on| settings.withdrawals_enabled = on,
    );
    let minimum = Entry::new(
        "withdrawals.minimum",
        SettingType::Amount { least: 1, most: MOST_MINOR, currency },
        "The least a member may ask for.",
        |settings| settings.preset.withdrawals.as_ref().map(|rules| rules.minimum),
        |settings, minimum| {
            if let Some(rules) = &mut settings.preset.withdrawals {
                rules.minimum = minimum;
            }
        },
    );
    let cool_down = Entry::new(
        "withdrawals.cool_down_seconds",
        SettingType::Number { least: 0, most: YEAR_SECONDS },
        "From one withdrawal to the next, unless it was turned down.",
        |settings| settings.preset.withdrawals.as_ref().map(|rules| rules.cool_down_seconds),
        |settings, seconds| {
            if let Some(rules) = &mut settings.preset.withdrawals {
                rules.cool_down_seconds = seconds;
            }
        },
    );
    [enabled, minimum.measured_in(currency.as_str()), cool_down.measured_in("seconds")]
}

fn referrals() -> [Entry; 5] {
    let days = |most| SettingType::Number { least: 1, most };
    let enabled = Entry::new(
        "referrals.enabled",
        SettingType::Switch,
        "Codes make referrals. Off: a new member's code is refused, and no code or link is handed out; what exists goes on.",
        |settings| Some(settings.referrals_enabled),
        |settings, on| settings.referrals_enabled = on,
    );
    let code_valid = Entry::new(
        "referrals.code_valid_days",
        days(MOST_DAYS),
        "How long a code that is made from now on is valid.",
        |settings| Some(settings.preset.code_valid_days),
        |settings, days| settings.preset.code_valid_days = days,
    );
    let window = Entry::new(
        "referrals.window_days",
        days(MOST_DAYS),
        "Within how many days after joining a payment converts a referral that is made from now on.",
        |settings| Some(settings.preset.referral_window_days),
        |settings, days| settings.preset.referral_window_days = days,
    );
    let attribution = Entry::new(
        "attribution.window_days",
        days(365),
        "For how long a click on a shared link is remembered.",
        |settings| Some(settings.attribution_window_days),
        |settings, days| settings.attribution_window_days = days,
    );
    let [code_valid, window, attribution] =
        [code_valid, window, attribution].map(|entry| entry.measured_in("days"));
    let reopened = Entry::new(
        "referrals.undone_reopens",
        SettingType::Switch,
        "A payment that is undone as a whole does not convert: the next one does. Off: the first one counts for ever.",
        |settings| Some(settings.undone_reopens),
        |settings, on| settings.undone_reopens = on,
    );
    [enabled, code_valid, window, attribution, reopened]
}

fn plan_entries(preset: &Preset, id: &str, name: &str) -> [Entry; 2] {
    let currency = preset.currency;
    let amount = |least| SettingType::Amount { least, most: MOST_MINOR, currency };
    let (of_price, of_cost) = (id.to_owned(), id.to_owned());
    let (to_price, to_cost) = (id.to_owned(), id.to_owned());
    let price = Entry::new(
        format!("plans.{id}.price"),
        amount(1),
        format!("The price of {name}."),
        move |settings| settings.plan(&of_price).map(|plan| plan.price),
        move |settings, price| {
            if let Some(plan) = settings.plan_mut(&to_price) {
                plan.price = price;
            }
        },
    );
    let cost = Entry::new(
        format!("plans.{id}.cost"),
        amount(0),
        format!("What {name} costs to make, for rules that share the profit."),
        move |settings| settings.plan(&of_cost).and_then(|plan| plan.cost),
        move |settings, cost| {
            if let Some(plan) = settings.plan_mut(&to_cost) {
                plan.cost = Some(cost);
            }
        },
    );
    [price, cost].map(|entry| entry.measured_in(currency.as_str()))
}

/// Lists every field of the fraud rules, in the order of the signals.
fn fraud() -> Vec<Entry> {
    let defaults = FraudRules::default();
    let Ok(shipped) = serde_json::to_value(&defaults) else { return Vec::new() };
    let about = "Findings are recorded with what would have been done, and nothing is done.";
    let mut list = vec![Entry::new(
        "fraud.shadow",
        SettingType::Switch,
        about,
        |settings| Some(settings.fraud.shadow),
        |settings, on| settings.fraud.shadow = on,
    )];
    for signal in Signal::ALL {
        let Some(Value::Object(fields)) = shipped.get(signal.as_str()) else { continue };
        list.extend(fields.keys().map(|field| fraud_entry(&defaults, signal, field)));
    }
    list
}

fn fraud_entry(defaults: &FraudRules, signal: Signal, field: &str) -> Entry {
    let path = format!("{}.{field}", signal.as_str());
    let takes = match defaults.bounds_of(&path) {
        Some((least, most)) => SettingType::Number { least: i64::from(least), most: i64::from(most) },
        None => SettingType::Action,
    };
    let (unit, about) = field_words(field);
    let key = format!("fraud.{path}");
    let description = format!("{} {about}", signal.explain());
    let read = path.clone();
    Entry {
        setting: Setting { key, takes, default: None, unit: unit.map(str::to_owned), description },
        get: Box::new(move |settings| value_at(&serde_json::to_value(&settings.fraud).ok()?, &read)),
        set: Box::new(move |settings, value| {
            let mut rules = serde_json::to_value(&settings.fraud).ok()?;
            *path.split('.').try_fold(&mut rules, |at, name| at.get_mut(name))? = json_of(value)?;
            settings.fraud = serde_json::from_value(rules).ok()?;
            Some(())
        }),
    }
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

/// Converts a value to a field of the fraud rules' JSON. None of them is money.
fn json_of(value: SettingValue) -> Option<Value> {
    match value {
        SettingValue::Switch(on) => Some(on.into()),
        SettingValue::Number(number) => Some(number.into()),
        SettingValue::Action(action) => Some(action.as_str().into()),
        SettingValue::Amount(_) => None,
    }
}

fn value_at(rules: &Value, path: &str) -> Option<SettingValue> {
    let found = path.split('.').try_fold(rules, |at, name| at.get(name))?;
    match found {
        Value::Bool(on) => Some(SettingValue::Switch(*on)),
        Value::Number(number) => number.as_i64().map(SettingValue::Number),
        Value::String(word) => SettingValue::action(word),
        _ => None,
    }
}
