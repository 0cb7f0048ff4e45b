use proptest::prelude::*;

use super::*;
use crate::money::Currency;

const PAID: Money = Money::new(3900, Currency::USD);

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn at(seconds: i64, kind: ReversalKind) -> Reversal {
    Reversal { at: Timestamp::from_seconds(seconds), kind }
}

fn refund(id: &str, minor: i64, stage: RefundStage) -> ReversalKind {
    ReversalKind::Refund { id: id.to_owned(), amount: usd(minor), stage }
}

fn dispute(minor: i64, stage: DisputeStage) -> ReversalKind {
    ReversalKind::Dispute { id: "dp_1".to_owned(), amount: usd(minor), stage }
}

fn note(minor: i64, refunds: &[&str], voided: bool) -> ReversalKind {
    let refunds = refunds.iter().map(|id| (*id).to_owned()).collect();
    ReversalKind::CreditNote { id: "cn_1".to_owned(), amount: usd(minor), refunds, voided }
}

fn after(said: &[Reversal]) -> Reversals {
    said.iter().fold(Reversals::default(), |all, one| all.merged(one, PAID).unwrap().unwrap_or(all))
}

fn check(said: &[Reversal], undone: i64, disputed: bool) {
    let all = after(said);
    assert_eq!((all.undone(PAID).minor(), all.is_disputed()), (undone, disputed), "{said:?}");
}

#[test]
fn refunds_add_up_and_failed_ones_do_not_count() {
    use RefundStage::{Failed, Pending, Succeeded};
    check(&[at(1, refund("re_1", 1000, Succeeded))], 1000, false);
    check(&[at(1, refund("re_1", 1000, Pending)), at(2, refund("re_1", 1000, Succeeded))], 1000, false);
    check(&[at(1, refund("re_1", 1000, Succeeded)), at(2, refund("re_2", 500, Succeeded))], 1500, false);
    check(&[at(1, refund("re_1", 1000, Succeeded)), at(2, refund("re_1", 1000, Failed))], 0, false);
    check(&[at(2, refund("re_1", 1000, Failed)), at(1, refund("re_1", 1000, Succeeded))], 0, false);
    // Within one second the more final report wins.
    check(&[at(1, refund("re_1", 1000, Failed)), at(1, refund("re_1", 1000, Pending))], 0, false);
}

#[test]
fn a_total_counts_only_where_refunds_are_not_told() {
    let total = |minor| ReversalKind::RefundedTotal { amount: usd(minor) };
    check(&[at(1, total(1000)), at(2, total(1500))], 1500, false);
    check(&[at(2, total(1500)), at(1, total(1000))], 1500, false);
    check(&[at(1, total(1000)), at(1, refund("re_1", 1000, RefundStage::Succeeded))], 1000, false);
}

#[test]
fn a_dispute_freezes_takes_and_gives_back() {
    use DisputeStage::{Inquiry, Lost, Opened, Withdrawn, Won};
    check(&[at(1, dispute(3900, Inquiry))], 0, false);
    check(&[at(1, dispute(3900, Opened))], 0, true);
    check(&[at(1, dispute(3900, Opened)), at(1, dispute(3900, Withdrawn))], 3900, false);
    check(&[at(1, dispute(3900, Withdrawn)), at(1, dispute(3900, Opened))], 3900, false);
    check(&[at(1, dispute(3900, Withdrawn)), at(9, dispute(3900, Won))], 0, false);
    check(&[at(9, dispute(3900, Won)), at(1, dispute(3900, Withdrawn))], 0, false);
    check(&[at(1, dispute(3900, Opened)), at(9, dispute(3900, Lost))], 3900, false);
}

#[test]
fn overlapping_reversals_never_exceed_what_was_paid() {
    let refunded = at(1, refund("re_1", 3000, RefundStage::Succeeded));
    check(&[refunded.clone(), at(2, dispute(3900, DisputeStage::Lost))], 3900, false);
    check(&[refunded, at(2, dispute(3900, DisputeStage::Won))], 3000, false);
}

#[test]
fn a_credit_note_and_its_refund_count_once() {
    use RefundStage::{Failed, Succeeded};
    check(&[at(1, note(1000, &[], false))], 1000, false);
    check(&[at(1, note(1000, &["re_1"], false))], 1000, false);
    check(&[at(1, note(1000, &["re_1"], false)), at(2, refund("re_1", 600, Succeeded))], 1000, false);
    check(&[at(1, note(600, &["re_1"], false)), at(2, refund("re_1", 600, Failed))], 0, false);
    check(&[at(1, note(1000, &[], false)), at(2, note(1000, &[], true))], 0, false);
    check(&[at(2, note(1000, &[], true)), at(2, note(1000, &[], false))], 0, false);
}

#[test]
fn an_invoice_that_came_to_nothing_undoes_all() {
    check(&[at(1, ReversalKind::Invoice { undone: true })], 3900, false);
    check(
        &[at(1, ReversalKind::Invoice { undone: true }), at(2, ReversalKind::Invoice { undone: false })],
        0,
        false,
    );
}

#[test]
fn what_makes_no_sense_is_refused() {
    let refused = |kind| Reversals::default().merged(&at(1, kind), PAID).is_err();
    assert!(refused(refund("re_1", -1, RefundStage::Succeeded)));
    let euros = Money::new(100, Currency::EUR);
    assert!(refused(ReversalKind::RefundedTotal { amount: euros }));
}

fn any_reversal() -> impl Strategy<Value = Reversal> {
    use DisputeStage as D;
    use RefundStage as R;
    let refunds = (0..3_u8, 0..2000_i64, prop::sample::select(vec![R::Pending, R::Succeeded, R::Failed]))
        .prop_map(|(n, minor, stage)| refund(&format!("re_{n}"), minor, stage));
    let stages = vec![D::Inquiry, D::Opened, D::Withdrawn, D::Won, D::Lost];
    let disputes = (0..4000_i64, prop::sample::select(stages)).prop_map(|(minor, s)| dispute(minor, s));
    let notes = (0..2000_i64, any::<bool>()).prop_map(|(minor, voided)| note(minor, &["re_1"], voided));
    let whole = any::<bool>().prop_map(|undone| ReversalKind::Invoice { undone });
    let totals = (0..4000_i64).prop_map(|minor| ReversalKind::RefundedTotal { amount: usd(minor) });
    (0..6_i64, prop_oneof![4 => refunds, 3 => disputes, 2 => notes, 1 => whole, 1 => totals])
        .prop_map(|(seconds, kind)| at(seconds, kind))
}

proptest! {
    #[test]
    fn order_and_repetition_do_not_matter(
        said in prop::collection::vec(any_reversal(), 1..12), seed in any::<u64>(),
    ) {
        let forward = after(&said);
        let mut shuffled = said.clone();
        shuffled.extend(said.iter().cloned());
        let mut state = seed;
        for n in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(n, (state >> 33) as usize % (n + 1));
        }
        let other = after(&shuffled);
        prop_assert_eq!(forward.undone(PAID), other.undone(PAID));
        prop_assert_eq!(forward.is_disputed(), other.is_disputed());
        prop_assert!((0..=PAID.minor()).contains(&forward.undone(PAID).minor()));
    }
}
