//! Tests of what members see in the bot, and that a redelivered update is answered once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use guerdon_tests::{
    World,
    stripe::invoice_naming,
    telegram::{ALICE, BOB, CAROL, Person, message},
};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_redelivered_update_gets_a_bare_200() {
    let world = World::new().await;
    for text in ["/start", "/recruit", "/credits", "/help"] {
        let update = message(world.update_id(), ALICE, text);
        assert_eq!(world.update(&update).await.body["method"], "sendMessage", "{text}");
        let again = world.update(&update).await;
        assert_eq!((again.status, &again.body), (200, &Value::String(String::new())), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_by_itself_is_a_start() {
    let world = World::new().await;
    let code = world.code_of(ALICE).await;
    let reply = world.says(BOB, &format!(" {} ", code.to_lowercase())).await;
    assert!(reply.contains("Alice invited you"), "{reply}");
    let bare = world.says(CAROL, &format!("/start {code}")).await;
    assert!(bare.contains("Alice invited you"), "{bare}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_taps_at_once_make_one_member_and_one_referral() {
    let world = World::new().await;
    let (first, second) = (world.code_of(ALICE).await, world.code_of(CAROL).await);
    let starts = [first, second].map(|code| message(world.update_id(), BOB, &format!("/start ref_{code}")));
    let (one, two) = tokio::join!(world.update(&starts[0]), world.update(&starts[1]));
    let replies = [one, two].map(|answer| answer.body["text"].as_str().unwrap_or_default().to_owned());
    assert_eq!(replies.iter().filter(|text| text.contains("invited you")).count(), 1, "{replies:?}");
    world.drain().await;
    assert_eq!(world.admin("stats").await["total_referrals"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_the_menu_answers() {
    let world = World::new().await;
    world.says(ALICE, "/start").await;
    for (text, expected) in [
        ("/recruit", "Your link"),
        ("/credits", "Balance"),
        ("/profile", "LONE_WOLF"),
        ("/plans", "Fang"),
        ("/help", "What I can do"),
        ("/privacy", "pseudonym"),
        ("/terms", "new members only"),
        ("/paysupport", "support number"),
        ("/shop", "not on offer"),
        ("/nonsense", "don't know that"),
        ("hello", "don't know that"),
    ] {
        let reply = world.says(ALICE, text).await;
        assert!(reply.contains(expected), "{text}: {reply}");
        assert!(!reply.contains('{'), "an unfilled slot: {reply}");
    }
    let edited = world.taps(ALICE, "nav:credits").await;
    assert_eq!((&edited["method"], &edited["message_id"]), (&json!("editMessageText"), &json!(1)));
    assert_eq!(world.taps(ALICE, "spend:everything").await["method"], "answerCallbackQuery");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_cannot_forge_a_message() {
    let world = World::new().await;
    let mallory = Person { id: 7_000_000_009, name: "<b>{reward}</b>&" };
    let reply = world.says(mallory, "/start").await;
    assert!(reply.contains("&lt;b&gt;{reward}&lt;/b&gt;&amp;"), "{reply}");
}

/// Makes a world in which Alice has brought two who paid, Bob one, and Carol nobody.
async fn three_referrers() -> World {
    let world = World::new().await;
    for (person, friends) in [(ALICE, 2_i64), (BOB, 1), (CAROL, 0)] {
        let code = world.code_of(person).await;
        for n in 0..friends {
            let friend = Person { id: person.id * 10 + n, name: "Friend" };
            world.joins(friend, &code).await;
            let (invoice, customer) = (format!("in_{}", friend.id), format!("cus_{}", friend.id));
            world.stripe(&invoice_naming(friend, &invoice, &customer)).await;
        }
    }
    world.drain().await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leaderboard_masks_names_and_tells_everybody_their_place() {
    let world = three_referrers().await;
    let board = async |person, period: &str| {
        let shown = world.taps(person, &format!("nav:top:{period}")).await;
        shown["text"].as_str().unwrap_or_default().to_owned()
    };
    for period in ["week", "month", "all"] {
        let seen = board(BOB, period).await;
        assert!(seen.contains("1. A•••: <b>2</b>\n2. B•••: <b>1</b>"), "{period}: {seen}");
        assert!(seen.contains("You: <b>#2</b>") && !seen.contains("Alice"), "{period}: {seen}");
        assert!(board(CAROL, period).await.contains("not ranked yet"));
    }
    // Next week's board is empty, the one of all time is not.
    world.advance(7 * 86_400).await;
    assert!(board(BOB, "week").await.contains("Nobody yet"));
    assert!(board(BOB, "all").await.contains("#2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_history_is_paged_without_gaps() {
    let world = World::new().await;
    world.says(ALICE, "/start").await;
    for n in 0..20 {
        let body =
            json!({ "user_id": ALICE.id.to_string(), "amount": format!("1.{n:02}"), "reason": "testing" });
        assert_eq!(world.admin_post("apply", &format!("k{n}"), &body).await.status, 200);
    }
    let mut data = "nav:credits".to_owned();
    let mut lines = Vec::new();
    loop {
        let page = world.taps(ALICE, &data).await;
        let text = page["text"].as_str().unwrap().to_owned();
        lines.extend(text.lines().filter(|line| line.contains("from support")).map(str::to_owned));
        let buttons = page["reply_markup"]["inline_keyboard"].as_array().unwrap().clone();
        let older = buttons.iter().flat_map(|row| row.as_array().unwrap()).find(|b| b["text"] == "Older ▸");
        let Some(older) = older else { break };
        data = older["callback_data"].as_str().unwrap().to_owned();
    }
    assert_eq!(lines.len(), 20, "{lines:?}");
    assert!(lines[0].contains("$1.19") && lines[19].contains("$1.00"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_blocks_the_bot_is_left_alone_until_they_come_back() {
    let world = World::new().await;
    let code = world.code_of(ALICE).await;
    let member = |status: &str| {
        json!({
            "update_id": world.update_id(),
            "my_chat_member": {
                "chat": { "id": ALICE.id, "type": "private", "first_name": "Alice" },
                "from": { "id": ALICE.id, "is_bot": false, "first_name": "Alice" },
                "date": 1_795_253_400,
                "old_chat_member": { "user": { "id": 1, "is_bot": true, "first_name": "bot" }, "status": "member" },
                "new_chat_member": { "user": { "id": 1, "is_bot": true, "first_name": "bot" }, "status": status, "until_date": 0 },
            },
        })
    };
    world.update(&member("kicked")).await;
    let sent = world.outbox(ALICE.id).await.len();
    world.joins(BOB, &code).await;
    world.drain().await;
    assert_eq!(world.outbox(ALICE.id).await.len(), sent, "nothing is sent to who blocked the bot");
    world.update(&member("member")).await;
    world.joins(CAROL, &code).await;
    world.drain().await;
    assert_eq!(world.outbox(ALICE.id).await.len(), sent + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn telegram_asking_for_patience_delays_a_message_and_loses_none() {
    let world = World::new().await;
    let code = world.code_of(ALICE).await;
    world.post("/sim/api/telegram/fail", &json!({ "next": 2, "status": 429, "retry_after": 1 })).await;
    world.joins(BOB, &code).await;
    world.drain().await;
    let told =
        world.texts(ALICE.id).await.iter().filter(|text| text.contains("joined through your link")).count();
    assert_eq!(told, 1);
}

/// Each preset with what it promises a referrer, and the button of the menu that shows the rewards.
const PROMISES: [(&str, &str, &str); 5] = [
    ("bitten", "get $10.00 off your bills for each friend who subscribes to a plan from $39.00", "My credit"),
    (
        "ott",
        "earn ₹28.00 for each plan a friend buys, and ₹9.00 for each plan their friends buy",
        "My earnings",
    ),
    ("autosales", "get 3% of every deposit your friends make", "My balance"),
    ("trollz", "get 30 days of premium for each friend who becomes a paying member", "My premium"),
    ("streamline", "", "My credit"),
];

/// Returns the texts that Alice gets, first the five that state the promise, and asserts that her menu has the button.
async fn texts_of(world: &World, button: &str) -> Vec<String> {
    let welcome = world.update(&message(world.update_id(), ALICE, "/start")).await.body;
    let menu = welcome["reply_markup"].to_string();
    assert!(menu.contains(button), "{button}: {menu}");
    let code = world.code_of(ALICE).await;
    let joined = world.joins(BOB, &code).await;
    world.drain().await;
    let told = world.texts(ALICE.id).await.join("\n");
    let mut texts = vec![welcome["text"].as_str().unwrap().to_owned(), joined, told];
    for command in ["/recruit", "/terms", "/credits", "/plans", "/help", "/profile", "/withdraw"] {
        texts.push(world.says(ALICE, command).await);
    }
    texts
}

#[tokio::test(flavor = "multi_thread")]
async fn every_preset_promises_its_own_rewards_and_no_others() {
    for (preset, promise, button) in PROMISES {
        let texts = texts_of(&World::of(preset).await, button).await;
        for text in &texts {
            assert!(!text.contains('{') && !text.is_empty(), "{preset}: {text}");
            assert!(matches!(preset, "bitten" | "streamline") || !text.contains("bill"), "{preset}: {text}");
        }
        for text in &texts[..5] {
            assert!(text.contains(promise), "{preset}: {text}");
            assert!(!promise.is_empty() || !text.contains("ou get"), "{preset}: {text}");
        }
    }
}
