//! Plan of a world: drawn from a seed before anything runs.

use guerdon_domain::{
    ids::{ExternalPaymentId, PaymentKey, Rail},
    money::{Currency, Money},
    payments::{DisputeStage, RefundStage, Reversal, ReversalKind},
    settings::Preset,
    time::Timestamp,
};

use crate::{
    bills::{Bills, Step},
    clock::{BEGINNING, HOUR},
    goods::{COMMANDER_COST, Goods, SCOUT_COSTS},
    kinds::{Kind, preset},
    paid::{Paid, buy},
    scenes,
};

/// An action in the world.
#[derive(Debug, Clone)]
pub enum What {
    /// A payment's event arrives.
    Pay(usize),
    /// One reversal of a payment arrives.
    Reverse(usize, usize),
    /// A member looks at their balance.
    Look(usize),
    /// The sweep runs.
    Sweep,
    /// A member asks for a share of what is available, in percent, and operators act on it.
    Ask {
        /// The member.
        member: usize,
        /// The share.
        percent: i64,
        /// The caller's key.
        key: String,
    },
    /// An operator exports a bank batch and the bank executes it.
    Export {
        /// The batch.
        batch: String,
        /// The operator.
        operator: &'static str,
    },
    /// An operator bars a member.
    Bar(usize, bool),
    /// An operator changes the program.
    SetProgram,
    /// An operator sets what a plan costs, in whole dollars.
    SetCost(&'static str, i64),
    /// An operator lets a payment be decided again.
    Decide {
        /// The payment.
        payment: usize,
        /// The caller's key.
        key: String,
    },
    /// A member claims what waits to be claimed.
    Claim(usize),
    /// Something happens to a Stripe customer or a bill.
    Bill(Step),
}

/// An action with its time.
#[derive(Debug, Clone)]
pub struct Job {
    /// Milliseconds after the start.
    pub at: u64,
    /// The action.
    pub what: What,
}

/// A world before it runs.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its rules.
    pub kind: Kind,
    /// Its settings.
    pub preset: Preset,
    /// Each member's referrer, by number.
    pub members: Vec<Option<usize>>,
    /// Payments.
    pub payments: Vec<Paid>,
    /// Stripe customers and their bills.
    pub bills: Bills,
    /// Deliveries and people's actions.
    pub jobs: Vec<Job>,
    /// True when a member is barred at some time.
    pub bars: bool,
    /// True when the program changes at some time.
    pub changes: bool,
    /// Rate of each fault, in thousandths.
    pub faults: u32,
    /// Attempts of the SDK for each request.
    pub attempts: u32,
}

/// Operators.
pub const OPERATORS: [&str; 2] = ["ann", "bob"];

impl Plan {
    /// Draws the world of `seed`, with the deliveries of `schedule`.
    ///
    /// # Panics
    /// Panics if a built-in preset is broken.
    pub fn new(seed: u64, schedule: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let kind = Kind::ALL[rng.usize(0..Kind::ALL.len())];
        let preset = preset(kind, &mut rng);
        let mut members = family(&mut rng);
        let bursts = bursts(&mut rng);
        let mut payments = payments(kind, &members, &bursts, &mut rng);
        scenes::add(kind, &mut members, &mut payments, &bursts, &mut rng);
        let (bars, changes) = (rng.u8(0..5) == 0, rng.u8(0..4) == 0 || kind == Kind::Profit);
        let mut other = fastrand::Rng::with_seed(schedule ^ 0x5eed);
        let mut plan = Self {
            kind,
            preset,
            members,
            payments,
            bills: Bills::default(),
            jobs: Vec::new(),
            bars,
            changes,
            faults: [0, 4, 10, 20][other.usize(0..4)],
            attempts: other.u32(1..3),
        };
        plan.deliver(&mut other);
        plan.act(&bursts, &mut rng, &mut other);
        if kind == Kind::Credit {
            plan.bill(&bursts, &mut rng);
        }
        plan
    }

    fn push(&mut self, at: u64, what: What) {
        self.jobs.push(Job { at, what });
    }

    fn bill(&mut self, bursts: &[u64], rng: &mut fastrand::Rng) {
        let told = |paid: &Paid| paid.scene.as_ref().map_or(since_beginning(paid.at), |scene| scene.0);
        let payers: Vec<_> =
            self.payments.iter().map(|paid| (self.members[paid.member], told(paid))).collect();
        let (bills, steps) = Bills::draw(self.members.len(), (bursts, &payers), rng);
        self.bills = bills;
        steps.into_iter().for_each(|(at, step)| self.push(at, What::Bill(step)));
    }

