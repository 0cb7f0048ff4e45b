//! Kinds of worlds, each with the settings and the rules of its business.

use guerdon_domain::{
    money::{Currency, Money},
    payments::Purpose,
    programs::{Amount, Beneficiary, Cap, CapPeriod, Program, Rule, Trigger},
    settings::Preset,
    wallets::WalletKind,
    withdrawals::{PayoutMethod, WithdrawalRules},
};

use crate::{
    goods,
    rules::{flat, rule, share},
};

/// The ways of paying out in all worlds.
pub const METHOD: PayoutMethod = PayoutMethod::Upi;

/// The rules of a world's program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// $10 for the first payment.
    Bitten,
    /// Shares of every payment on two levels, held for a day.
    Ott,
    /// A share of every payment, within a member's cap and a budget.
    Capped,
    /// Rules that count payments and months.
    Counting,
    /// Both sides of a referral are rewarded, the referrer's upline too.
    TwoSided,
    /// A larger first payment is rewarded beside a share of every payment, which may have converted before.
    Beside,
    /// Shares of the profit of several plans, of which not every cost is known, in several currencies.
    Profit,
    /// A share of every deposit.
    Autosales,
    /// No rewards until an operator sets a rule.
    Streamline,
    /// Days of premium for the first payment, which wait to be claimed.
    Trollz,
    /// Credit that lowers the bills of members with several Stripe customers.
    Credit,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Bitten,
        Self::Ott,
        Self::Capped,
        Self::Counting,
        Self::TwoSided,
        Self::Beside,
        Self::Profit,
        Self::Autosales,
        Self::Streamline,
        Self::Trollz,
        Self::Credit,
    ];

    /// The preset that it is made of.
    const fn preset(self) -> &'static str {
        match self {
            Self::Ott => "ott",
            Self::Autosales => "autosales",
            Self::Streamline => "streamline",
            Self::Trollz => "trollz",
            _ => "bitten",
        }
    }

    /// True when the rules are those that ship.
    const fn is_shipped(self) -> bool {
        matches!(self, Self::Ott | Self::Autosales | Self::Streamline | Self::Trollz)
    }

    /// The currency and the prices of what is sold.
    pub const fn prices(self) -> (Currency, &'static [i64]) {
        match self {
            Self::Ott => (Currency::INR, &[13_500]),
            Self::Autosales => (Currency::PLN, &[10_000, 2500, 133]),
            Self::Streamline => (Currency::USD, &[1999, 4999, 9999]),
            _ => (Currency::USD, &[3900, 8900, 3900, 1900, 4001]),
        }
    }

    /// Draws what a payment is for.
    pub fn purpose(self, rng: &mut fastrand::Rng) -> Purpose {
        if self == Self::Autosales && rng.u8(0..4) > 0 { Purpose::Deposit } else { Purpose::Purchase }
    }

    /// True when a rule rewards a first payment.
    pub const fn rewards_a_first(self) -> bool {
        matches!(self, Self::Bitten | Self::TwoSided | Self::Beside | Self::Trollz | Self::Credit)
    }
}

/// Draws the settings of a business of this kind.
///
/// # Panics
/// Panics if a built-in preset is broken.
pub fn preset(kind: Kind, rng: &mut fastrand::Rng) -> Preset {
    use Beneficiary::{Referee, Referrer, Upline};
    #[expect(clippy::expect_used, reason = "it is built in")]
    let mut preset = Preset::builtin(kind.preset()).expect("a preset");
    if kind == Kind::Profit {
        goods::stock(&mut preset);
    }
    let program = &mut preset.program;
    match kind {
        Kind::Bitten => program.rules[0].target = WalletKind::Earnings,
        Kind::Ott | Kind::Profit | Kind::Autosales | Kind::Streamline | Kind::Trollz => {}
        Kind::Capped => {
            let mut every = rule("every", Trigger::EveryPayment, Referrer, share(10));
            let per = [CapPeriod::Day, CapPeriod::Month, CapPeriod::Ever][rng.usize(0..3)];
            every.cap_member = Some(Cap { amount: Money::new(rng.i64(300..1500), Currency::USD), per });
            program.rules = vec![every];
            program.budget = (rng.bool()).then(|| Cap {
                amount: Money::new(rng.i64(700..4000), Currency::USD),
                per: CapPeriod::Month,
            });
        }
        Kind::Credit => {
            let mut every = rule("every", Trigger::EveryPayment, Referrer, share(10));
            every.target = WalletKind::BillCredit;
            program.rules.push(every);
        }
        Kind::Counting => {
            program.rules = vec![
                rule("second", Trigger::NthPayment(2), Referrer, flat(700)),
                rule("third", Trigger::NthPayment(3), Referrer, flat(300)),
                rule("every", Trigger::EveryPayment, Referrer, share(5)),
            ];
        }
        Kind::TwoSided => {
            program.second_level = true;
            program.rules = vec![
                rule("first", Trigger::FirstPayment, Referrer, flat(1000)),
                rule("welcome", Trigger::FirstPayment, Referee, flat(500)),
                rule("level-2", Trigger::EveryPayment, Upline, share(4)),
            ];
        }
        Kind::Beside => {
            let first = rule("first", Trigger::FirstPayment, Referrer, flat(1000));
            let minimum_payment = Money::new(5000, Currency::USD);
            program.rules = vec![
                Rule { minimum_payment, ..first },
                rule("every", Trigger::EveryPayment, Referrer, share(5)),
            ];
        }
    }
    let hold = [0, 3600, 86_400][rng.usize(0..3)];
    if !kind.is_shipped() {
        program.rules.iter_mut().for_each(|rule| rule.hold_seconds = hold);
    }
    preset.withdrawals = Some(WithdrawalRules {
        wallet: WalletKind::Earnings,
        minimum: Money::new(50, preset.currency),
        cool_down_seconds: [0, 0, 3600][rng.usize(0..3)],
        four_eyes: rng.u8(0..3) == 0,
        methods: vec![METHOD],
    });
    preset
}

/// The program that an operator sets in the middle of a world's run.
pub fn changed(program: &Program) -> Program {
    let mut program = Program { version: program.version + 1, ..program.clone() };
    goods::correct(&mut program);
    if program.rules.is_empty() {
        program.rules.push(rule("every", Trigger::EveryPayment, Beneficiary::Referrer, share(10)));
    }
    for rule in &mut program.rules {
        rule.amount = match rule.amount {
            Amount::Flat { amount } => {
                Amount::Flat { amount: Money::new(amount.minor() + 100, amount.currency()) }
            }
            Amount::PercentOfProfit { rounding, quantum_minor, .. } => {
                Amount::PercentOfProfit { percent: 20.into(), rounding, quantum_minor }
            }
            other => other,
        };
    }
    program
}
