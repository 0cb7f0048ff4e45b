use proptest::prelude::*;
use serde_json::json;

use super::*;
use guerdon_domain::money::{Currency, Money};

fn parse(update: Value) -> Result<UpdateKind, ParseError> {
    Update::parse(update.to_string().as_bytes()).map(|update| update.kind)
}

fn message(extra: Value) -> Value {
    let mut message = json!({
        "message_id": 11, "date": 1_790_000_000, "chat": {"id": 5001, "type": "private", "first_name": "Ada"},
        "from": {"id": 5001, "is_bot": false, "first_name": "Ada", "language_code": "en"}});
    for (key, value) in extra.as_object().unwrap() {
        message[key] = value.clone();
    }
    json!({"update_id": 7, "message": message})
}

fn stars_payment() -> Value {
    json!({"currency": "XTR", "total_amount": 250, "invoice_payload": "plan:gold",
           "telegram_payment_charge_id": "stx_made_up_1", "provider_payment_charge_id": ""})
}

/// The field that causes the refusal of the update.
fn missing(update: Value) -> &'static str {
    match parse(update) {
        Err(ParseError::BadMoneyUpdate { update_id: 7, field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

#[test]
fn not_an_update() {
    for body in ["", "{", "\u{0}", "hello"] {
        assert_eq!(Update::parse(body.as_bytes()), Err(ParseError::NotJson), "{body}");
    }
    for body in ["{}", "[]", "null", "7", r#"{"update_id":null}"#, r#"{"update_id":"7","message":{}}"#] {
        assert_eq!(Update::parse(body.as_bytes()), Err(ParseError::NotAnUpdate), "{body}");
    }
}

#[test]
fn a_message_keeps_its_text_whatever_surrounds_it() {
    let odd = json!({"text": "hi", "entities": [{"type": "hologram", "offset": "x"}], "via_bot": 3,
                     "reply_to_message": {"successful_payment": stars_payment()}, "successful_payment": null});
    let Ok(UpdateKind::Message(message)) = parse(message(odd)) else { panic!() };
    assert_eq!(message.text.as_deref(), Some("hi"));
    assert_eq!(
        (message.message_id, message.chat.kind, message.date.seconds()),
        (11, ChatKind::Private, 1_790_000_000)
    );
    let from = message.from.unwrap();
    assert_eq!((from.id.get(), from.first_name.as_str(), from.last_name), (5001, "Ada", None));
}

#[test]
fn words_are_the_senders_own_unless_a_field_says_otherwise() {
    let check = |extra: Value, expect: Words| {
        let Ok(UpdateKind::Message(read)) = parse(message(extra.clone())) else { panic!("{extra}") };
        assert_eq!(read.words, expect, "{extra}");
    };
    let chat = json!({"id": -100, "type": "channel", "title": "Deals"});
    check(json!({"text": "hi", "reply_to_message": {"forward_date": 1}, "quote": {"text": "x"}}), Words::Own);
    check(json!({"forward_origin": null, "via_bot": null, "is_automatic_forward": false}), Words::Own);
    for field in
        ["forward_origin", "forward_date", "forward_from", "forward_from_chat", "forward_sender_name"]
    {
        for value in [json!({}), json!(0), json!(""), json!([])] {
            check(json!({field: value}), Words::Forwarded);
        }
    }
    check(
        json!({"forward_origin": {"type": "channel", "chat": chat}, "via_bot": {"id": 9}}),
        Words::Forwarded,
    );
    check(json!({"is_automatic_forward": true, "sender_chat": chat}), Words::Forwarded);
    check(json!({"via_bot": {"id": 9, "is_bot": true}}), Words::Bots);
    check(json!({"sender_business_bot": {"id": 9}}), Words::Bots);
    check(json!({"sender_chat": chat}), Words::Chats);
    check(json!({"edit_date": 1_790_000_001}), Words::Edited);
}

#[test]
fn parts_that_are_not_needed_may_be_missing() {
    let bare = json!({"update_id": 7, "message": {"message_id": 1, "chat": {"id": -100_123, "type": "holodeck"},
        "from": null, "text": null}});
    let Ok(UpdateKind::Message(message)) = parse(bare) else { panic!() };
    assert_eq!((message.chat.kind, message.from, message.text), (ChatKind::Group, None, None));
    for broken in [json!({}), json!({"message_id": 1}), json!({"chat": {"id": 1}}), json!("text"), json!([])]
    {
        let update = json!({"update_id": 7, "message": broken});
        assert_eq!(parse(update), Ok(UpdateKind::Other("message".into())));
    }
}

#[test]
fn what_we_do_not_handle_has_its_name() {
    for kind in ["edited_message", "channel_post", "chat_member", "poll", "telepathy"] {
        assert_eq!(parse(json!({"update_id": 7, kind: {}})), Ok(UpdateKind::Other(kind.into())));
    }
    assert_eq!(
        parse(json!({"update_id": 7, "message": null, "poll": {}})),
        Ok(UpdateKind::Other("poll".into()))
    );
    assert_eq!(parse(json!({"update_id": 7})), Ok(UpdateKind::Other(String::new())));
    assert_eq!(
        parse(json!({"update_id": 7, "callback_query": {}})),
        Ok(UpdateKind::Other("callback_query".into()))
    );
}

#[test]
fn a_stars_payment() {
    let mut payment = stars_payment();
    payment["is_recurring"] = true.into();
    payment["subscription_expiration_date"] = 1_792_592_000.into();
    payment["order_info"] = Value::Null;
    let update = parse(message(json!({"successful_payment": payment})));
    let Ok(UpdateKind::SuccessfulPayment { from, chat, date, payment }) = update else { panic!() };
    assert_eq!((from.id.get(), chat.id, date.seconds()), (5001, 5001, 1_790_000_000));
    assert_eq!(payment.total, Money::new(250, Currency::XTR));
    assert_eq!(payment.telegram_payment_charge_id.as_str(), "stx_made_up_1");
    assert_eq!((payment.provider_payment_charge_id, payment.invoice_payload.as_str()), (None, "plan:gold"));
    assert!(payment.is_recurring && !payment.is_first_recurring);
    assert_eq!(payment.subscription_expires.map(Timestamp::seconds), Some(1_792_592_000));
}

#[test]
fn money_that_cannot_be_read_is_refused_not_dropped() {
    let with = |kind: &str, key: &str, value: Value| {
        let mut payment = stars_payment();
        payment[key] = value;
        message(json!({kind: payment}))
    };
    for kind in ["successful_payment", "refunded_payment"] {
        for key in ["currency", "total_amount", "telegram_payment_charge_id"] {
            assert_eq!(missing(with(kind, key, Value::Null)), key);
        }
        assert_eq!(missing(with(kind, "total_amount", json!(-1))), "total_amount");
        assert_eq!(missing(with(kind, "total_amount", json!(1.5))), "total_amount");
        assert_eq!(missing(with(kind, "currency", json!("¤"))), "currency");
        assert_eq!(
            missing(with(kind, "telegram_payment_charge_id", json!("a#b"))),
            "telegram_payment_charge_id"
        );
        assert_eq!(missing(message(json!({kind: "?"}))), "total_amount");
        assert_eq!(missing(message(json!({kind: stars_payment(), "chat": null}))), "chat");
    }
    assert_eq!(missing(with("successful_payment", "invoice_payload", Value::Null)), "invoice_payload");
    assert_eq!(missing(json!({"update_id": 7, "pre_checkout_query": {}})), "id");
    assert_eq!(missing(json!({"update_id": 7, "pre_checkout_query": {"id": "1", "from": null}})), "from");
    let state = json!({"update_id": 7, "subscription": {"user": {"id": 5}, "invoice_payload": "x", "state": "paused"}});
    assert_eq!(missing(state), "state");
    assert_eq!(missing(json!({"update_id": 7, "subscription": {"state": "active"}})), "user");
}

#[test]
fn the_person_of_a_payment_is_found_without_from() {
    let payer = |from: Value| {
        let update = message(json!({"refunded_payment": stars_payment(), "from": from}));
        let Ok(UpdateKind::RefundedPayment { from, .. }) = parse(update) else { panic!() };
        (from.id.get(), from.first_name)
    };
    let ada = (5001, "Ada".to_owned());
    assert_eq!(payer(Value::Null), ada);
    assert_eq!(payer(json!({"id": 99, "is_bot": true, "first_name": "Bot"})), ada);
    assert_eq!(payer(json!({"id": 6002, "first_name": "Bo"})), (6002, "Bo".to_owned()));
    let group =
        json!({"successful_payment": stars_payment(), "from": null, "chat": {"id": -5, "type": "group"}});
    assert_eq!(missing(message(group)), "from");
}

#[test]
fn taps() {
    let tap = |message: Value| {
        let query = json!({"id": "31", "from": {"id": 5001}, "message": message, "data": "nav:help"});
        let Ok(UpdateKind::Callback(tap)) = parse(json!({"update_id": 7, "callback_query": query})) else {
            panic!()
        };
        assert_eq!((tap.id.as_str(), tap.nav()), ("31", Some(crate::nav::Nav::Help)));
        tap.message.map(|message| (message.message_id, message.editable))
    };
    let chat = json!({"id": 5001, "type": "private"});
    assert_eq!(tap(json!({"message_id": 9, "date": 1_790_000_000, "chat": chat})), Some((9, true)));
    assert_eq!(tap(json!({"message_id": 9, "date": 0, "chat": chat})), Some((9, false)));
    assert_eq!(tap(Value::Null), None);
}

#[test]
fn blocks_and_unblocks() {
    let change = |status: &str| {
        let change = json!({"chat": {"id": 5001, "type": "private"}, "from": {"id": 5001},
            "new_chat_member": {"status": status, "until_date": 0}});
        let Ok(UpdateKind::MyChatMember { user, blocked, .. }) =
            parse(json!({"update_id": 7, "my_chat_member": change}))
        else {
            panic!()
        };
        assert_eq!(user.id.get(), 5001);
        blocked
    };
    assert!(change("kicked"));
    assert!(!change("member"));
}

proptest! {
    /// Holds that a payment with any change to one part is read, or refused, or is no payment any more.
    #[test]
    fn a_payment_is_never_lost(key in "[a-z_]{1,12}|currency|total_amount|invoice_payload|telegram_payment_charge_id",
                               value in prop_oneof![Just(Value::Null), any::<i64>().prop_map(Value::from),
                                                    ".{0,20}".prop_map(Value::from), Just(json!({})), Just(json!([]))]) {
        let mut payment = stars_payment();
        payment[key.as_str()] = value;
        let read = matches!(
            parse(message(json!({"successful_payment": payment}))),
            Ok(UpdateKind::SuccessfulPayment { .. }) | Err(ParseError::BadMoneyUpdate { .. })
        );
        prop_assert!(read);
    }

    #[test]
    fn no_body_is_too_strange(body: Vec<u8>) {
        prop_assert!(Update::parse(&body).is_err());
    }
}