    /// Delivers every event at least once: some again at once, some hours later, some long before what they are about.
    fn deliver(&mut self, rng: &mut fastrand::Rng) {
        // A moment with many reversals and withdrawals at the same time.
        let last = self.payments.iter().map(|paid| since_beginning(paid.at)).max().unwrap_or_default();
        let storm = last + 26 * HOUR + 1000;
        for member in 0..self.members.len() {
            self.push(storm + rng.u64(0..60), What::Look(member));
            if rng.bool() {
                let key = format!("storm-{member}");
                let at = storm - 300 + rng.u64(0..340);
                self.push(at, What::Ask { member, percent: 100, key });
            }
        }
        for (n, paid) in self.payments.clone().iter().enumerate() {
            if let Some((told, words)) = &paid.scene {
                self.play_scene(n, *told, words, rng);
                continue;
            }
            let at = since_beginning(paid.at);
            let first = at + late(rng);
            self.push(first, What::Pay(n));
            if paid.goods.wait() {
                let storms = [first, first + HOUR, storm];
                self.decide_again(n, storms[rng.usize(0..3)] + rng.u64(0..200), rng);
            }
            // Members of one program meet at its budget.
            if self.kind == Kind::Capped || rng.u8(0..6) == 0 {
                self.race_a_release(paid.member, at + 100, rng);
            }
            for _ in 0..rng.u32(0..4).saturating_sub(1) {
                let again =
                    first + [rng.u64(0..40), rng.u64(0..900_000), rng.u64(0..9 * HOUR)][rng.usize(0..3)];
                self.push(again, What::Pay(n));
            }
            for (m, word) in paid.words.iter().enumerate() {
                let early = at.saturating_sub(rng.u64(0..HOUR / 2)) + 1;
                let usual = since_beginning(word.at) + late(rng);
                let told = match rng.u8(0..10) {
                    0 => early,
                    1 => first + rng.u64(0..30),
                    2..=4 => self.race_a_release(paid.member, first, rng),
                    5 | 6 => storm + rng.u64(0..60),
                    _ => usual,
                };
                self.push(told, What::Reverse(n, m));
                if paid.goods.wait() && rng.bool() {
                    // A decision reads more than a reversal does.
                    self.decide_again(n, told.saturating_sub(rng.u64(0..200)), rng);
                }
                if rng.u8(0..3) == 0 {
                    self.push(
                        told + [rng.u64(0..30), rng.u64(0..5 * HOUR)][rng.usize(0..2)],
                        What::Reverse(n, m),
                    );
                }
            }
        }
    }

    /// Operators let a payment be decided again: several at once, and one of them twice.
    fn decide_again(&mut self, payment: usize, at: u64, rng: &mut fastrand::Rng) {
        for n in 0..rng.u64(1..4) {
            let key = format!("decide-{payment}-{at}-{}", n / 2);
            self.push(at + rng.u64(0..60), What::Decide { payment, key });
        }
    }

    /// Delivers the events of a payment when its scene wants them, and some of them again.
    fn play_scene(&mut self, n: usize, told: u64, words: &[u64], rng: &mut fastrand::Rng) {
        let all = std::iter::once((told, What::Pay(n)));
        for (at, what) in all.chain(words.iter().enumerate().map(|(m, at)| (*at, What::Reverse(n, m)))) {
            self.push(at + rng.u64(0..60), what.clone());
            if rng.u8(0..4) == 0 {
                self.push(at + rng.u64(0..HOUR), what);
            }
        }
    }

    /// Makes the beneficiaries of a payment look at their balances when its commissions are due. Returns that time, so
    /// that a reversal can arrive during the release.
    fn race_a_release(&mut self, payer: usize, first: u64, rng: &mut fastrand::Rng) -> u64 {
        let hold = self.preset.program.rules.first().map_or(0, |rule| rule.hold_seconds);
        let at = first + 200 + u64::try_from(hold).unwrap_or_default() * 1000;
        let referrer = self.members[payer];
        let upline = referrer.and_then(|referrer| self.members[referrer]);
        for member in [referrer, upline].into_iter().flatten() {
            self.push(at + rng.u64(0..60), What::Look(member));
        }
        at + rng.u64(0..60)
    }

