use rust_decimal::Decimal;

use super::*;
use crate::{
    exchange::ExchangeRate,
    ids::{ExternalPaymentId, MemberId, PaymentKey, Rail},
    money::{Currency, Money, Rounding},
    payments::{PaymentFacts, PaymentLine, Place, Purpose, Verdict},
    programs::CapPeriod,
    referrals::{Referral, ReferralState},
    settings::Preset,
    time::Timestamp,
    wallets::WalletKind,
};

const JOINED: Timestamp = Timestamp::from_seconds(1_795_000_000);

fn member(name: &str) -> MemberId {
    MemberId::parse(name).unwrap()
}

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn payment(paid: i64, tier: i64) -> PaymentFacts {
    PaymentFacts {
        key: PaymentKey { rail: Rail::Stripe, id: ExternalPaymentId::parse("in_1").unwrap() },
        member: member("carol"),
        purpose: Purpose::Purchase,
        paid: usd(paid),
        presented: None,
        tax: usd(0),
        tier: usd(tier),
        lines: vec![],
        cost: None,
        paid_at: JOINED.plus_days(3),
        known_at: JOINED.plus_days(3),
    }
}

fn referral() -> Referral {
    Referral {
        referrer: member("bob"),
        referee: member("carol"),
        upline: Some(member("alice")),
        joined_at: JOINED,
        expires_at: JOINED.plus_days(365),
        progress: std::collections::BTreeMap::new(),
        undone: 0,
        state: ReferralState::Pending,
    }
}

fn converted() -> Referral {
    Referral { state: ReferralState::Converted { payment: payment(1, 1).key, at: JOINED }, ..referral() }
}

fn party(name: &str) -> Option<Party> {
    Some(Party { member: member(name), barred: false, last_paid_at: Some(JOINED) })
}

fn around(referral: Referral) -> Surroundings {
    Surroundings {
        referral: Some(referral),
        referrer: party("bob"),
        upline: party("alice"),
        ..Surroundings::default()
    }
}

fn bitten() -> Program {
    Preset::builtin("bitten").unwrap().program
}

/// A program of one rule: bitten's, changed.
fn one(change: impl FnOnce(&mut Rule)) -> Program {
    let mut program = bitten();
    change(&mut program.rules[0]);
    program.check(Currency::USD).unwrap();
    program
}

fn percent(percent: i64) -> Amount {
    Amount::PercentOfPayment { percent: Decimal::from(percent), rounding: Rounding::HalfUp, quantum_minor: 1 }
}

#[track_caller]
fn granted(program: &Program, payment: &PaymentFacts, around: &Surroundings) -> Vec<(String, i64)> {
    let decision = program.decide(payment, around);
    decision.grants.iter().map(|grant| (grant.beneficiary.to_string(), grant.amount.minor())).collect()
}

#[track_caller]
fn refused(program: &Program, payment: &PaymentFacts, around: &Surroundings, codes: &[&str]) {
    let decision = program.decide(payment, around);
    let found: Vec<_> = decision
        .trace
        .iter()
        .map(|candidate| match &candidate.verdict {
            Verdict::Refused { reason } => reason.code(),
            Verdict::Granted { .. } => "granted",
        })
        .collect();
    assert_eq!(found, codes);
}

#[test]
fn bitten_pays_ten_dollars_for_the_first_39_dollar_payment() {
    let decision = bitten().decide(&payment(3900, 3900), &around(referral()));
    let grant = &decision.grants[0];
    assert_eq!((grant.amount.to_string().as_str(), decision.converts()), ("$10.00", true));
    assert_eq!(grant.commission.as_str(), "stripe:in_1-recruit-1");
    assert_eq!((grant.due_at, grant.beneficiary.as_str()), (JOINED.plus_days(3), "bob"));
}

#[test]
fn ott_pays_28_and_9() {
    let program = Preset::builtin("ott").unwrap().program;
    let inr = |minor| Money::new(minor, Currency::INR);
    let mut order = payment(0, 0);
    (order.paid, order.tax, order.tier, order.cost) = (inr(13_500), inr(0), inr(13_500), Some(inr(4_200)));
    let pays = vec![("bob".to_owned(), 2800), ("alice".to_owned(), 900)];
    assert_eq!(granted(&program, &order, &around(referral())), pays);
    // Every order earns, and later ones do not convert again.
    let later = program.decide(&order, &around(converted()));
    assert_eq!((later.grants.len(), later.converts()), (2, false));
    assert!(later.grants.iter().all(|grant| grant.place == Place::Payment));
    // A price at cost leaves nothing to share.
    order.paid = inr(4_200);
    refused(&program, &order, &around(referral()), &["no_profit", "no_profit"]);
}

