//! Tests that money moves only by the member's own words and a button that they confirm it with.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use guerdon_tests::{
    World,
    telegram::{ALICE, BOB, CAROL, Person, button, message, tap},
};
use serde_json::{Value, json};

const LINE: &str = "/withdraw 500 upi other@ybl";
const MINUTE: i64 = 60;

/// Alice has 504 rupees, and nothing was asked for.
async fn alice_has_earned() -> World {
    let world = World::of("ott").await;
    let code = world.code_of(ALICE).await;
    world.joins(BOB, &code).await;
    for n in 0..18 {
        world.bank(BOB, "135.00", "combo", &format!("one-{n}")).await;
    }
    world.advance(86_400).await;
    world.says(ALICE, "/credits").await;
    world
}

/// The states of the withdrawals that Alice has asked for.
async fn states(world: &World) -> Vec<String> {
    let listed = world.operator_get(&format!("users/{}/withdrawals", ALICE.id)).await;
    let items = listed["items"].as_array().unwrap().iter();
    items.map(|item| format!("{} {}", item["amount"], item["state"].as_str().unwrap())).collect()
}

/// The message with these fields in addition.
fn with(mut update: Value, extra: &Value) -> Value {
    update["message"].as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    update
}

/// Fields by which a message is not in its sender's own words.
fn others_words() -> Vec<Value> {
    let (bob, bot) = (json!({ "id": BOB.id, "first_name": "Bob" }), json!({ "id": 9, "is_bot": true }));
    let chat = json!({ "id": -1_001_234, "type": "channel", "title": "Deals" });
    vec![
        json!({ "forward_origin": { "type": "user", "sender_user": bob, "date": 1_795_253_000 } }),
        json!({ "forward_origin": { "type": "hidden_user", "sender_user_name": "B", "date": 1_795_253_000 } }),
        json!({ "forward_origin": { "type": "channel", "chat": chat, "message_id": 7, "date": 1 } }),
        json!({ "forward_origin": { "type": "telepathy" } }),
        json!({ "forward_from": bob, "forward_date": 1_795_253_000 }),
        json!({ "forward_sender_name": "Bob", "forward_date": 1_795_253_000 }),
        json!({ "forward_from_chat": chat, "forward_from_message_id": 7 }),
        json!({ "is_automatic_forward": true }),
        json!({ "via_bot": bot }),
        json!({ "sender_business_bot": bot }),
        json!({ "sender_chat": chat }),
        json!({ "edit_date": 1_795_253_500 }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn others_words_move_no_money_and_say_why() {
    let world = alice_has_earned().await;
    for extra in others_words() {
        let update = with(message(world.update_id(), ALICE, LINE), &extra);
        let answer = world.update(&update).await;
        let text = answer.body["text"].as_str().unwrap_or_default();
        assert!(
            text.contains("your own words only") && text.contains("type it here yourself"),
            "{extra}: {text}"
        );
        assert_eq!(button(&answer.body, "✅"), None, "{extra}");
    }
    // What only shows something is shown.
    let forwarded = with(message(world.update_id(), ALICE, "/withdraw"), &others_words()[0]);
    assert!(world.update(&forwarded).await.body["text"].as_str().unwrap().contains("Available: <b>₹504.00"));
    // A field that says no, or nothing, changes nothing.
    let own = json!({ "is_automatic_forward": false, "via_bot": null, "is_from_offline": true });
    let answer = world.update(&with(message(world.update_id(), ALICE, LINE), &own)).await;
    assert!(button(&answer.body, "✅ Confirm").is_some(), "{answer:?}");
    assert_eq!(states(&world).await, [] as [&str; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_updates_and_other_chats_move_no_money() {
    let world = alice_has_earned().await;
    for kind in ["edited_message", "channel_post", "business_message", "edited_business_message"] {
        let mut update = message(world.update_id(), ALICE, LINE);
        update[kind] = update.as_object_mut().unwrap().remove("message").unwrap();
        assert_eq!(world.update(&update).await.body, json!(""), "{kind}");
    }
    for kind in ["group", "supergroup", "channel"] {
        let chat = json!({ "chat": { "id": -1_001_234, "type": kind, "title": "Deals" } });
        let update = with(message(world.update_id(), ALICE, LINE), &chat);
        assert_eq!(world.update(&update).await.body, json!(""), "{kind}");
    }
    assert_eq!(states(&world).await, [] as [&str; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn others_words_choose_no_referrer_and_sign_nobody_in() {
    let world = World::of("ott").await;
    let code = world.code_of(ALICE).await;
    for text in [format!("/start ref_{code}"), code.to_lowercase()] {
        for extra in [&others_words()[0], &others_words()[8]] {
            let update = with(message(world.update_id(), BOB, &text), extra);
            let reply = world.update(&update).await.body;
            assert!(reply["text"].as_str().unwrap().contains("your own words only"), "{text}: {reply}");
        }
    }
    assert!(world.joins(BOB, &code).await.contains("Alice invited you"), "he is new still");
    let update = with(message(world.update_id(), ALICE, "/admin"), &others_words()[0]);
    let reply = world.update(&update).await.body;
    assert!(reply["text"].as_str().unwrap().contains("don't know that"), "{reply}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_line_shows_what_will_happen_and_the_button_does_it() {
    let world = alice_has_earned().await;
    let offer = world.asks(ALICE, "/withdraw 500 UPI Other@ybl").await;
    let text = offer["text"].as_str().unwrap();
    for part in ["Withdraw ₹500.00", "By: UPI", "To: <code>other@ybl</code>", "until 2026-11-22 09:45:00 UTC"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!((offer["chat_id"].as_i64(), states(&world).await.len()), (Some(ALICE.id), 0));
    let confirm = button(&offer, "✅ Confirm").unwrap();
    let done = world.taps(ALICE, &confirm).await;
    assert_eq!((&done["method"], &done["message_id"]), (&json!("editMessageText"), &json!(1)), "{done}");
    let asked = done["text"].as_str().unwrap();
    assert!(asked.contains("You have asked for ₹500.00 to <code>…@ybl</code>"), "{asked}");
    assert_eq!(done["reply_markup"], Value::Null, "the buttons are gone");
    assert_eq!(states(&world).await, ["500.0 requested"]);
    assert_eq!(world.taps(ALICE, &confirm).await["text"], done["text"], "a later tap gets the same answer");
    let cancel = button(&offer, "✖️ Cancel").unwrap();
    let late = world.taps(ALICE, &cancel).await;
    assert!(late["text"].as_str().unwrap().contains("confirmed before"), "{late}");
    assert_eq!(states(&world).await, ["500.0 requested"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_taps_at_once_make_one_withdrawal_and_get_one_answer() {
    let world = alice_has_earned().await;
    let confirm = button(&world.asks(ALICE, LINE).await, "✅ Confirm").unwrap();
    let taps = [(); 2].map(|()| tap(world.update_id(), ALICE, &confirm));
    let (one, two) = tokio::join!(world.update(&taps[0]), world.update(&taps[1]));
    assert!(one.body["text"].as_str().unwrap().contains("You have asked for ₹500.00"), "{one:?}");
    assert_eq!(one.body["text"], two.body["text"]);
    assert_eq!(states(&world).await, ["500.0 requested"]);
    let again = world.update(&taps[0]).await;
    assert_eq!((again.status, &again.body), (200, &json!("")), "the same update again");
    assert_eq!(states(&world).await, ["500.0 requested"]);
}

/// The tap in another chat, or with no message at all.
fn elsewhere(mut tap: Value, message: &Value) -> Value {
    tap["callback_query"]["message"] = message.clone();
    tap
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_works_for_its_member_in_their_own_chat_only() {
    let world = alice_has_earned().await;
    let confirm = button(&world.asks(ALICE, LINE).await, "✅ Confirm").unwrap();
    for person in [BOB, CAROL] {
        let toast = world.taps(person, &confirm).await;
        assert_eq!(toast["method"], "answerCallbackQuery", "{toast}");
        assert!(toast["text"].as_str().unwrap().contains("somebody else's"), "{toast}");
    }
    let group = json!({ "message_id": 4, "date": 1_795_253_400, "chat": { "id": -100, "type": "group" } });
    let bobs = json!({ "message_id": 4, "date": 1_795_253_400, "chat": { "id": BOB.id, "type": "private" } });
    for place in [group, bobs, Value::Null] {
        let update = elsewhere(tap(world.update_id(), ALICE, &confirm), &place);
        let toast = world.update(&update).await.body;
        assert!(toast["text"].as_str().unwrap().contains("only in your own chat"), "{place}: {toast}");
    }
    assert_eq!(states(&world).await, [] as [&str; 0]);
    // A message that is too old to be edited is answered below.
    let old = json!({ "message_id": 4, "date": 0, "chat": { "id": ALICE.id, "type": "private" } });
    let done = world.update(&elsewhere(tap(world.update_id(), ALICE, &confirm), &old)).await.body;
    assert_eq!((&done["method"], states(&world).await.len()), (&json!("sendMessage"), 1), "{done}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_button_says_so_and_changes_nothing() {
    let world = alice_has_earned().await;
    let first = button(&world.asks(ALICE, "/withdraw 504 upi old@ybl").await, "✅ Confirm").unwrap();
    let offer = world.asks(ALICE, LINE).await;
    let says = async |data: &str| world.taps(ALICE, data).await["text"].as_str().unwrap().to_owned();
    assert!(says(&first).await.contains("outdated, and nothing has changed"));
    world.advance(15 * MINUTE).await;
    let expired = says(&button(&offer, "✅ Confirm").unwrap()).await;
    assert!(expired.contains("expired, and nothing has changed. To start again: /withdraw"), "{expired}");
    let offer = world.asks(ALICE, LINE).await;
    assert!(says(&button(&offer, "✖️ Cancel").unwrap()).await.contains("Cancelled. Nothing has changed"));
    assert!(says(&button(&offer, "✅ Confirm").unwrap()).await.contains("Cancelled. Nothing has changed"));
    for forged in ["do:withdraw:0123456789abcdef01234567", "do:claim:x", "do:burn:0123", "nav:claim"] {
        let toast = world.taps(ALICE, forged).await;
        assert_eq!(toast["method"], "answerCallbackQuery", "{forged}: {toast}");
    }
    assert_eq!(states(&world).await, [] as [&str; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_the_button_was_shown_is_told_at_the_tap() {
    let world = alice_has_earned().await;
    let confirm = button(&world.asks(ALICE, LINE).await, "✅ Confirm").unwrap();
    let bar = json!({ "reason": "shared device" });
    assert_eq!(world.operator_post(&format!("users/{}/bar", ALICE.id), "bar", &bar).await.status, 200);
    let refused = world.taps(ALICE, &confirm).await;
    assert!(refused["text"].as_str().unwrap().contains("cannot withdraw"), "{refused}");
    assert_eq!(states(&world).await, [] as [&str; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tap_ends_the_progress_of_its_button() {
    let world = alice_has_earned().await;
    let dora = Person { id: 7_000_000_044, name: "Dora" };
    let confirm = button(&world.asks(ALICE, LINE).await, "✅ Confirm").unwrap();
    for (n, data) in [(0, "nav:credits"), (1, "nav:help"), (2, confirm.as_str()), (3, "nav:top:week")] {
        let update = tap(world.update_id(), ALICE, data);
        assert_eq!(world.update(&update).await.status, 200);
        // The simulator does not know where these hand-made taps came from.
        let ended = world.outbox(0).await;
        let ended: Vec<_> = ended.iter().filter(|call| call["method"] == "answerCallbackQuery").collect();
        assert_eq!(ended.len(), n + 1, "{data}");
        assert_eq!(ended[n]["payload"]["callback_query_id"], update["callback_query"]["id"], "{data}");
    }
    let refused = world.taps(dora, &confirm).await;
    assert_eq!(refused["method"], "answerCallbackQuery", "the reply itself ends it");
}

/// The person joins by the code and pays.
async fn pays(world: &World, code: &str, person: Person) {
    world.joins(person, code).await;
    let purchase = json!({
        "user_id": person.id, "amount": "9.99", "currency": "USD", "purpose": "purchase",
        "reference": format!("card/{}", person.id), "reason": "paid on the site",
    });
    world.operator_post("payments", &format!("k{}", person.id), &purchase).await;
    world.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rewards_are_claimed_as_they_were_shown() {
    let world = World::of("trollz").await;
    let code = world.code_of(ALICE).await;
    pays(&world, &code, BOB).await;
    let one = button(&world.asks(ALICE, "/credits").await, "🎁 Claim 30 days").unwrap();
    pays(&world, &code, CAROL).await;
    let stale = world.taps(ALICE, &one).await;
    let text = stale["text"].as_str().unwrap();
    assert!(
        text.contains("nothing was claimed by it") && text.contains("To claim: <b>60 days</b>"),
        "{text}"
    );
    let two = button(&stale, "🎁 Claim 60 days").unwrap();
    assert!(world.taps(BOB, &two).await["text"].as_str().unwrap().contains("somebody else's"));
    for _ in 0..2 {
        let claimed = world.taps(ALICE, &two).await;
        let text = claimed["text"].as_str().unwrap();
        assert!(text.contains("Earned and unused: <b>60 days</b>") && !text.contains("outdated"), "{text}");
    }
}
