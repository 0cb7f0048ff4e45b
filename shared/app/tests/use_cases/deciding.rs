//! What a product costs, which payments count, and payments that are decided again once something is known.

use guerdon_app::{
    once::{Answer, Call, ChangeRefusal, MemberCall},
    payments::{
        BankPayment, DecideRefusal, Recorded, Supplied, Undecided, decide_again, decide_all, force_confirm,
        record_bank_payment, record_payment, refund_by_hand, undecided_payments,
    },
    programs::{newest_program, set_program, simulate},
    settings::set_setting,
    statistics::dashboard,
};
use guerdon_domain::{
    ids::{ExternalPaymentId, PaymentKey, Rail},
    payments::{
        Candidate, DisputeStage, PaymentFacts, PaymentLine, PaymentRecord, Purpose, Refusal, Verdict,
    },
    programs::{Amount, Beneficiary, Program, Rule, Trigger},
    referrals::ReferralState,
    statistics::Counter,
};
use guerdon_store::statistics::Projection;

use crate::{
    reversing::{dispute, refunded},
    support::*,
    withdrawing::{OTT, inr},
};

/// Two plans with costs of 10 and 20 dollars; half of the profit of every payment.
const PROFIT: &str = r#"
name = "profit"
brand = "Profit"
currency = "USD"
code_valid_days = 365
referral_window_days = 30

[program]
version = 1

[[program.rules]]
id = "half"
trigger = "every_payment"
hold_seconds = 0
target = "bill_credit"
minimum_payment = { minor = 0, currency = "USD" }
amount = { kind = "percent_of_profit", percent = "50", rounding = "half_up", quantum_minor = 1 }

[[plans]]
id = "scout"
name = "Scout"
price = { minor = 1900, currency = "USD" }
cost = { minor = 1000, currency = "USD" }
products = ["prod_scout"]

[[plans]]
id = "fang"
name = "Fang"
price = { minor = 3900, currency = "USD" }
cost = { minor = 2000, currency = "USD" }
"#;

fn call(key: &str) -> Call {
    Call { principal: "olga".into(), key: key.to_owned(), input_hash: key.to_owned() }
}

/// Member 1 brought 2.
async fn referred(preset: &str) -> Business {
    let b = Business::open(preset).await;
    b.join(1).await;
    b.refer(1, 2).await;
    b
}

fn line(product: &str, minor: i64, quantity: u32) -> PaymentLine {
    PaymentLine { quantity, ..PaymentLine::unit(product.into(), usd(minor)) }
}

fn sold(b: &Business, id: &str, lines: Vec<PaymentLine>) -> PaymentFacts {
    let paid = usd(lines.iter().map(|line| line.amount.minor()).sum());
    let bought = PaymentFacts::purchase(stripe_key(id), b.id(2), paid, b.app.now());
    PaymentFacts { lines, ..bought }
}

async fn record(b: &Business, facts: &PaymentFacts) -> PaymentRecord {
    let recorded = record_payment(&b.app, facts).await.unwrap();
    b.project_all().await;
    recorded.record().clone()
}

/// The outcome of the first rule: its reward in minor units, or its code.
fn outcome(record: &PaymentRecord) -> Result<i64, &'static str> {
    match &record.trace[0].verdict {
        Verdict::Granted { reward, .. } => Ok(reward.minor()),
        Verdict::Refused { reason } => Err(reason.code()),
    }
}

async fn change(b: &Business, edit: impl FnOnce(&mut Program)) {
    let mut next = newest_program(&b.app).await.unwrap().program;
    next.version += 1;
    edit(&mut next);
    set_program(&b.app, &call(&format!("version {}", next.version)), "a test", next).await.unwrap();
    b.advance(60);
}

async fn set(b: &Business, key: &str, json: &str) {
    set_setting(&b.app, &"olga".into(), key, json, None).await.unwrap();
}

