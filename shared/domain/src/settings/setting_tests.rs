use serde_json::Value;

use super::*;
use crate::{
    fraud::FraudAction,
    money::{Currency, Money},
    settings::SettingType,
};

fn ott() -> Preset {
    Preset::builtin("ott").unwrap()
}

fn set(key: &str, json: &str) -> Result<Overrides, SettingError> {
    Settings::set(&ott(), &Overrides::new(), key, json)
}

#[test]
fn every_setting_is_at_its_default_until_it_is_set_and_takes_its_bounds() {
    for name in ["bitten", "ott", "autosales", "streamline", "trollz"] {
        let preset = Preset::builtin(name).unwrap();
        let (shipped, list) = (Settings::shipped(&preset), Settings::list(&preset));
        for setting in &list {
            let Setting { key, takes, default, description, .. } = setting;
            assert_eq!(shipped.value_of(key), *default, "{name} {key}");
            assert_eq!(list.iter().filter(|other| other.key == *key).count(), 1, "{key}");
            assert!(description.ends_with('.'), "{key}: {description}");
            let extremes = match takes.bounds() {
                Some((least, most)) => [least, most],
                None if *takes == SettingType::Switch => [true, false].map(SettingValue::Switch),
                None => [FraudAction::Allow, FraudAction::Reject].map(SettingValue::Action),
            };
            let before = room_for(&preset, key);
            for value in extremes {
                let after = Settings::set(&preset, &before, key, &value.to_json()).unwrap();
                assert_eq!(after.get(key), Some(&value), "{key}");
                assert_eq!(Settings::of(&preset, &after).unwrap().value_of(key), Some(value), "{key}");
                assert_eq!(Settings::set(&preset, &after, key, "null"), Ok(before.clone()), "{key}");
            }
        }
        assert_eq!(Settings::of(&preset, &Overrides::new()), Ok(shipped));
    }
}

/// Overrides with which a price or a cost takes all its values: a plan costs no more than its price.
fn room_for(preset: &Preset, key: &str) -> Overrides {
    let amount = |minor| SettingValue::Amount(Money::new(minor, preset.currency));
    match key.strip_prefix("plans.").and_then(|rest| rest.split_once('.')) {
        Some((plan, "cost")) => Overrides::from([(format!("plans.{plan}.price"), amount(1_000_000_000))]),
        Some((plan, "price")) => Overrides::from([(format!("plans.{plan}.cost"), amount(0))]),
        _ => Overrides::new(),
    }
}

#[test]
fn a_plan_costs_no_more_than_its_price() {
    for (key, json) in [("plans.combo.cost", "135.01"), ("plans.combo.price", "41.99")] {
        assert!(matches!(set(key, json), Err(SettingError::Inconsistent { .. })), "{key}");
    }
    assert!(set("plans.combo.cost", "135").is_ok() && set("plans.combo.price", "42").is_ok());
}

#[test]
fn every_field_of_the_fraud_rules_is_a_setting() {
    let keys: Vec<String> = Settings::list(&ott()).into_iter().map(|setting| setting.key).collect();
    let Value::Object(rules) = serde_json::to_value(FraudRules::default()).unwrap() else { panic!() };
    for (rule, fields) in rules {
        let paths: Vec<String> = match fields {
            Value::Object(fields) => fields.keys().map(|field| format!("fraud.{rule}.{field}")).collect(),
            _ => vec![format!("fraud.{rule}")],
        };
        for path in paths {
            assert!(keys.contains(&path), "{path}");
        }
    }
}

/// Asserts that a value is refused with what the setting takes.
fn refuses(key: &str, json: &str, takes: &str) {
    let error = set(key, json).unwrap_err();
    assert_eq!(error.to_string(), format!("setting '{key}' must be {takes}"), "{json}");
}