#[test]
fn every_refusal_has_its_reason() {
    let check = |payment: PaymentFacts, around: &Surroundings, code| {
        refused(&bitten(), &payment, around, &[code]);
    };
    let pending = around(referral());
    check(payment(3900, 3900), &Surroundings::default(), "not_referred");
    check(payment(3900, 3900), &around(converted()), "already_converted");
    let early = PaymentFacts { known_at: JOINED.plus_seconds(-1), ..payment(3900, 3900) };
    check(early, &pending, "before_referral");
    let late = PaymentFacts { paid_at: JOINED.plus_days(365), ..payment(3900, 3900) };
    check(late.clone(), &pending, "referral_expired");
    // The window is shown to end in this second, whatever its milliseconds.
    let mut shown = pending.clone();
    shown.referral.as_mut().unwrap().expires_at = Timestamp::from_millis(late.paid_at.millis() + 700);
    check(late, &shown, "referral_expired");
    check(payment(0, 3900), &pending, "zero_amount");
    check(payment(3899, 3899), &pending, "below_minimum");
    let euros = PaymentFacts { tier: Money::new(3900, Currency::EUR), ..payment(3900, 3900) };
    check(euros, &pending, "currency_mismatch");
    let deposit = PaymentFacts { purpose: Purpose::Deposit, ..payment(3900, 3900) };
    check(deposit, &pending, "other_purpose");
    let mut barred = pending.clone();
    barred.referrer.as_mut().unwrap().barred = true;
    check(payment(3900, 3900), &barred, "beneficiary_barred");
    let spent = Surroundings { spent: [("recruit".into(), JOINED)].into(), ..pending };
    check(payment(3900, 3900), &spent, "already_converted");
}

#[test]
fn uplines_are_skipped_by_the_stated_rule() {
    let mut program = one(|rule| rule.trigger = Trigger::EveryPayment);
    program.rules[0].beneficiary = Beneficiary::Upline;
    let pending = around(referral());
    let check = |program: &Program, around: &Surroundings, code| {
        refused(program, &payment(3900, 3900), around, &[code]);
    };
    check(&program, &pending, "second_level_off");
    program.second_level = true;
    assert_eq!(granted(&program, &payment(3900, 3900), &pending), [("alice".to_owned(), 1000)]);
    check(&program, &Surroundings { upline: None, ..pending.clone() }, "no_upline");
    // A member who would be their own upline has no upline.
    check(&program, &Surroundings { upline: party("carol"), ..pending.clone() }, "no_upline");
    let mut barred = pending.clone();
    barred.upline.as_mut().unwrap().barred = true;
    check(&program, &barred, "beneficiary_barred");
    program.upline_active_days = Some(3);
    assert_eq!(granted(&program, &payment(3900, 3900), &pending), [("alice".to_owned(), 1000)]);
    program.upline_active_days = Some(2);
    check(&program, &pending, "upline_inactive");
    let mut forced = payment(3900, 3900);
    forced.key.rail = Rail::Manual;
    refused(&program, &forced, &pending, &["not_settled"]);
}

#[test]
fn what_was_paid_is_measured_against_the_minimum_and_at_most_the_list_price() {
    let check = |paid, tax, tier, codes: &[&str]| {
        let taxed = PaymentFacts { tax: usd(tax), ..payment(paid, tier) };
        refused(&bitten(), &taxed, &around(referral()), codes);
    };
    check(3900, 0, 3900, &["granted"]);
    check(1, 0, 13_500, &["below_minimum"]);
    check(3899, 0, 8900, &["below_minimum"]);
    check(4797, 897, 8900, &["granted"]);
    check(4796, 897, 8900, &["below_minimum"]);
    check(5000, 0, 1900, &["below_minimum"]);
}

#[test]
fn a_share_is_taken_of_the_payment_net_of_tax() {
    let program = one(|rule| (rule.trigger, rule.amount) = (Trigger::EveryPayment, percent(3)));
    let mut taxed = payment(12300, 10000);
    taxed.tax = usd(2300);
    assert_eq!(granted(&program, &taxed, &around(referral())), [("bob".to_owned(), 300)]);
}