#[tokio::test]
async fn costs_are_those_of_each_line_and_all_its_units() {
    let b = referred(PROFIT).await;
    let check = async |id: &str, lines: Vec<PaymentLine>, expected: Result<i64, &str>| {
        assert_eq!(outcome(&record(&b, &sold(&b, id, lines)).await), expected, "{id}");
    };
    check("in_1", vec![line("scout", 1900, 1), line("fang", 3900, 1)], Ok(1400)).await;
    check("in_2", vec![line("prod_scout", 3800, 2)], Ok(900)).await;
    // An old subscriber at a former price is named by the product.
    check("in_3", vec![line("scout", 1500, 1)], Ok(250)).await;
    check("in_4", vec![line("prod_mug", 1200, 1)], Err("cost_unknown")).await;
    check("in_5", vec![line("scout", 1900, 1), line("prod_mug", 1200, 1)], Err("cost_unknown")).await;
    // What is free sells nothing.
    check("in_6", vec![line("scout", 1900, 1), line("prod_mug", 0, 1)], Ok(450)).await;
    // An upgrade in the middle of a period: half of both plans.
    let part = |product, minor| PaymentLine { proration: true, ..line(product, minor, 1) };
    check("in_7", vec![part("scout", -950), part("fang", 1950)], Ok(250)).await;
}

#[tokio::test]
async fn one_plan_means_that_plan() {
    let b = referred(OTT).await;
    for (id, paid) in [("in_1", 13_500), ("in_2", 13_499)] {
        let bought = PaymentFacts::purchase(stripe_key(id), b.id(2), inr(paid), b.app.now());
        assert_eq!(outcome(&record(&b, &bought).await), Ok(2800), "{paid}");
    }
}

#[tokio::test]
async fn a_payment_waits_for_its_cost_and_is_decided_again() {
    let b = referred(PROFIT).await;
    let waits = record(&b, &sold(&b, "in_1", vec![line("prod_mug", 1200, 1)])).await;
    assert!(waits.is_undecided() && waits.cost.is_none());
    let listed = undecided(&b).await;
    assert_eq!(listed, [stripe_key("in_1")]);
    let again = async |key: &str, supplied: Supplied| {
        decide_again(&b.app, &call(key), &stripe_key("in_1"), &supplied, "a mug costs four").await
    };
    assert!(matches!(
        again("k1", Supplied::Nothing).await,
        Err(DecideRefusal::StillOpen(Refusal::CostUnknown))
    ));
    assert!(matches!(again("k2", Supplied::Cost(usd(1201))).await, Err(DecideRefusal::BadCost(_))));
    for _ in 0..2 {
        let decided = again("k3", Supplied::Cost(usd(400))).await.unwrap();
        assert_eq!((outcome(&decided), decided.cost, decided.decisions), (Ok(400), Some(usd(400)), 1));
    }
    assert!(matches!(again("k4", Supplied::Nothing).await, Err(DecideRefusal::Decided)));
    b.project_all().await;
    assert_eq!((b.buckets(1).await, undecided(&b).await.len()), ((400, 0, 0), 0));
    let overall = dashboard(&b.app).await.unwrap().overall;
    assert_eq!((overall.revenue, overall.cost), (usd(1200), usd(400)));
    b.sound(1, "in_1").await;
    let lines = b.calm().audit().trail("2026-11", None, 10).await.unwrap();
    assert_eq!(lines.iter().filter(|line| line.action == "payment.decide").count(), 1);
}

async fn undecided(b: &Business) -> Vec<PaymentKey> {
    let (mut all, mut from) = (Vec::new(), Some(Undecided::default()));
    while let Some(position) = from {
        let (page, next) = undecided_payments(&b.app, position, 10).await.unwrap();
        all.extend(page.into_iter().map(|payment| payment.payment));
        from = next;
    }
    all
}

#[tokio::test]
async fn a_product_that_is_named_or_a_cost_that_is_set_decides_too() {
    let b = referred(&PROFIT.replace("cost = { minor = 2000, currency = \"USD\" }\n", "")).await;
    record(&b, &sold(&b, "in_1", vec![line("prod_old", 1500, 1)])).await;
    let named = Supplied::Product("scout".into());
    let decided =
        decide_again(&b.app, &call("k1"), &stripe_key("in_1"), &named, "the old plan").await.unwrap();
    assert_eq!(outcome(&decided), Ok(250));
    for id in ["in_2", "in_3"] {
        record(&b, &sold(&b, id, vec![line("fang", 3900, 1)])).await;
    }
    let all = async || {
        decide_all(&b.app, &"olga".into(), "costs are set", b.app.now().plus_seconds(5)).await.unwrap()
    };
    let none = all().await;
    assert_eq!((none.decided, none.open), (0, 2));
    set(&b, "plans.fang.cost", "20").await;
    let done = all().await;
    assert_eq!((done.decided, done.open), (2, 0));
    assert_eq!(b.commissions(1).await.len(), 3);
}

