use super::*;

const BITTEN: &str = include_str!("../../presets/bitten.toml");

#[test]
fn what_the_build_made_of_a_preset_is_what_its_file_says() {
    for (name, _) in BUILTIN {
        let path = format!("{}/presets/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        let written = Preset::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(Preset::builtin(name).unwrap(), written, "{name}");
    }
}

#[test]
fn bitten_has_the_documented_numbers() {
    let preset = Preset::builtin("bitten").unwrap();
    let rule = preset.program.headline().unwrap();
    assert_eq!(preset.reward_words(&preset.program).unwrap(), "$10.00");
    assert_eq!(rule.minimum_payment.to_string(), "$39.00");
    assert_eq!((preset.code_valid_days, rule.hold_seconds), (365, 0));
}

#[test]
fn ott_shares_28_and_9_of_a_profit_of_93() {
    let preset = Preset::builtin("ott").unwrap();
    let rewards: Vec<_> =
        preset.program.rules.iter().map(|rule| preset.typical_reward(rule).unwrap().to_string()).collect();
    assert_eq!(rewards, ["₹28.00", "₹9.00"]);
    assert!(preset.program.second_level);
    assert!(preset.program.rules.iter().all(|rule| rule.hold_seconds == 24 * 3600));
    assert_eq!(preset.withdrawals.unwrap().minimum.to_string(), "₹500.00");
}

#[test]
fn autosales_shares_3_percent_and_ranks_by_earnings() {
    let preset = Preset::builtin("autosales").unwrap();
    let rule = preset.program.headline().unwrap();
    let hundred = Money::new(10_000, Currency::PLN);
    assert_eq!(rule.amount_for(hundred, Money::zero(Currency::PLN)).unwrap().to_string(), "3.00 PLN");
    assert_eq!(preset.reward_words(&preset.program).unwrap(), "3%");
    let tier = |minor| crate::gamification::tier_of(&preset.tiers, minor).unwrap().name.clone();
    let check = |minor, name: &str| assert_eq!(tier(minor), name, "{minor}");
    check(0, "Bronze");
    check(9_999, "Bronze");
    check(10_000, "Silver");
    check(50_000, "Gold");
    check(100_000, "Platinum");
    check(499_999, "Platinum");
    check(500_000, "Diamond");
}

#[test]
fn streamline_sells_credits_and_grants_no_rewards() {
    let preset = Preset::builtin("streamline").unwrap();
    let packages: Vec<_> =
        preset.plans.iter().map(|plan| (plan.price.to_string(), plan.credits.unwrap())).collect();
    let expected = [("$19.99", 200), ("$49.99", 600), ("$99.99", 1500)];
    assert_eq!(packages, expected.map(|(price, credits)| (price.to_owned(), credits)));
    assert_eq!(preset.credit_value.unwrap().to_string(), "$0.10");
    assert_eq!(preset.reward_words(&preset.program), None);
}

#[test]
fn trollz_grants_30_days_and_a_badge_at_five() {
    let preset = Preset::builtin("trollz").unwrap();
    assert_eq!(preset.reward_words(&preset.program).unwrap(), "30 days");
    let ranks = preset.ranks.unwrap();
    assert!(ranks.standing(4, 0).badges.is_empty());
    assert_eq!(ranks.standing(5, 0).badges, ["Referral Master"]);
    assert_eq!(preset.code_valid_days, 365);
}

#[test]
fn a_wrong_setting_is_named() {
    let check = |from: &str, to: &str, message: &str| {
        assert!(BITTEN.contains(from), "{from}");
        let error = Preset::parse(&BITTEN.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    };
    check("code_valid_days = 365", "code_valid_days = 0", "code_valid_days");
    check("hold_seconds = 0", "hold_seconds = -1", "rules.recruit.hold_seconds");
    check("id = \"recruit\"", "id = \"Re cruit\"", "rules.id");
    check("minor = 1000", "minor = -1000", "rules.recruit.amount");
    check(
        "amount = { minor = 1000, currency = \"USD\"",
        "amount = { minor = 1000, currency = \"EUR\"",
        "must be in",
    );
    check("currency = \"USD\"", "currency = \"DOLLARS\"", "not a currency code");
    check("hold_seconds = 0", "hold_second = 0", "unknown field");
    assert!(Preset::builtin("nope").unwrap_err().to_string().contains("trollz"));
}

#[test]
fn a_program_names_plans_that_exist_and_a_plan_costs_no_more_than_its_price() {
    let preset = Preset::builtin("bitten").unwrap();
    let named = |product: &str| {
        let mut program = preset.program.clone();
        program.rules[0].products = vec![product.into()];
        preset.check_program(&program)
    };
    assert!(named("fang").is_ok() && named("prod_TOnRzwk3w8KAot").is_ok());
    let refused = named("gold").unwrap_err();
    assert_eq!(
        (refused.setting.as_str(), &*refused.problem),
        ("rules.recruit.products", "names 'gold', which is no plan")
    );
    let mut dear = preset.clone();
    dear.plans[0].cost = Some(Money::new(1901, Currency::USD));
    assert!(dear.check().unwrap_err().to_string().contains("plans.cost"));
}
