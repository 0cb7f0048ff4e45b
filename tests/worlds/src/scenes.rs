//! Scenes: events that meet in one moment and would do so too rarely by chance.

use guerdon_domain::{
    ids::{ExternalPaymentId, PaymentKey, Rail},
    money::{Currency, Money},
    payments::{DisputeStage, Purpose, RefundStage, Reversal, ReversalKind},
    time::Timestamp,
};

use crate::{
    clock::{BEGINNING, HOUR},
    goods::Goods,
    kinds::Kind,
    paid::Paid,
};

/// Adds scenes to some worlds, each with a referee of its own.
pub fn add(
    kind: Kind,
    members: &mut Vec<Option<usize>>,
    payments: &mut Vec<Paid>,
    bursts: &[u64],
    rng: &mut fastrand::Rng,
) {
    if !kind.rewards_a_first() || rng.u8(0..3) == 0 {
        return;
    }
    for _ in 0..rng.usize(1..4) {
        let referrer = rng.usize(0..members.len());
        members.push(Some(referrer));
        let first = Stage { member: members.len() - 1, at: bursts[rng.usize(0..bursts.len())] };
        match rng.u8(0..4) {
            0 => first.taken_intent(payments, rng),
            1 | 2 if kind == Kind::Beside => first.undone_between(payments, rng),
            _ => first.restored(payments, rng),
        }
    }
}

/// A referee who pays for the first time at `at`.
struct Stage {
    member: usize,
    at: u64,
}

impl Stage {
    /// The first payment is undone as a whole. It is restored in the moment in which the next one arrives.
    fn restored(&self, payments: &mut Vec<Paid>, rng: &mut fastrand::Rng) {
        let moment = self.at + rng.u64(2..30) * HOUR;
        let first = self.pay(payments, 8900, (self.at, self.at));
        let kinds = there_and_back(first.paid, rng);
        let times = [moment - HOUR, moment + rng.u64(0..100)];
        first.words =
            kinds.into_iter().zip(times).map(|(kind, at)| Reversal { at: instant(at), kind }).collect();
        first.scene = Some((self.at, times.to_vec()));
        for _ in 0..rng.usize(1..3) {
            self.pay(payments, 8900, (moment, moment));
        }
    }

    /// A small first payment is undone in the moment in which two larger ones arrive: one of them sees it, the other one
    /// does not.
    fn undone_between(&self, payments: &mut Vec<Paid>, rng: &mut fastrand::Rng) {
        let moment = self.at + rng.u64(2..30) * HOUR;
        let small = self.pay(payments, 3900, (self.at, self.at));
        let kind = there_and_back(small.paid, rng).swap_remove(0);
        small.words = vec![Reversal { at: instant(moment), kind }];
        small.scene = Some((self.at, vec![moment + rng.u64(0..60)]));
        self.pay(payments, 8900, (moment, moment));
        self.pay(payments, 8900, (moment, moment + rng.u64(30..90)));
    }

    /// A payment intent is booked by itself, and turns out to have paid an invoice. What is refunded of it is told
    /// meanwhile.
    fn taken_intent(&self, payments: &mut Vec<Paid>, rng: &mut fastrand::Rng) {
        let moment = self.at + [0, rng.u64(0..30 * HOUR)][rng.usize(0..2)];
        let intent = payments.len();
        let times = [self.at + rng.u64(0..200), moment + rng.u64(0..200)];
        let paid = self.pay(payments, 8900, (self.at, times[0]));
        #[expect(clippy::unwrap_used, reason = "a well-formed id")]
        let id = ExternalPaymentId::parse(format!("pi_{intent}")).unwrap();
        paid.key.id = id;
        paid.invoice = Some(intent + 1);
        if rng.bool() {
            let amount = Money::new(rng.i64(1..9000).min(8900), Currency::USD);
            let kind = ReversalKind::Refund { id: "re_0".to_owned(), amount, stage: RefundStage::Succeeded };
            let told = times[rng.usize(0..2)] + rng.u64(0..200);
            paid.words = vec![Reversal { at: instant(self.at + HOUR / 2), kind }];
            paid.scene = Some((times[0], vec![told]));
        }
        self.pay(payments, 8900, (self.at, times[1]));
    }

    /// Adds a payment of the referee that settles and is told at these times.
    fn pay<'a>(&self, payments: &'a mut Vec<Paid>, minor: i64, (at, told): (u64, u64)) -> &'a mut Paid {
        #[expect(clippy::unwrap_used, reason = "a well-formed id")]
        let id = ExternalPaymentId::parse(format!("in_{}", payments.len())).unwrap();
        let at = instant(at);
        payments.push(Paid {
            key: PaymentKey { rail: Rail::Stripe, id },
            member: self.member,
            paid: Money::new(minor, Currency::USD),
            tax: Money::zero(Currency::USD),
            purpose: Purpose::Purchase,
            goods: Goods::default(),
            at,
            settled: at,
            words: Vec::new(),
            invoice: None,
            scene: Some((told, Vec::new())),
        });
        let last = payments.len() - 1;
        &mut payments[last]
    }
}

fn instant(millis: u64) -> Timestamp {
    Timestamp::from_millis(BEGINNING.millis() + millis as i64)
}

/// Two reports, of which the first undoes all of a payment and the second one restores it.
fn there_and_back(amount: Money, rng: &mut fastrand::Rng) -> Vec<ReversalKind> {
    let refund = |stage| ReversalKind::Refund { id: "re_0".to_owned(), amount, stage };
    let dispute = |stage| ReversalKind::Dispute { id: "dp_0".to_owned(), amount, stage };
    let note = |voided| {
        let (id, refunds) = ("cn_0".to_owned(), Vec::new());
        ReversalKind::CreditNote { id, amount, refunds, voided }
    };
    match rng.u8(0..4) {
        0 => vec![refund(RefundStage::Succeeded), refund(RefundStage::Failed)],
        1 => vec![dispute(DisputeStage::Withdrawn), dispute(DisputeStage::Won)],
        2 => vec![note(false), note(true)],
        _ => vec![true, false].into_iter().map(|undone| ReversalKind::Invoice { undone }).collect(),
    }
}
