//! Goods of the worlds that share their profit: what a payment bought, in which currency, and what that costs to make.

use guerdon_app::payments::Supplied;
use guerdon_domain::{
    exchange::ExchangeRate,
    money::{Currency, Money, Rounding},
    payments::PaymentLine,
    programs::{Amount, Beneficiary, Program, Trigger},
    settings::Preset,
};

use crate::{clock::BEGINNING, rules::rule};

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
