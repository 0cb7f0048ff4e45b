//! Payments of a world's plan.

use guerdon_domain::{
    ids::PaymentKey,
    money::{Currency, Money},
    payments::{PaymentLine, Purpose, Reversal},
    time::Timestamp,
};

use crate::goods::{Cost, FANG, FANG_COST, Goods};

/// A payment and all its reversals.
#[derive(Debug, Clone)]
pub struct Paid {
    /// Natural key.
    pub key: PaymentKey,
    /// The payer, by number.
    pub member: usize,
    /// The amount that settled.
    pub paid: Money,
    /// Tax within it.
    pub tax: Money,
    /// What it is for.
    pub purpose: Purpose,
    /// What it bought, where that matters.
    pub goods: Goods,
    /// The time at which it is told.
    pub at: Timestamp,
    /// The time at which it settled: the same, or long before its payer joined.
    pub settled: Timestamp,
    /// Its reversals.
    pub words: Vec<Reversal>,
    /// The invoice that it paid, by number, if it is a payment intent. It is booked by itself until the invoice is known.
    pub invoice: Option<usize>,
    /// Where its events arrive in a scene: the time at which it is told, and those of its reversals, in milliseconds.
    pub scene: Option<(u64, Vec<u64>)>,
}

/// Draws what a payment bought.
pub fn buy(usual: Paid, rng: &mut fastrand::Rng) -> Paid {
    let currency = match rng.u8(0..12) {
        0..=2 => Currency::EUR,
        3 => Currency::PLN,
        _ => Currency::USD,
    };
    let line = |product: &str, minor: i64, quantity: u32| PaymentLine {
        quantity,
        ..PaymentLine::unit(product.into(), Money::new(minor, currency))
    };
    let units = rng.u32(1..4);
    let many = i64::from(units);
    let (minor, lines, cost) = match rng.u8(0..if currency == Currency::USD { 9 } else { 6 }) {
        0 => (1900 * many, vec![line("scout", 1900 * many, units)], Cost::Known(2 * many, 0)),
        // A former price.
        1 => (1500, vec![line("scout", 1500, 1)], Cost::Known(2, 0)),
        2 => (5800, vec![line("scout", 1900, 1), line(FANG, 3900, 1)], Cost::Known(2, FANG_COST)),
        3 => (8900 * many, vec![line("commander", 8900 * many, units)], Cost::Set(many)),
        4 => (700, vec![line("prod_unheard", 700, 1)], Cost::Named(rng.i64(0..=700))),
        5 => (4400 * many, vec![line("prod_former", 4400 * many, units)], Cost::Fangs(many)),
        6 => (1900, Vec::new(), Cost::Known(2, 0)),
        7 => {
            let part = |product, minor| PaymentLine { proration: true, ..line(product, minor, 1) };
            (1000, vec![part("scout", -950), part(FANG, 1950)], Cost::Known(-1, FANG_COST / 2))
        }
        _ => {
            let lines = vec![line("scout", i64::MAX, 1), line(FANG, i64::MAX, 1)];
            (5800, lines, Cost::Known(2, FANG_COST))
        }
    };
    let tax = if usual.tax.is_positive() { minor / 7 } else { 0 };
    let (paid, tax) = (Money::new(minor, currency), Money::new(tax, currency));
    Paid { paid, tax, goods: Goods { lines, cost }, ..usual }
}
