//! Customers at Stripe and their bills, as a world plans them.

use guerdon_domain::{
    bill_credit::{BillingReport, SubscriptionState},
    ids::CustomerId,
    time::Timestamp,
};

use crate::clock::{BEGINNING, HOUR};

/// A customer of a member.
#[derive(Debug, Clone)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// The member whose it is, as an operator says later.
    pub right: Option<usize>,
    /// True when it is deleted at some time.
    pub deleted: bool,
    /// What Stripe reports about its bills.
    pub reports: Vec<BillingReport>,
}

/// An invoice of a customer.
#[derive(Debug, Clone, Copy)]
pub struct Bill {
    /// The customer, by number.
    pub customer: usize,
    /// What is due before credit.
    pub due: i64,
}

/// Customers and bills of a world.
#[derive(Debug, Clone, Default)]
pub struct Bills {
    /// Customers.
    pub customers: Vec<Customer>,
    /// Invoices.
    pub bills: Vec<Bill>,
}

/// What happens to customers and bills.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// Metadata links a customer to a member.
    Link(usize, usize),
    /// A report about a customer arrives.
    Report(usize, usize),
    /// A customer is deleted at Stripe.
    Delete(usize),
    /// The deletion is told.
    Deleted(usize),
    /// An operator links a customer to the right member.
    Relink(usize),
    /// Stripe makes an invoice.
    Bill(usize),
    /// Stripe voids an invoice.
    Void(usize),
    /// An event of an invoice arrives.
    Tell(usize),
    /// A member's credit is posted by the message with this number.
    Post(usize, u64),
}

impl Bills {
    /// Draws customers and bills, and when their events arrive.
    pub fn draw(
        members: usize,
        (bursts, payers): (&[u64], &[(Option<usize>, u64)]),
        rng: &mut fastrand::Rng,
    ) -> (Self, Vec<(u64, Step)>) {
        let (mut bills, mut steps) = (Self::default(), Vec::new());
        for member in 0..members {
            let customers = [0, 0, 1, 1, 2, 3][rng.usize(0..6)];
            if customers == 0 || rng.bool() {
                bills.taken_while_posting((members, member), bursts, &mut steps, rng);
            }
            for n in 0..customers {
                bills.customer((members, member, n), bursts, &mut steps, rng);
            }
        }
        for (referrer, told) in payers {
            for member in referrer.iter() {
                post(&mut steps, *member, told + 150, rng);
            }
        }
        (bills, steps)
    }

    fn customer(
        &mut self,
        (members, member, n): (usize, usize, usize),
        bursts: &[u64],
        steps: &mut Vec<(u64, Step)>,
        rng: &mut fastrand::Rng,
    ) {
        let id = id(member, n);
        let number = self.customers.len();
        let burst = if n == 0 { bursts[0] } else { bursts[rng.usize(0..bursts.len())] };
        let linked = burst - HOUR / 4;
        twice(steps, linked, Step::Link(number, member), rng);
        if rng.u8(0..4) == 0 {
            // Metadata of another checkout names another member at the same time.
            steps.push((linked + rng.u64(0..60), Step::Link(number, (member + 1) % members)));
        }
        let moment = burst.max(bursts[rng.usize(0..bursts.len())]);
        let moment = moment + [200, 26 * HOUR][rng.usize(0..2)] + rng.u64(0..400);
        let mut reports = Vec::new();
        for (m, report) in subscribed(linked, rng).into_iter().enumerate() {
            reports.push(report);
            twice(steps, linked + rng.u64(0..20 * HOUR), Step::Report(number, m), rng);
        }
        for _ in 0..rng.usize(0..4) {
            let at = [moment, linked + rng.u64(0..60 * HOUR)][rng.usize(0..2)];
            self.bill(number, at, steps, rng);
        }
        let (deleted, relinked) = (rng.u8(0..4) == 0, rng.u8(0..4) == 0);
        if deleted {
            steps.push((moment + 300, Step::Delete(number)));
            twice(
                steps,
                moment + 300 + [0, rng.u64(0..30 * HOUR)][rng.usize(0..2)],
                Step::Deleted(number),
                rng,
            );
            post(steps, member, moment, rng);
        }
        if deleted || relinked {
            // An invoice is voided in the moment in which its customer is lost.
            let bill = self.bills.len();
            self.bills.push(Bill { customer: number, due: rng.i64(100..3000) });
            steps.push((moment - HOUR / 8, Step::Bill(bill)));
            steps.push((moment - HOUR / 8 + 400, Step::Tell(bill)));
            steps.push((moment + rng.u64(0..300), Step::Void(bill)));
            twice(steps, moment + 300 + rng.u64(0..100), Step::Tell(bill), rng);
            twice(steps, moment + rng.u64(0..300), Step::Tell(bill), rng);
        }
        let right = (relinked && !deleted).then(|| rng.usize(0..members)).filter(|right| *right != member);
        if right.is_some() {
            steps.push((moment + rng.u64(0..300), Step::Relink(number)));
            post(steps, member, moment, rng);
        }
        self.customers.push(Customer { id, right, deleted, reports });
    }