#[test]
fn only_the_rules_products_earn_and_lines_net_within_the_payment() {
    let program = one(|rule| {
        (rule.trigger, rule.amount) = (Trigger::EveryPayment, percent(10));
        (rule.products, rule.minimum_payment) = (vec!["pro".into()], usd(0));
    });
    let check = |lines: &[(&str, i64)], paid: i64, expect: &[i64]| {
        let lines = lines.iter().map(|(product, minor)| PaymentLine::unit((*product).into(), usd(*minor)));
        let bought = PaymentFacts { lines: lines.collect(), ..payment(paid, 3900) };
        let rewards: Vec<_> =
            granted(&program, &bought, &around(referral())).iter().map(|(_, minor)| *minor).collect();
        assert_eq!(rewards, expect, "{bought:?}");
    };
    check(&[("pro", 4000)], 4000, &[400]);
    check(&[("pro", 4000), ("mug", 1000)], 5000, &[400]);
    // A discount is taken off all lines in proportion.
    check(&[("pro", 4000), ("mug", 1000)], 2500, &[200]);
    // An upgrade: the unused part of the old plan is deducted.
    check(&[("basic", -1000), ("pro", 4000)], 3000, &[300]);
    check(&[("pro", -1000), ("pro", 4000)], 3000, &[300]);
    // A downgrade nets below zero: nothing is earned, and the next payment is smaller by what is left.
    check(&[("pro", -4000), ("basic", 1000)], 0, &[]);
    check(&[("mug", 1000)], 1000, &[]);
    check(&[], 1000, &[]);
}

#[test]
fn a_foreign_payment_counts_at_the_programs_rate_or_not_at_all() {
    let mut program = one(|rule| (rule.trigger, rule.amount) = (Trigger::EveryPayment, percent(10)));
    let eur = |minor| Money::new(minor, Currency::EUR);
    let mut foreign = payment(0, 0);
    (foreign.paid, foreign.tax, foreign.tier) = (eur(5000), eur(0), eur(5000));
    refused(&program, &foreign, &around(referral()), &["currency_mismatch"]);
    let rate =
        ExchangeRate { from: Currency::EUR, to: Currency::USD, rate: Decimal::new(1085, 3), as_of: JOINED };
    program.rates.push(rate);
    program.check(Currency::USD).unwrap();
    let decision = program.decide(&foreign, &around(referral()));
    let grant = &decision.grants[0];
    assert_eq!((grant.base, grant.amount), (usd(5425), usd(543)));
    assert_eq!(grant.snapshot.exchange, Some(rate));
    let yen = Currency::parse("JPY").unwrap();
    let rate = ExchangeRate { from: yen, to: Currency::USD, rate: Decimal::new(65, 4), as_of: JOINED };
    assert_eq!(rate.convert(Money::new(10_000, yen)).unwrap(), usd(6500));
}

#[test]
fn counting_rules_fire_once() {
    let run = |trigger, days: &[i64]| {
        let program = one(|rule| rule.trigger = trigger);
        let mut edge = referral();
        let mut fired = Vec::new();
        for (n, day) in days.iter().enumerate() {
            let at = JOINED.plus_days(*day);
            let paid = PaymentFacts { paid_at: at, known_at: at, ..payment(3900, 3900) };
            let decision = program.decide(&paid, &around(edge.clone()));
            edge.progress = decision.progress.clone().unwrap();
            if !decision.grants.is_empty() {
                fired.push(n + 1);
            }
        }
        fired
    };
    assert_eq!(run(Trigger::NthPayment(3), &[1, 2, 3, 4, 5, 6]), [3]);
    assert_eq!(run(Trigger::NthPayment(1), &[1, 2]), [1]);
    // JOINED is the 18th of November 2026.
    assert_eq!(run(Trigger::Months(3), &[1, 2, 20, 21, 50, 51, 80, 110]), [5]);
    let below = one(|rule| rule.trigger = Trigger::NthPayment(2));
    let decision = below.decide(&payment(1000, 1000), &around(referral()));
    assert_eq!(decision.progress, None, "what does not satisfy the rule does not count");
}