    fn act(&mut self, bursts: &[u64], world: &mut fastrand::Rng, rng: &mut fastrand::Rng) {
        for &burst in bursts {
            let hold = [0, 25 * HOUR][rng.usize(0..2)];
            for _ in 0..rng.u32(1..4) {
                let member = rng.usize(0..self.members.len());
                self.push(burst + hold + rng.u64(0..60), What::Look(member));
            }
            self.push(burst + hold + [rng.u64(0..60), rng.u64(0..HOUR)][rng.usize(0..2)], What::Sweep);
            for _ in 0..world.u32(0..3) {
                let (member, percent) = (world.usize(0..self.members.len()), world.i64(20..101));
                let at = burst + hold + [rng.u64(0..80), rng.u64(0..HOUR)][rng.usize(0..2)];
                let key = format!("ask-{at}");
                for _ in 0..rng.u32(1..3) {
                    let again = at + rng.u64(0..200);
                    self.push(again, What::Ask { member, percent, key: key.clone() });
                }
            }
            if rng.u8(0..2) == 0 {
                let at = burst + hold + rng.u64(0..2 * HOUR);
                for n in 0..rng.u64(1..4) {
                    let batch = format!("batch-{burst}-{}", n * rng.u64(0..2));
                    let operator = OPERATORS[rng.usize(0..2)];
                    self.push(at + rng.u64(0..80), What::Export { batch, operator });
                }
            }
        }
        if self.kind == Kind::Profit {
            // Two operators at once, at any time.
            let at = bursts[world.usize(0..bursts.len())] + world.u64(0..30 * HOUR);
            self.push(at + rng.u64(0..60), What::SetCost("commander", COMMANDER_COST / 100));
            self.push(at + rng.u64(0..60), What::SetCost("scout", SCOUT_COSTS[1] / 100));
        }
        if self.kind == Kind::Trollz {
            for &burst in bursts {
                let (member, at) = (rng.usize(0..self.members.len()), burst + rng.u64(0..2 * HOUR));
                for _ in 0..rng.u32(1..4) {
                    self.push(at + rng.u64(0..80), What::Claim(member));
                }
            }
        }
        if self.bars {
            let member = world.usize(0..self.members.len());
            let at = bursts[world.usize(0..bursts.len())];
            self.push(at + rng.u64(0..100), What::Bar(member, true));
            self.push(at + world.u64(1..60) * HOUR, What::Bar(member, false));
        }
        if self.changes {
            let at = bursts[world.usize(0..bursts.len())];
            self.push(at + rng.u64(0..100), What::SetProgram);
        }
    }
}

/// Delay of an event: mostly none.
fn late(rng: &mut fastrand::Rng) -> u64 {
    match rng.u8(0..10) {
        0 => rng.u64(0..12 * HOUR),
        1 | 2 => rng.u64(0..HOUR / 2),
        _ => rng.u64(0..60),
    }
}

fn since_beginning(at: Timestamp) -> u64 {
    u64::try_from(at.millis() - BEGINNING.millis()).unwrap_or_default()
}

fn family(rng: &mut fastrand::Rng) -> Vec<Option<usize>> {
    let chain = rng.bool();
    let referrer = |n: usize, rng: &mut fastrand::Rng| match n {
        0 => None,
        _ if rng.u8(0..8) == 0 => None,
        n if chain => Some(n - 1),
        n => Some(rng.usize(0..n.min(3))),
    };
    (0..rng.usize(3..8)).map(|n| referrer(n, rng)).collect()
}

fn bursts(rng: &mut fastrand::Rng) -> Vec<u64> {
    // All members have joined by then, also when joining fails several times.
    let mut at = 3 * HOUR;
    let mut bursts = Vec::new();
    for _ in 0..rng.usize(2..5) {
        bursts.push(at);
        at += rng.u64(2..40) * HOUR + rng.u64(0..HOUR);
    }
    bursts
}

