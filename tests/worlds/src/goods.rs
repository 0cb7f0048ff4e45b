//! Goods of the worlds that share their profit: what a payment bought, in which currency, and what that costs to make.

use guerdon_app::payments::Supplied;
use guerdon_domain::{
    exchange::ExchangeRate,
    money::{Currency, Money, Rounding},
    payments::PaymentLine,
    programs::{Amount, Beneficiary, Program, Trigger},
    settings::Preset,
};

use crate::{clock::BEGINNING, kinds::rule, plan::Paid};

/// The rule for everything.
pub const HALF: &str = "half";

/// The rule for one product, whose numbers do not fit until it is corrected.
pub const FANG: &str = "fang";

/// What a fang costs.
pub const FANG_COST: i64 = 2000;

/// What a scout costs, before and after an operator changed it.
pub const SCOUT_COSTS: [i64; 2] = [1000, 1200];

/// What a commander costs, once an operator has said it.
pub const COMMANDER_COST: i64 = 4000;

/// What a payment bought.
#[derive(Debug, Clone, Default)]
pub struct Goods {
    /// Its lines.
    pub lines: Vec<PaymentLine>,
    /// What they cost.
    pub cost: Cost,
}

/// What the goods cost to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// Known from the start: so many halves of a scout, and the rest.
    Known(i64, i64),
    /// So many commanders: not known before an operator sets the cost.
    Set(i64),
    /// Not known before an operator names it.
    Named(i64),
    /// So many fangs, which an operator has to say.
    Fangs(i64),
}

impl Default for Cost {
    fn default() -> Self {
        Self::Known(0, 0)
    }
}

impl Cost {
    /// The costs in minor units that are right, in whatever order operators act: the second one where the cost of a scout
    /// had changed.
    pub const fn right(self) -> [i64; 2] {
        match self {
            Self::Known(halves, rest) => {
                [halves * SCOUT_COSTS[0] / 2 + rest, halves * SCOUT_COSTS[1] / 2 + rest]
            }
            Self::Set(units) => [units * COMMANDER_COST; 2],
            Self::Named(minor) => [minor; 2],
            Self::Fangs(units) => [units * FANG_COST; 2],
        }
    }

    /// What an operator says about the payment.
    pub fn supplied(self) -> Supplied {
        match self {
            Self::Known(..) | Self::Set(_) => Supplied::Nothing,
            Self::Named(minor) => Supplied::Cost(Money::new(minor, Currency::USD)),
            Self::Fangs(_) => Supplied::Product(FANG.into()),
        }
    }
}

impl Goods {
    /// True when an operator has something to say about them.
    pub fn wait(&self) -> bool {
        !matches!(self.cost, Cost::Known(..)) || self.are_huge()
    }

    /// True when their amounts together are no number.
    pub fn are_huge(&self) -> bool {
        self.lines.iter().any(|line| line.amount.minor() == i64::MAX)
    }
}

/// Gives a preset its costs and the rules that share the profit.
pub fn stock(preset: &mut Preset) {
    for plan in &mut preset.plans {
        plan.cost = match plan.id.as_str() {
            "scout" => Some(Money::new(SCOUT_COSTS[0], Currency::USD)),
            FANG => Some(Money::new(FANG_COST, Currency::USD)),
            _ => None,
        };
    }
    let share = |percent: u32| Amount::PercentOfProfit {
        percent: percent.into(),
        rounding: Rounding::HalfUp,
        quantum_minor: 1,
    };
    let mut half = rule(HALF, Trigger::EveryPayment, Beneficiary::Referrer, share(50));
    let mut fang = rule(FANG, Trigger::EveryPayment, Beneficiary::Referrer, share(20));
    fang.products = vec![FANG.into()];
    half.minimum_payment = Money::zero(Currency::USD);
    fang.minimum_payment = Money::zero(Currency::USD);
    preset.program.rules = vec![half, fang];
    preset.program.rates = vec![rate("1.1")];
}

/// Corrects the rule whose numbers did not fit. The rate changes, too.
pub fn correct(program: &mut Program) {
    if program.rules.iter().any(|rule| rule.id.as_str() == FANG) {
        program.rates = vec![rate("1.25")];
        program.rules.iter_mut().for_each(|rule| rule.products.clear());
    }
}

fn rate(text: &str) -> ExchangeRate {
    #[expect(clippy::expect_used, reason = "a number")]
    let rate = text.parse().expect("a rate");
    ExchangeRate { from: Currency::EUR, to: Currency::USD, rate, as_of: BEGINNING }
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
