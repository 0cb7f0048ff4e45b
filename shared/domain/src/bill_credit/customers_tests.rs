use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_795_253_400 + seconds)
}

fn id(text: &str) -> CustomerId {
    CustomerId::parse(text).unwrap()
}

fn subscribed(state: SubscriptionState, seconds: i64) -> BillingReport {
    BillingReport::Subscribed { subscription: "sub_1".to_owned(), state, at: at(seconds) }
}

/// The state after reports about customers, each merged by itself.
fn after(reports: &[(&str, BillingReport)]) -> BilledCustomers {
    let member = MemberId::parse("6badfa96792b5eba24be8a1dc31793b2").unwrap();
    reports.iter().fold(BilledCustomers::of(member), |known, (customer, report)| {
        known.merged(&id(customer), std::slice::from_ref(report)).unwrap_or(known)
    })
}

fn target(reports: &[(&str, BillingReport)]) -> Option<String> {
    after(reports).target().map(ToString::to_string)
}

use BillingReport::{Billed, Deleted, Linked};
use SubscriptionState::{Dormant, Ended, Live};

#[test]
fn a_live_subscription_counts_before_invoices_and_these_before_links() {
    let subscriber = ("cus_a", subscribed(Live, 10));
    let one_off = [("cus_b", Linked { at: at(50) }), ("cus_b", Billed { at: at(60) })];
    assert_eq!(
        target(&[subscriber.clone(), one_off[0].clone(), one_off[1].clone()]).as_deref(),
        Some("cus_a")
    );
    let ended = ("cus_a", subscribed(Ended, 20));
    assert_eq!(
        target(&[subscriber, ended, one_off[0].clone(), one_off[1].clone()]).as_deref(),
        Some("cus_b")
    );
    let billed = [("cus_a", Billed { at: at(1) }), ("cus_b", Linked { at: at(2) })];
    assert_eq!(target(&billed).as_deref(), Some("cus_a"));
    let linked = [("cus_a", Linked { at: at(1) }), ("cus_b", Linked { at: at(2) })];
    assert_eq!(target(&linked).as_deref(), Some("cus_b"));
}

#[test]
fn a_deleted_customer_is_never_the_target() {
    assert_eq!(target(&[("cus_a", Deleted), ("cus_a", subscribed(Live, 10))]), None);
    let other = ("cus_b", Linked { at: at(1) });
    assert_eq!(
        target(&[("cus_a", subscribed(Live, 10)), other, ("cus_a", Deleted)]).as_deref(),
        Some("cus_b")
    );
}

#[test]
fn the_order_of_reports_about_several_customers_does_not_matter() {
    let reports = [
        ("cus_a", subscribed(Live, 10)),
        ("cus_a", subscribed(Dormant, 20)),
        ("cus_b", subscribed(Dormant, 30)),
        ("cus_b", subscribed(Live, 40)),
        ("cus_a", Billed { at: at(90) }),
        ("cus_b", Billed { at: at(5) }),
    ];
    for start in 0..reports.len() {
        let mut turned = reports.clone();
        turned.rotate_left(start);
        assert_eq!(target(&turned).as_deref(), Some("cus_b"), "from {start}");
        turned.reverse();
        assert_eq!(target(&turned).as_deref(), Some("cus_b"), "back from {start}");
    }
}

#[test]
fn a_customer_moves_to_another_member_with_its_bills() {
    let wrong = after(&[("cus_a", subscribed(Live, 10)), ("cus_b", Linked { at: at(20) })]);
    let right = BilledCustomers::of(MemberId::parse("b46d230c1f13b0d7a2034309ca55d111").unwrap());
    let right = right.merged(&id("cus_c"), &[Billed { at: at(90) }]).unwrap();
    let right = right.with(&id("cus_a"), wrong.get(&id("cus_a")), at(30));
    let wrong = wrong.without(&id("cus_a"), 700).unwrap();
    assert_eq!((wrong.target(), right.target()), (Some(&id("cus_b")), Some(&id("cus_a"))));
    assert_eq!(wrong.merged(&id("cus_a"), &[Billed { at: at(99) }]).unwrap().target(), Some(&id("cus_b")));
    // And back: what was given back before is remembered.
    let back = wrong.with(&id("cus_a"), right.get(&id("cus_a")), at(40));
    assert_eq!((back.target(), back.get(&id("cus_a")).unwrap().recalled), (Some(&id("cus_a")), 700));
}

#[test]
fn what_changes_nothing_is_not_written() {
    let known = after(&[("cus_a", subscribed(Live, 10)), ("cus_a", Billed { at: at(10) })]);
    let next = [subscribed(Live, 2_592_000), Billed { at: at(2_592_000) }];
    assert_eq!(known.merged(&id("cus_a"), &next), None, "the only customer is billed again");
    assert!(known.merged(&id("cus_a"), &[subscribed(Ended, 20)]).is_some());
    let two = known.merged(&id("cus_b"), &[Linked { at: at(20) }]).unwrap();
    assert!(two.merged(&id("cus_a"), &next).is_some(), "beside another one instants count");
    assert_eq!(two.merged(&id("cus_b"), &[Linked { at: at(20) }]), None);
}

#[test]
fn the_number_of_customers_is_bounded_and_the_billed_one_stays() {
    let mut known = after(&[("cus_a", subscribed(Live, 10))]);
    for number in 0..100 {
        known = known.merged(&id(&format!("cus_{number}")), &[Linked { at: at(number) }]).unwrap();
    }
    assert_eq!((known.iter().count(), known.target()), (MOST_CUSTOMERS, Some(&id("cus_a"))));
}