fn payments(kind: Kind, members: &[Option<usize>], bursts: &[u64], rng: &mut fastrand::Rng) -> Vec<Paid> {
    let many = if rng.u8(0..6) == 0 { 40 } else { 16 };
    let referees: Vec<usize> = (0..members.len()).filter(|n| members[*n].is_some()).collect();
    let (currency, prices) = kind.prices();
    let mut all = Vec::new();
    let mut last: Option<(usize, u64)> = None;
    let mut newcomer = false;
    for n in 0..rng.usize(4..=many) {
        // Payments of one member at one time race each other.
        let (member, at) = match last {
            // The first ones are the most important: only one of them converts the referral.
            Some((member, at)) if rng.u8(0..9) < if newcomer { 6 } else { 3 } => {
                (member, at + rng.u64(0..20))
            }
            _ => {
                let anybody = rng.usize(0..members.len());
                let member = match referees.as_slice() {
                    [] => anybody,
                    _ if rng.u8(0..8) == 0 => anybody,
                    some => some[rng.usize(0..some.len())],
                };
                (member, bursts[rng.usize(0..bursts.len())] + rng.u64(0..100))
            }
        };
        newcomer = !all.iter().any(|paid: &Paid| paid.member == member);
        last = Some((member, at));
        let paid = Money::new(prices[rng.usize(0..prices.len())], currency);
        let tax = Money::new(if rng.u8(0..4) == 0 { paid.minor() / 7 } else { 0 }, currency);
        let at = Timestamp::from_millis(BEGINNING.millis() + at as i64);
        #[expect(clippy::unwrap_used, reason = "a well-formed id")]
        let id = ExternalPaymentId::parse(format!("in_{n}")).unwrap();
        let key = PaymentKey { rail: Rail::Stripe, id };
        let (purpose, goods) = (kind.purpose(rng), Goods::default());
        let usual = Paid {
            key,
            member,
            paid,
            tax,
            purpose,
            goods,
            at,
            settled: at,
            words: Vec::new(),
            invoice: None,
            scene: None,
        };
        let usual = if kind == Kind::Profit { buy(usual, rng) } else { usual };
        let words = if rng.u8(0..2) == 0 { words(usual.paid, at, rng) } else { Vec::new() };
        all.push(odd(Paid { words, ..usual }, rng));
    }
    all
}

/// Makes some payments such as few think of: an invoice that credits the customer, or one that settled before its payer
/// joined and is told late.
fn odd(usual: Paid, rng: &mut fastrand::Rng) -> Paid {
    let currency = usual.paid.currency();
    match rng.u8(0..16) {
        0 => {
            Paid { paid: Money::zero(currency), tax: Money::new(-400, currency), words: Vec::new(), ..usual }
        }
        1 => Paid { settled: BEGINNING.plus_days(-1), words: Vec::new(), ..usual },
        _ => usual,
    }
}

/// Draws the reversals that a provider might report for one payment, each in the order of its clock.
fn words(paid: Money, at: Timestamp, rng: &mut fastrand::Rng) -> Vec<Reversal> {
    let mut words = Vec::new();
    for n in 0..rng.u32(1..4) {
        let part = Money::new(
            match rng.u8(0..3) {
                0 => paid.minor(),
                _ => rng.i64(1..=paid.minor()),
            },
            paid.currency(),
        );
        let mut seconds = rng.i64(1..100_000);
        let mut say = |kind, rng: &mut fastrand::Rng| {
            words.push(Reversal { at: at.plus_seconds(seconds), kind });
            seconds += rng.i64(0..40_000);
        };
        match rng.u8(0..8) {
            0..=2 => {
                let stages = [
                    vec![RefundStage::Succeeded],
                    vec![RefundStage::Pending, RefundStage::Succeeded],
                    vec![RefundStage::Pending, RefundStage::Failed],
                    vec![RefundStage::Succeeded, RefundStage::Failed],
                ];
                for stage in stages[rng.usize(0..4)].clone() {
                    say(ReversalKind::Refund { id: format!("re_{n}"), amount: part, stage }, rng);
                }
            }
            3 => say(ReversalKind::RefundedTotal { amount: part }, rng),
            4 | 5 => {
                use DisputeStage::{Inquiry, Lost, Opened, Withdrawn, Won};
                let stages = [
                    vec![Opened, Withdrawn, Won],
                    vec![Opened, Withdrawn, Lost],
                    vec![Opened, Won],
                    vec![Inquiry, Opened, Lost],
                    vec![Opened, Withdrawn],
                    // A part is reinstated after the dispute was lost.
                    vec![Opened, Withdrawn, Lost, Lost],
                ];
                // The bank of a card tells the amount in the cardholder's currency.
                let foreign = Money::new(part.minor(), Currency::EUR);
                let amount = if rng.u8(0..5) == 0 { foreign } else { part };
                for stage in stages[rng.usize(0..6)].clone() {
                    say(ReversalKind::Dispute { id: format!("dp_{n}"), amount, stage }, rng);
                }
            }
            6 => {
                let refunds = if rng.bool() { vec![format!("re_{}", rng.u32(0..3))] } else { Vec::new() };
                let id = format!("cn_{n}");
                for voided in [false, true].into_iter().take(rng.usize(1..3)) {
                    let (id, refunds) = (id.clone(), refunds.clone());
                    say(ReversalKind::CreditNote { id, amount: part, refunds, voided }, rng);
                }
            }
            _ => {
                for undone in [true, false].into_iter().take(rng.usize(1..3)) {
                    say(ReversalKind::Invoice { undone }, rng);
                }
            }
        }
    }
    words
}