#[tokio::test]
async fn what_is_undone_is_not_decided_and_what_is_partly_undone_is_taken_back() {
    let b = referred(PROFIT).await;
    for id in ["in_1", "in_2"] {
        record(&b, &sold(&b, id, vec![line("prod_mug", 1200, 1)])).await;
    }
    b.reverse("in_1", 1, refunded(1200)).await;
    b.reverse("in_2", 1, refunded(600)).await;
    assert_eq!(undecided(&b).await, [stripe_key("in_2")]);
    let cost = Supplied::Cost(usd(400));
    let refused = decide_again(&b.app, &call("k1"), &stripe_key("in_1"), &cost, "why not").await;
    assert!(matches!(refused, Err(DecideRefusal::Undone)));
    decide_again(&b.app, &call("k2"), &stripe_key("in_2"), &cost, "why not").await.unwrap();
    assert_eq!(b.buckets(1).await, (200, 0, 0));
    b.sound(1, "in_2").await;
    // The refund fails: it can be decided after all.
    let failed = guerdon_domain::payments::ReversalKind::Refund {
        id: "re_1".to_owned(),
        amount: usd(1200),
        stage: guerdon_domain::payments::RefundStage::Failed,
    };
    b.reverse("in_1", 2, failed).await;
    assert_eq!(undecided(&b).await, [stripe_key("in_1")]);
}

#[tokio::test]
async fn a_reward_of_a_payment_that_was_undone_in_part_before_counts_as_reversed() {
    let b = referred(PROFIT).await;
    record(&b, &sold(&b, "in_1", vec![line("prod_mug", 1200, 1)])).await;
    b.reverse("in_1", 1, refunded(600)).await;
    let cost = Supplied::Cost(usd(400));
    decide_again(&b.app, &call("k1"), &stripe_key("in_1"), &cost, "a mug costs four").await.unwrap();
    let reversed = async || {
        b.project_all().await;
        let counters = b.calm().statistics().counters(&Projection::Member(b.id(1))).await.unwrap();
        counters.get(Counter::Reversed)
    };
    assert_eq!(reversed().await, 1);
    b.reverse("in_1", 2, refunded(900)).await;
    assert_eq!(reversed().await, 1, "once for each reward");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_payment_that_is_decided_again_by_several_at_once_earns_once() {
    for _ in 0..5 {
        let b = std::sync::Arc::new(referred(PROFIT).await);
        record(&b, &sold(&b, "in_1", vec![line("prod_mug", 1200, 1)])).await;
        b.race(2);
        at_once(4, |n| {
            let (b, key) = (b.clone(), stripe_key("in_1"));
            async move {
                if n == 0 {
                    b.reverse("in_1", 1, refunded(600)).await;
                } else {
                    let (call, cost) = (call(&format!("k{n}")), Supplied::Cost(usd(400)));
                    decide_again(&b.app, &call, &key, &cost, "a race").await.ok();
                }
            }
        })
        .await;
        b.settle(1).await;
        assert_eq!((b.commissions(1).await.len(), b.buckets(1).await), (1, (200, 0, 0)));
        b.sound(1, "in_1").await;
    }
}

#[tokio::test]
async fn no_number_of_a_program_makes_a_payment_unbookable() {
    let b = referred(PROFIT).await;
    let share = |minor| Amount::PercentOfPayment {
        percent: "100".parse().unwrap(),
        rounding: guerdon_domain::money::Rounding::HalfUp,
        quantum_minor: minor,
    };
    change(&b, |program| program.rules[0].amount = share(1)).await;
    let mut huge = sold(&b, "in_1", vec![line("scout", 1900, 1)]);
    huge.lines = vec![line("scout", i64::MAX, 1), line("fang", i64::MAX, 1)];
    change(&b, |program| program.rules[0].products = vec!["scout".into()]).await;
    huge.paid_at = b.app.now();
    let booked = record(&b, &huge).await;
    assert_eq!(outcome(&booked), Err("not_computable"));
    assert!(booked.is_undecided());
    // The corrected version decides it.
    change(&b, |program| {
        program.rules[0].amount = Amount::Flat { amount: usd(500) };
        program.rules[0].products = Vec::new();
    })
    .await;
    let decided =
        decide_again(&b.app, &call("k"), &stripe_key("in_1"), &Supplied::Nothing, "corrected").await;
    let decided = decided.unwrap();
    assert_eq!((outcome(&decided), decided.trace[0].version, decided.program_version), (Ok(500), Some(4), 3));
}

/// The outcomes of all rules.
fn outcomes(record: &PaymentRecord) -> Vec<Result<i64, &'static str>> {
    let outcome = |candidate: &Candidate| match &candidate.verdict {
        Verdict::Granted { reward, .. } => Ok(reward.minor()),
        Verdict::Refused { reason } => Err(reason.code()),
    };
    record.trace.iter().map(outcome).collect()
}