#[test]
fn what_is_out_of_bounds_is_named_with_its_bounds() {
    let minimum = "an amount from 0.01 to 10000000.00 in INR";
    for json in ["0", "-1", "10000000.01", "1.001", "true", "\"ten\"", "1e3", "{}", "[500]", ""] {
        refuses("withdrawals.minimum", json, minimum);
    }
    for json in ["-1", "31536001", "1.5", "true", "99999999999999999999"] {
        refuses("withdrawals.cool_down_seconds", json, "a whole number from 0 to 31536000");
    }
    for json in ["1", "0", "\"yes\"", "\"\""] {
        refuses("referrals.enabled", json, "true or false");
    }
    refuses("referrals.code_valid_days", "0", "a whole number from 1 to 3650");
    refuses("attribution.window_days", "366", "a whole number from 1 to 365");
    refuses("plans.combo.price", "0", minimum);
    refuses("plans.combo.cost", "-0.01", "an amount from 0.00 to 10000000.00 in INR");
    refuses("fraud.low_conversion.from_referrals", "9", "a whole number from 10 to 100000");
    refuses("fraud.self_referral.action", "\"ban\"", "allow, flag, hold or reject");
}

#[test]
fn a_key_that_the_preset_does_not_have_is_unknown() {
    for key in ["", "withdrawals", "plans.gone.price", "plans.combo.name", "fraud.manual.action", "fraud."] {
        assert_eq!(set(key, "1"), Err(SettingError::Unknown(key.to_owned())), "{key}");
    }
    let none =
        Settings::set(&Preset::builtin("bitten").unwrap(), &Overrides::new(), "withdrawals.enabled", "true");
    assert_eq!(none, Err(SettingError::Unknown("withdrawals.enabled".to_owned())), "it pays nothing out");
}

#[test]
fn values_come_as_json_of_their_type_or_as_text() {
    let value = |key: &str, json: &str| set(key, json).unwrap()[key].to_json();
    assert_eq!(value("withdrawals.minimum", "250"), "250.00");
    assert_eq!(value("withdrawals.minimum", "\"250.50\""), "250.50");
    assert_eq!(value("referrals.window_days", "\"30\""), "30");
    assert_eq!(value("referrals.enabled", " false "), "false");
    assert_eq!(value("fraud.shared_ip.action", "\"hold\""), "\"hold\"");
}

#[test]
fn what_no_longer_fits_the_preset_is_left_out() {
    let dollars = SettingValue::Amount(Money::new(5, Currency::USD));
    let stale = Overrides::from([
        ("plans.gone.price".to_owned(), dollars),
        ("plans.combo.price".to_owned(), dollars),
        ("referrals.window_days".to_owned(), SettingValue::Number(0)),
        ("attribution.window_days".to_owned(), SettingValue::Number(90)),
    ]);
    let expected = Settings { attribution_window_days: 90, ..Settings::shipped(&ott()) };
    assert_eq!(Settings::of(&ott(), &stale), Ok(expected));
}

#[test]
fn a_stored_value_of_another_type_is_an_error_until_it_is_set_anew() {
    let switch = SettingValue::Switch(true);
    let check = |key: &str, value: SettingValue, json: &str| {
        let stored = Overrides::from([(key.to_owned(), value), ("fraud.shadow".to_owned(), switch)]);
        let error = Settings::of(&ott(), &stored).unwrap_err();
        assert_eq!(error.key, key);
        assert!(error.to_string().contains(key), "{error}");
        assert!(Settings::of_readable(&ott(), &stored).fraud.shadow, "{key}");
        let anew = Settings::set(&ott(), &stored, key, json).unwrap();
        assert!(Settings::of(&ott(), &anew).is_ok(), "{key}");
        assert!(Settings::of(&ott(), &Settings::set(&ott(), &stored, key, "null").unwrap()).is_ok(), "{key}");
    };
    check("referrals.enabled", SettingValue::Number(0), "true");
    check("withdrawals.minimum", SettingValue::Number(5), "250");
    check("attribution.window_days", switch, "30");
    check("plans.combo.price", SettingValue::Action(FraudAction::Hold), "100");
    check("fraud.self_referral.action", SettingValue::Number(1), "\"hold\"");
    check("fraud.low_conversion.from_referrals", switch, "10");
}

#[test]
fn overrides_read_back() {
    let overrides = Overrides::from([
        ("a".to_owned(), SettingValue::Amount(Money::new(5, Currency::INR))),
        ("b".to_owned(), SettingValue::Switch(true)),
        ("c".to_owned(), SettingValue::Number(-5)),
        ("d".to_owned(), SettingValue::Action(FraudAction::Hold)),
    ]);
    let json = serde_json::to_string(&overrides).unwrap();
    assert_eq!(serde_json::from_str::<Overrides>(&json).unwrap(), overrides);
}