#[test]
fn both_sides_may_be_rewarded_and_one_commission_converts() {
    let mut program = bitten();
    let welcome = Rule {
        id: "welcome".into(),
        beneficiary: Beneficiary::Referee,
        amount: Amount::PremiumDays { days: 7 },
        target: WalletKind::Credits,
        ..program.rules[0].clone()
    };
    program.rules.push(welcome);
    program.check(Currency::USD).unwrap();
    let decision = program.decide(&payment(3900, 3900), &around(referral()));
    let places: Vec<_> = decision.grants.iter().map(|grant| grant.place).collect();
    assert_eq!(
        places,
        [Place::Conversion { joined_at: JOINED, attempt: 0 }, Place::Once { joined_at: JOINED, attempt: 0 }]
    );
    let rewards: Vec<_> = decision.grants.iter().map(|g| (g.beneficiary.as_str(), g.amount)).collect();
    assert_eq!(rewards, [("bob", usd(1000)), ("carol", Money::new(7, Currency::DAY))]);
}

#[test]
fn caps_bind_each_commission() {
    let program = one(|rule| {
        (rule.trigger, rule.amount, rule.cap_commission) =
            (Trigger::EveryPayment, percent(10), Some(usd(500)));
    });
    assert_eq!(granted(&program, &payment(3900, 3900), &around(referral()))[0].1, 390);
    assert_eq!(granted(&program, &payment(9000, 9000), &around(referral()))[0].1, 500);
}

#[test]
fn a_program_that_cannot_be_is_refused_by_name() {
    let check = |change: fn(&mut Program), setting: &str| {
        let mut program = bitten();
        change(&mut program);
        assert_eq!(program.check(Currency::USD).unwrap_err().setting, setting);
    };
    check(|p| p.version = 0, "version");
    check(|p| p.rules.push(p.rules[0].clone()), "rules.recruit.id");
    check(|p| p.rules = vec![p.rules[0].clone(); 9], "rules");
    check(|p| p.rules[0].trigger = Trigger::NthPayment(0), "rules.recruit.trigger");
    check(|p| p.rules[0].amount = percent(0), "rules.recruit.amount");
    check(|p| p.rules[0].amount = percent(101), "rules.recruit.amount");
    check(|p| p.rules[0].amount = Amount::PremiumDays { days: 0 }, "rules.recruit.amount");
    check(|p| p.rules[0].cap_commission = Some(Money::new(1, Currency::EUR)), "rules.recruit.cap_commission");
    check(|p| p.rules[0].products = vec!["".into()], "rules.recruit.products");
    check(|p| p.upline_active_days = Some(0), "upline_active_days");
    check(|p| p.rules[0].minimum_payment = usd(i64::MAX), "rules.recruit.minimum_payment");
    check(|p| p.rules[0].beneficiary = Beneficiary::Upline, "second_level");
    check(|p| p.rules[0].trigger = Trigger::Spend, "rules.recruit.trigger");
    check(|p| p.rules[0].amount = Amount::PremiumDays { days: 30 }, "rules.recruit.target");
}

#[test]
fn a_limit_that_cannot_be_is_refused_by_name() {
    let cap = |minor| Some(Cap { amount: usd(minor), per: CapPeriod::Month });
    let check = |change: &dyn Fn(&mut Program)| {
        let mut program = bitten();
        change(&mut program);
        program.check(Currency::USD).map_err(|error| error.setting)
    };
    let refused = |setting: &str| Err(setting.to_owned());
    assert_eq!(check(&|p| p.rules[0].cap_member = cap(0)), refused("rules.recruit.cap_member"));
    assert_eq!(check(&|p| p.budget = cap(-1)), refused("budget"));
    assert_eq!(check(&|p| (p.budget, p.rules[0].cap_member) = (cap(100_000), cap(5_000))), Ok(()));
}

#[test]
fn a_rate_that_cannot_be_is_refused_by_name() {
    let rate = |from: &str, rate: &str| ExchangeRate {
        from: Currency::parse(from).unwrap(),
        to: Currency::USD,
        rate: rate.parse().unwrap(),
        as_of: JOINED,
    };
    for (from, number) in [("EUR", "79000000000000000000000000000"), ("ZZZ", "1"), ("USD", "1"), ("EUR", "0")]
    {
        let mut program = bitten();
        program.rates = vec![rate(from, number)];
        assert_eq!(program.check(Currency::USD).unwrap_err().setting, "rates", "{from} {number}");
    }
    let mut twice = bitten();
    twice.rates = vec![rate("EUR", "1.08"), rate("EUR", "1.09")];
    assert_eq!(twice.check(Currency::USD).unwrap_err().setting, "rates");
}