/// Adds a rule for one product, whose numbers do not fit while it is bought for everything.
fn with_huge(program: &mut Program) {
    let mut huge = program.rules[0].clone();
    (huge.id, huge.products) = ("huge".into(), vec!["scout".into()]);
    huge.amount = Amount::PercentOfPayment {
        percent: "100".parse().unwrap(),
        rounding: guerdon_domain::money::Rounding::HalfUp,
        quantum_minor: 1,
    };
    program.rules.push(huge);
}

#[tokio::test]
async fn what_waits_for_a_cost_is_not_decided_by_the_program_that_corrects_a_number() {
    let b = referred(PROFIT).await;
    change(&b, with_huge).await;
    let mut bought = sold(&b, "in_1", vec![line("prod_mug", 1200, 1)]);
    bought.lines = vec![line("scout", i64::MAX, 1), line("prod_mug", i64::MAX, 1)];
    assert_eq!(outcomes(&record(&b, &bought).await), [Err("cost_unknown"), Err("not_computable")]);
    change(&b, |program| {
        program.rules[0].amount = Amount::Flat { amount: usd(999) };
        program.rules[1].amount = Amount::Flat { amount: usd(500) };
        program.rules[1].products = Vec::new();
    })
    .await;
    let decide = async |key: &str, supplied| {
        let decided = decide_again(&b.app, &call(key), &stripe_key("in_1"), &supplied, "known now").await;
        decided.map(|record| outcomes(&record))
    };
    // Half of the profit, by the program of the payment's time.
    let first = decide("one", Supplied::Cost(usd(200))).await.unwrap();
    assert_eq!(first, [Ok(500), Err("not_computable")]);
    assert_eq!(decide("two", Supplied::Nothing).await.unwrap(), [Ok(500), Ok(500)]);
    assert!(matches!(decide("three", Supplied::Nothing).await, Err(DecideRefusal::Decided)));
}

#[tokio::test]
async fn prices_and_costs_are_those_of_the_payments_time() {
    let b = referred(OTT).await;
    let yesterday = PaymentFacts::purchase(stripe_key("in_1"), b.id(2), inr(13_500), b.app.now());
    b.advance(DAY);
    set(&b, "plans.combo.cost", "100").await;
    b.advance(DAY);
    set(&b, "plans.combo.cost", "120").await;
    assert_eq!(outcome(&record(&b, &yesterday).await), Ok(2800));
    let at = |id, paid_at| PaymentFacts { key: stripe_key(id), paid_at, ..yesterday.clone() };
    // In the very second that is shown, and one before the next change.
    assert_eq!(outcome(&record(&b, &at("in_2", NOW.plus_seconds(DAY))).await), Ok(1100));
    assert_eq!(outcome(&record(&b, &at("in_3", NOW.plus_seconds(2 * DAY - 1))).await), Ok(1100));
    assert_eq!(outcome(&record(&b, &at("in_4", NOW.plus_seconds(2 * DAY))).await), Ok(500));
}

#[tokio::test]
async fn a_price_that_changes_leaves_the_kept_answer() {
    let b = referred(PROFIT).await;
    let seen = BankPayment {
        reference: ExternalPaymentId::parse("T-1").unwrap(),
        paid: usd(1900),
        purpose: Purpose::Purchase,
        product: Some("scout".into()),
    };
    let request =
        |key: &str| MemberCall { call: call(key), user_id: tid(2), reason: "at the bank".to_owned() };
    let first = record_bank_payment(&b.app, &request("k1"), &seen).await.unwrap();
    set(&b, "plans.scout.price", "25").await;
    for key in ["k1", "k2"] {
        let again = record_bank_payment(&b.app, &request(key), &seen).await.unwrap();
        assert_eq!(again, Recorded::AlreadyApplied(first.record().clone()), "{key}");
    }
}

fn counting(trigger: Trigger) -> impl FnOnce(&mut Program) {
    move |program| {
        let rule = &mut program.rules[0];
        (rule.trigger, rule.amount) = (trigger, Amount::Flat { amount: usd(5000) });
    }
}