    /// A member with credit gets a customer, which an operator gives to another member in the moment in which the credit
    /// is posted to it.
    fn taken_while_posting(
        &mut self,
        (members, member): (usize, usize),
        bursts: &[u64],
        steps: &mut Vec<(u64, Step)>,
        rng: &mut fastrand::Rng,
    ) {
        let number = self.customers.len();
        let linked = bursts.last().copied().unwrap_or_default() + 40 * HOUR;
        let moment = linked + 3 * HOUR;
        steps.push((linked, Step::Link(number, member)));
        steps.push((moment + rng.u64(0..150), Step::Relink(number)));
        post(steps, member, moment + rng.u64(0..150), rng);
        let right = Some((member + 1) % members);
        self.customers.push(Customer { id: id(member, 9), right, deleted: false, reports: Vec::new() });
    }

    fn bill(&mut self, customer: usize, at: u64, steps: &mut Vec<(u64, Step)>, rng: &mut fastrand::Rng) {
        let number = self.bills.len();
        self.bills.push(Bill { customer, due: rng.i64(100..3000) });
        steps.push((at, Step::Bill(number)));
        twice(steps, at + [rng.u64(0..600), rng.u64(0..10 * HOUR)][rng.usize(0..2)], Step::Tell(number), rng);
        if rng.u8(0..3) == 0 {
            let voided = at + rng.u64(0..40 * HOUR);
            steps.push((voided, Step::Void(number)));
            twice(
                steps,
                voided + 1 + [rng.u64(0..60), rng.u64(0..10 * HOUR)][rng.usize(0..2)],
                Step::Tell(number),
                rng,
            );
        }
    }
}

fn id(member: usize, n: usize) -> CustomerId {
    #[expect(clippy::unwrap_used, reason = "a well-formed id")]
    CustomerId::parse(format!("cus_{member}_{n}")).unwrap()
}

/// Lets one or two messages post a member's credit, about at once.
fn post(steps: &mut Vec<(u64, Step)>, member: usize, at: u64, rng: &mut fastrand::Rng) {
    for _ in 0..rng.u64(1..3) {
        let number = steps.len() as u64;
        steps.push((at + rng.u64(0..400), Step::Post(member, number)));
    }
}

/// A message that may arrive twice.
fn twice(steps: &mut Vec<(u64, Step)>, at: u64, step: Step, rng: &mut fastrand::Rng) {
    for _ in 0..rng.u64(1..3) {
        steps.push((at + [rng.u64(0..60), rng.u64(0..HOUR)][rng.usize(0..2)], step));
    }
}

/// Reports about a subscription, if there is one, by Stripe's clock.
fn subscribed(from: u64, rng: &mut fastrand::Rng) -> Vec<BillingReport> {
    use SubscriptionState::{Dormant, Ended, Live};
    // No renewal: while it is a member's only customer, the time of a second report of the same state is not kept.
    let states: &[SubscriptionState] =
        [&[][..], &[][..], &[Live][..], &[Dormant, Live][..], &[Live, Ended][..]][rng.usize(0..5)];
    let report = |(n, state): (usize, &SubscriptionState)| BillingReport::Subscribed {
        subscription: "sub_1".to_owned(),
        state: *state,
        at: Timestamp::from_millis(BEGINNING.millis() + (from + n as u64 * HOUR) as i64),
    };
    states.iter().enumerate().map(report).collect()
}
