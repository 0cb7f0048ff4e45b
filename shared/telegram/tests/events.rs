//! Tests that each sample update in `events/telegram/*.json` is read as its line here says.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::{fs, path::Path};

use guerdon_domain::{
    money::{Currency, Money},
    referrals::Code,
};
use guerdon_telegram::{
    command::{Command, StartPayload},
    nav::{Nav, Period},
    update::{SubscriptionState, Update, UpdateKind},
};

#[derive(Debug, PartialEq)]
enum Read {
    Command(Command),
    Code(Code),
    Nav(Nav),
    PreCheckout(Money),
    Payment(Money),
    Refund(Money),
    Subscription(SubscriptionState),
    Blocked(bool),
    Other(String),
}

fn read(kind: UpdateKind) -> Read {
    match kind {
        UpdateKind::Message(message) => {
            let text = message.text.unwrap();
            let command = Command::parse(&text, "GuerdonBot").map(Read::Command);
            command.unwrap_or_else(|| Read::Code(Code::parse(&text).unwrap()))
        }
        UpdateKind::Callback(tap) => Read::Nav(tap.nav().unwrap()),
        UpdateKind::PreCheckout(query) => Read::PreCheckout(query.total),
        UpdateKind::SuccessfulPayment { payment, .. } => Read::Payment(payment.total),
        UpdateKind::RefundedPayment { payment, .. } => Read::Refund(payment.total),
        UpdateKind::StarsSubscription { state, .. } => Read::Subscription(state),
        UpdateKind::MyChatMember { blocked, .. } => Read::Blocked(blocked),
        UpdateKind::Other(kind) => Read::Other(kind),
    }
}

fn table() -> Vec<(&'static str, Read)> {
    let code = || Code::parse("ABCD2345").unwrap();
    let stars = Money::new(250, Currency::XTR);
    vec![
        ("blocked", Read::Blocked(true)),
        ("credits", Read::Command(Command::Credits)),
        ("edited_message", Read::Other("edited_message".into())),
        ("help", Read::Command(Command::Help)),
        ("nav_callback", Read::Nav(Nav::Leaderboard(Period::Week))),
        ("paysupport", Read::Command(Command::PaySupport)),
        ("pre_checkout_query", Read::PreCheckout(stars)),
        ("privacy", Read::Command(Command::Privacy)),
        ("profile", Read::Command(Command::Profile)),
        ("recruit", Read::Command(Command::Recruit)),
        ("refunded_payment", Read::Refund(stars)),
        ("start_bare", Read::Command(Command::Start(StartPayload::Empty))),
        ("start_bare_code", Read::Command(Command::Start(StartPayload::Referral(code())))),
        ("start_ref_code", Read::Command(Command::Start(StartPayload::Referral(code())))),
        ("subscription", Read::Subscription(SubscriptionState::Canceled)),
        ("successful_payment", Read::Payment(stars)),
        ("terms", Read::Command(Command::Terms)),
        ("text_code", Read::Code(code())),
        ("unblocked", Read::Blocked(false)),
        ("unknown_kind", Read::Other("telepathy".into())),
    ]
}

#[test]
fn every_sample_is_read_as_its_line_says() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/telegram");
    let names: BTreeSet<String> = fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let expected: BTreeSet<String> = table().iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names, expected, "the folder and the table differ");

    let mut ids = BTreeSet::new();
    for (name, expect) in table() {
        let body = fs::read(dir.join(name).with_extension("json")).unwrap();
        let update = Update::parse(&body).unwrap();
        assert!(ids.insert(update.update_id), "{name} reuses an update_id");
        assert_eq!(read(update.kind), expect, "{name}");
    }
}