async fn pays(b: &Business, id: &str) -> Result<i64, &'static str> {
    outcome(&record(b, &sold(b, id, vec![line("scout", 1900, 1)])).await)
}

#[tokio::test]
async fn who_pays_towards_a_rule_that_counts_stays_a_referee() {
    let b = referred(PROFIT).await;
    change(&b, counting(Trigger::Months(3))).await;
    assert_eq!(pays(&b, "in_1").await, Err("not_yet"));
    b.advance(31 * DAY);
    assert_eq!(guerdon_app::referrals::expire(&b.app).await.unwrap().referrals, 0);
    assert_eq!(pays(&b, "in_2").await, Err("not_yet"));
    b.advance(31 * DAY);
    assert_eq!(pays(&b, "in_3").await, Ok(5000));
    // The sibling: whose only payment was undone is no payer, and expires.
    b.refer(1, 3).await;
    let other = PaymentFacts { member: b.id(3), ..sold(&b, "in_4", vec![line("scout", 1900, 1)]) };
    record(&b, &other).await;
    b.reverse("in_4", 1, refunded(1900)).await;
    b.advance(31 * DAY);
    assert_eq!(guerdon_app::referrals::expire(&b.app).await.unwrap().referrals, 1);
}

#[tokio::test]
async fn a_payment_that_is_undone_as_a_whole_does_not_count() {
    let b = referred(PROFIT).await;
    change(&b, counting(Trigger::NthPayment(2))).await;
    assert_eq!(pays(&b, "in_1").await, Err("not_yet"));
    b.reverse("in_1", 1, refunded(1900)).await;
    assert_eq!(pays(&b, "in_2").await, Err("not_yet"));
    assert_eq!(pays(&b, "in_3").await, Ok(5000));
    assert_eq!(pays(&b, "in_4").await, Err("already_converted"));
    // What was rewarded is undone: the next payment is the second again. When it is restored, nothing is paid twice.
    b.reverse("in_3", 1, dispute(1900, DisputeStage::Lost)).await;
    assert_eq!(pays(&b, "in_5").await, Ok(5000));
    b.reverse("in_3", 2, dispute(1900, DisputeStage::Won)).await;
    b.settle(1).await;
    assert_eq!(b.buckets(1).await, (5000, 0, 0));
    for id in ["in_3", "in_5"] {
        b.sound(1, id).await;
    }
}

/// $3 for every deposit, and $10 for the first purchase of $39.
fn deposit_and_first(program: &mut Program) {
    let first = Rule {
        trigger: Trigger::FirstPayment,
        amount: Amount::Flat { amount: usd(1000) },
        minimum_payment: usd(3900),
        ..program.rules[0].clone()
    };
    let deposit = Rule {
        id: "deposit".into(),
        trigger: Trigger::Deposit,
        amount: Amount::Flat { amount: usd(300) },
        minimum_payment: usd(0),
        ..first.clone()
    };
    program.rules = vec![deposit, Rule { id: "first".into(), ..first }];
}

async fn buys(b: &Business, id: &str, minor: i64, purpose: Purpose) -> Vec<Result<i64, &'static str>> {
    let facts = PaymentFacts::purchase(stripe_key(id), b.id(2), usd(minor), b.app.now());
    let recorded = record(b, &PaymentFacts { purpose, ..facts }).await;
    b.advance(1);
    outcomes(&recorded)
}

#[tokio::test]
async fn the_first_purchase_is_rewarded_although_a_deposit_converted_the_referral() {
    let b = referred(PROFIT).await;
    change(&b, deposit_and_first).await;
    assert_eq!(buys(&b, "in_1", 500, Purpose::Deposit).await, [Ok(300), Err("other_purpose")]);
    assert_eq!(buys(&b, "in_2", 1900, Purpose::Purchase).await, [Err("other_purpose"), Err("below_minimum")]);
    assert_eq!(buys(&b, "in_3", 3900, Purpose::Purchase).await, [Err("other_purpose"), Ok(1000)]);
    assert_eq!(
        buys(&b, "in_4", 3900, Purpose::Purchase).await,
        [Err("other_purpose"), Err("already_converted")]
    );
    b.settle(1).await;
    assert_eq!(b.buckets(1).await, (1300, 0, 0));
    let program = newest_program(&b.app).await.unwrap().program;
    let tried = simulate(&b.app, &program, NOW, 1).await.unwrap();
    assert_eq!(tried.rules, tried.granted);
    // It is undone as a whole, also together with what converted: the next purchase is the first again, once.
    b.reverse("in_3", 1, refunded(3900)).await;
    b.reverse("in_1", 1, refunded(500)).await;
    assert_eq!(buys(&b, "in_5", 3900, Purpose::Purchase).await[1], Ok(1000));
    assert_eq!(buys(&b, "in_6", 3900, Purpose::Purchase).await[1], Err("already_converted"));
    b.settle(1).await;
    assert_eq!(b.buckets(1).await, (1000, 0, 0));
}

