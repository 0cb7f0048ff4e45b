//! Figures of the business: each event counts on the day of what it began with, in the currency of account.

use guerdon_app::{
    payments::{OrderRequest, create_order, pay_order, record_payment},
    statistics::{Figures, admin_stats, dashboard},
};
use guerdon_domain::{
    exchange::ExchangeRate,
    ids::ExternalPaymentId,
    money::{Currency, Money},
    payments::{PaymentFacts, PaymentMethod},
    statistics::{Counter, Counters},
};
use guerdon_store::statistics::Projection;

use crate::{
    reversing::refunded,
    support::*,
    withdrawing::{OTT, inr},
};

const TROLLZ: &str = include_str!("../../../domain/presets/trollz.toml");

impl Business {
    async fn today(&self) -> Figures {
        self.pump().await;
        dashboard(&self.app).await.unwrap().today
    }

    async fn on(&self, day: &str) -> Counters {
        self.calm().statistics().counters(&Projection::Day(day.to_owned())).await.unwrap()
    }
}

#[tokio::test]
async fn no_day_converts_more_than_joined() {
    let b = bitten().await;
    b.join(1).await;
    for referee in 2..=7 {
        b.refer(1, referee).await;
    }
    b.advance(DAY);
    b.refer(1, 8).await;
    for referee in 2..=7 {
        b.pay(referee, &format!("in_{referee}")).await;
    }
    let today = b.today().await;
    assert_eq!((today.referrals, today.converted, today.payments), (1, 0, 6), "not 6 of 1");
    let joined = b.on("2026-11-21").await;
    assert_eq!((joined.get(Counter::Referrals), joined.get(Counter::Converted)), (6, 6));
    // One whose payment is undone is pending again, on the day of its joining.
    b.reverse("in_2", 2 * DAY, refunded(3900)).await;
    b.pump().await;
    assert_eq!(b.on("2026-11-21").await.get(Counter::Converted), 5);
}

#[tokio::test]
async fn a_refund_counts_on_the_day_of_the_payment_as_its_clawback_does() {
    let b = bitten().await;
    b.join(1).await;
    b.refer(1, 2).await;
    b.pay(2, "in_2").await;
    let paid = b.today().await;
    assert_eq!((paid.revenue, paid.commission_amount), (usd(3900), usd(1000)));
    b.advance(3 * DAY);
    b.reverse("in_2", 3 * DAY, refunded(1950)).await;
    let today = b.today().await;
    assert_eq!((today.revenue, today.refunded, today.commission_amount), (usd(0), usd(0), usd(0)));
    let then = b.on("2026-11-21").await;
    let names = ["paid_USD", "refunded_USD", "issued_USD"];
    assert_eq!(names.map(|name| then.named(name)), [3900, 1950, 500]);
}

#[tokio::test]
async fn an_order_that_is_paid_later_is_no_success_of_another_day() {
    let b = Business::open(OTT).await;
    b.join(1).await;
    let order = |transfer: &str| OrderRequest {
        member: b.id(1),
        product: None,
        price: None,
        method: PaymentMethod::Upi,
        transaction: Some(ExternalPaymentId::parse(transfer).unwrap()),
        payer: None,
        payout: None,
        key: None,
        service: "shop".into(),
    };
    let first = create_order(&b.app, &order("utr1")).await.unwrap();
    b.advance(DAY);
    pay_order(&b.app, &first.id, None, &"shop".into()).await.unwrap();
    let today = b.today().await;
    assert_eq!((today.orders, today.orders_paid, today.revenue), (0, 0, inr(13_500)));
    let then = b.on("2026-11-21").await;
    assert_eq!((then.get(Counter::Orders), then.get(Counter::OrdersPaid)), (1, 1));
}

#[tokio::test]
async fn rewards_in_days_are_shown_in_days() {
    let b = Business::open(TROLLZ).await;
    b.recruit_paying(2).await;
    b.pump().await;
    let days = |n| Money::new(n, Currency::DAY);
    let stats = admin_stats(&b.app).await.unwrap();
    assert_eq!((stats.total_credits_issued, stats.pending_credits), (days(60), days(60)));
    assert_eq!((stats.top_referrers[0].total_earned, stats.daily[0].issued), (days(60), days(60)));
    let today = b.today().await;
    assert_eq!((today.revenue, today.commission_amount), (usd(7800), usd(0)));
    let sums: Vec<_> = today.by_currency.iter().map(|sums| (sums.revenue, sums.commission_amount)).collect();
    assert_eq!(sums, [(days(0), days(60)), (usd(7800), usd(0))]);
}

/// Takes euros at 1.08 dollars, and a share of 10% for the referrer.
async fn abroad() -> Business {
    let b = bitten().await;
    let at = NOW;
    b.set(|program| {
        let rate = "1.08".parse().unwrap();
        program.rates = vec![ExchangeRate { from: Currency::EUR, to: Currency::USD, rate, as_of: at }];
    })
    .await;
    b.join(1).await;
    b.refer(1, 2).await;
    b
}

impl Business {
    async fn pay_abroad(&self, id: &str, currency: Currency) {
        let paid = Money::new(5000, currency);
        let facts = PaymentFacts::purchase(stripe_key(id), self.id(2), paid, self.app.now());
        let facts = PaymentFacts { cost: Some(Money::new(1000, currency)), ..facts };
        record_payment(&self.app, &facts).await.unwrap();
    }
}

#[tokio::test]
async fn payments_in_foreign_currency_count_by_their_own_rate() {
    let b = abroad().await;
    b.pay_abroad("in_eur", Currency::EUR).await;
    let today = b.today().await;
    assert_eq!((today.revenue, today.cost, today.profit), (usd(5400), usd(1080), usd(4320)));
    assert_eq!((today.commission_amount, today.profit_after_commissions), (usd(1000), usd(3320)));
    let eur = |minor| Money::new(minor, Currency::EUR);
    assert_eq!((today.by_currency[0].revenue, today.by_currency[0].cost), (eur(5000), eur(1000)));
    // The rate changes, and the payment keeps its own, also for what is undone of it.
    b.set(|program| program.rates[0].rate = "2".parse().unwrap()).await;
    b.reverse("in_eur", 120, refund_in(eur(2500))).await;
    let after = b.today().await;
    assert_eq!((after.revenue, after.refunded), (usd(2700), usd(2700)));
    assert_eq!(after.by_currency[0].revenue, eur(2500));
    // Without a rate it is not converted, and is beside the others.
    b.pay_abroad("in_pln", Currency::PLN).await;
    let last = b.today().await;
    assert_eq!((last.revenue, last.payments), (usd(2700), 2));
    assert_eq!(last.by_currency.iter().map(|sums| sums.revenue.minor()).collect::<Vec<_>>(), [2500, 5000, 0]);
}

fn refund_in(amount: Money) -> guerdon_domain::payments::ReversalKind {
    let stage = guerdon_domain::payments::RefundStage::Succeeded;
    guerdon_domain::payments::ReversalKind::Refund { id: "re_1".to_owned(), amount, stage }
}