#[tokio::test]
async fn a_rule_under_a_new_name_does_not_reward_who_has_paid_before() {
    let b = bitten().await;
    b.join(1).await;
    b.refer(1, 2).await;
    b.refer(1, 3).await;
    b.pay(2, "in_1").await;
    b.project_all().await;
    change(&b, |program| program.rules[0].id = "spring".into()).await;
    assert_eq!(outcome(b.pay(2, "in_2").await.record()), Err("already_converted"));
    assert_eq!(outcome(b.pay(3, "in_3").await.record()), Ok(1000));
    let program = newest_program(&b.app).await.unwrap().program;
    b.project_all().await;
    let tried = simulate(&b.app, &program, NOW, 1).await.unwrap();
    assert_eq!(tried.rules[&"spring".into()].commissions, 2, "of all three, each referee's first");
}

async fn confirm(b: &Business, key: &str) -> Result<Answer, ChangeRefusal> {
    let request = MemberCall { call: call(key), user_id: tid(2), reason: "paid in cash".to_owned() };
    force_confirm(&b.app, &request).await
}

#[tokio::test]
async fn a_confirmed_payment_that_would_not_convert_is_not_booked() {
    let b = referred(PROFIT).await;
    change(&b, |program| {
        counting(Trigger::NthPayment(2))(program);
        let welcome = Rule {
            id: "welcome".into(),
            beneficiary: Beneficiary::Referee,
            trigger: Trigger::EveryPayment,
            ..program.rules[0].clone()
        };
        program.rules.push(welcome);
    })
    .await;
    let before = b.dump().await;
    assert!(matches!(confirm(&b, "k1").await, Err(ChangeRefusal::WouldNotConvert(Refusal::NotYet))));
    assert_eq!(b.dump().await, before, "the count is not used up");
    change(&b, |program| program.rules.truncate(0)).await;
    assert!(matches!(confirm(&b, "k2").await, Err(ChangeRefusal::NoReward)));
}

#[tokio::test]
async fn a_confirmed_payment_earns_what_its_answer_says() {
    let b = referred(PROFIT).await;
    // The cheapest plan: 19 less its cost of 10.
    let Answer::Applied(change) = confirm(&b, "k").await.unwrap() else { panic!() };
    assert_eq!((change.amount, b.buckets(1).await), (usd(450), (450, 0, 0)));
    b.project_all().await;
    let member = b.calm().members().find(&b.id(2)).await.unwrap().unwrap();
    let referral = b.calm().referrals().of(&member).await.unwrap().unwrap();
    assert!(matches!(referral.state, ReferralState::Converted { .. }));
}

#[tokio::test]
async fn a_refund_by_hand_takes_back_once_and_no_more_than_was_paid() {
    let b = referred(OTT).await;
    let key = PaymentKey { rail: Rail::Bank, id: ExternalPaymentId::parse("UTR1").unwrap() };
    let typo = PaymentFacts::purchase(key.clone(), b.id(2), inr(270_000), b.app.now());
    record(&b, &typo).await;
    let wrong = inr(256_500);
    for _ in 0..2 {
        refund_by_hand(&b.app, &call("k1"), &key, wrong, "2700 was a typing error").await.unwrap();
    }
    let refused = refund_by_hand(&b.app, &call("k2"), &key, wrong, "again").await;
    assert!(
        matches!(refused, Err(guerdon_app::payments::RefundRefusal::TooMuch(left)) if left == inr(13_500))
    );
    let payment = b.calm().payments().find(&key).await.unwrap().unwrap();
    assert_eq!(payment.reversals.undone(payment.paid), wrong);
    let held = b.calm().commissions().all(&b.id(1)).await.unwrap();
    // 797 of 2658 profit, less 95% of it.
    assert_eq!((held[0].amount, held[0].entitlement()), (inr(79_700), inr(3985)));
}
