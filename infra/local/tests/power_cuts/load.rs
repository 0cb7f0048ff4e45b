//! Mixed load on a stack: members who join by a referral, payments at the bank, and invoices of Stripe.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use guerdon_app::context::{Clock, SystemClock};
use guerdon_stripe::signature::{WebhookSecret, sign};
use serde_json::{Value, json};

use crate::support::*;

pub const STRIPE_SECRET: &str = "whsec_power_cuts";
pub const TOKEN: &str = "x-admin-token: operators-token\r\ncontent-type: application/json";
/// Clients that work at once.
pub const CLIENTS: u64 = 6;
/// Tries of a patient client.
const PATIENCE: u32 = 600;
/// Time of the load before the stack is killed.
pub const LOAD: Duration = Duration::from_secs(4);

/// Something that was acknowledged.
#[derive(Debug, Clone)]
pub enum Fact {
    /// A member who joined, with their code.
    Member(u64),
    /// A payment by its natural key.
    Payment(String),
}

/// What was acknowledged, each with the length of the log at that time.
#[derive(Default)]
pub struct Acknowledged(pub Mutex<Vec<(u64, Fact)>>);

pub fn of_preset(folder: &Path, preset: &str) -> Command {
    let mut command = command(folder);
    command.env("GUERDON_PRESET", preset).env("STRIPE_WEBHOOK_SECRET", STRIPE_SECRET);
    for limit in ["ADMIN", "SERVICE", "MEMBER"] {
        command.env(format!("GUERDON_{limit}_CALLS_PER_MINUTE"), "100000");
    }
    command
}

pub fn body(answer: &str) -> Value {
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

pub fn invoice(id: u64, plan_currency: &str) -> (String, Value) {
    let (invoice, paid) = (format!("in_power{id}"), 1_795_253_400);
    let object = json!({
        "id": invoice, "object": "invoice", "customer": format!("cus_power{id}"), "status": "paid",
        "billing_reason": "subscription_create", "currency": plan_currency, "created": paid,
        "amount_due": 3900, "amount_paid": 3900, "subtotal": 3900, "total": 3900,
        "starting_balance": 0, "ending_balance": 0, "metadata": { "telegram_id": id.to_string() },
        "status_transitions": { "finalized_at": paid, "paid_at": paid },
        "parent": { "type": "subscription_details",
                    "subscription_details": { "subscription": format!("sub_{id}"), "metadata": {} } },
        "lines": { "object": "list", "has_more": false, "data": [] },
    });
    let event = json!({
        "id": format!("evt_power{id}"), "object": "event", "api_version": "2026-10-28.endive", "created": paid,
        "livemode": false, "type": "invoice.paid", "pending_webhooks": 1, "data": { "object": object },
    });
    (invoice, event)
}

/// What the clients share.
pub struct Load<'a> {
    pub address: &'a str,
    /// The recorder's log, if there is one.
    pub log: &'a Path,
    pub next: &'a AtomicU64,
    pub done: &'a Acknowledged,
    pub currency: &'a str,
    pub code: &'a str,
    /// Whether a client tries again what was refused because the disk was full.
    pub is_patient: bool,
}

impl Load<'_> {
    fn acknowledged(&self, fact: Fact) {
        let length = fs::metadata(self.log).map_or(0, |log| log.len());
        self.done.0.lock().unwrap().push((length, fact));
    }

    /// Posts until it is acknowledged; returns the answer. None when the stack is gone, or when it refused and the client
    /// does not try again.
    fn post(&self, path: &str, headers: &str, body: &str) -> Option<String> {
        for _ in 0..PATIENCE {
            let answer = try_request(self.address, "POST", path, headers, body).ok()?;
            match answer.get(..12)? {
                "HTTP/1.1 200" => return Some(answer),
                "HTTP/1.1 500" | "HTTP/1.1 503" if self.is_patient => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                _ => panic!("{path}: {answer}"),
            }
        }
        panic!("{path} is refused for ever")
    }
}

/// One client: members who join by a referral, a payment at the bank, and an invoice of Stripe. It stops when the stack
/// is gone.
pub fn work(load: &Load<'_>, until: Instant) {
    while Instant::now() < until && one(load).is_some() {}
}

fn one(load: &Load<'_>) -> Option<()> {
    let id = load.next.fetch_add(1, Ordering::Relaxed);
    load.post("/telegram/webhook", TELEGRAM, &joining(id, load.code))?;
    load.acknowledged(Fact::Member(id));
    let payment = json!({
        "user_id": id, "amount": "39.00", "currency": load.currency.to_uppercase(),
        "reference": format!("POWER{id}"), "purpose": "purchase", "reason": "seen at the bank",
    });
    let headers = format!("{TOKEN}\r\nidempotency-key: power-{id}");
    let answer = load.post("/api/admin/payments", &headers, &payment.to_string())?;
    load.acknowledged(Fact::Payment(body(&answer)["payment"].as_str().unwrap().to_owned()));
    let (invoice, event) = invoice(id, load.currency);
    let event = event.to_string();
    let secret = WebhookSecret::try_new(STRIPE_SECRET).unwrap();
    let signed = sign(event.as_bytes(), &secret, SystemClock::default().now());
    load.post("/api/stripe/webhook", &format!("stripe-signature: {signed}"), &event)?;
    load.acknowledged(Fact::Payment(format!("stripe:{invoice}")));
    Some(())
}

const TELEGRAM: &str = "x-telegram-bot-api-secret-token: webhook-secret";

fn joining(id: u64, code: &str) -> String {
    update(id, id, &format!("/start ref_{code}"))
}

fn update(number: u64, id: u64, text: &str) -> String {
    let update = json!({ "update_id": number, "message": {
        "message_id": 1, "date": 1, "text": text,
        "chat": { "id": id, "type": "private" }, "from": { "id": id, "is_bot": false, "first_name": format!("M{id}") },
    } });
    update.to_string()
}

/// A member who joins by the code.
pub fn join(address: &str, id: u64, code: &str) {
    let answer = request(address, "POST", "/telegram/webhook", TELEGRAM, &joining(id, code));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

pub fn user(address: &str, id: u64) -> Option<Value> {
    let answer = request(address, "GET", &format!("/api/admin/credits/user/{id}"), TOKEN, "");
    if answer.starts_with("HTTP/1.1 404") {
        return None;
    }
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    Some(body(&answer))
}

/// The first member, who refers all others.
pub const ROOT: u64 = 1;

/// The root member, made anew or found again, and their code.
pub fn root(address: &str) -> String {
    let code = |user: Option<Value>| user.and_then(|user| user["referral_code"].as_str().map(str::to_owned));
    code(user(address, ROOT)).unwrap_or_else(|| {
        // The cut may be between the member and their code.
        let again = update(900_000_000, ROOT, "/recruit");
        request(address, "POST", "/telegram/webhook", TELEGRAM, &again);
        code(user(address, ROOT)).unwrap()
    })
}

/// Starts the stack on what was left, and looks for everything that was acknowledged before.
pub fn check(folder: &Path, preset: &str, acknowledged: &[&Fact], ids: u64, what: &str) {
    let running = started(of_preset(folder, preset));
    check_running(folder, &running, acknowledged, ids, what);
    drop(running);
    let mut verify = of_preset(folder, preset);
    let output = verify.arg("verify-ledger").output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("The ledger is sound."), "{what}: {text}");
}

fn check_running(folder: &Path, running: &Running, acknowledged: &[&Fact], ids: u64, what: &str) {
    let address = &running.address;
    let drained = body(&change(folder, running, "/local/drain", "{}"));
    let dead = ["payments", "credits", "notifications"].map(|queue| drained[queue]["dead"].as_u64());
    assert_eq!((&drained["drained"], dead), (&json!(true), [Some(0); 3]), "{what}: {drained}");
    for fact in acknowledged {
        match fact {
            Fact::Member(id) => assert!(user(address, *id).is_some(), "{what}: member {id} is lost"),
            Fact::Payment(key) => {
                let answer = request(address, "GET", &format!("/api/admin/payments/{key}"), TOKEN, "");
                assert!(answer.starts_with("HTTP/1.1 200"), "{what}: {key} is lost: {answer}");
            }
        }
    }
    let members = (ROOT..ids).filter(|id| user(address, *id).is_some()).count();
    if members > 0 {
        let recruits = user(address, ROOT).unwrap()["recruits"].as_u64().unwrap();
        assert_eq!(recruits, members as u64 - 1, "{what}: the recruits are counted once");
        // It goes on: one more member joins and is counted.
        join(address, 1_000_000 + ids, &root(address));
        change(folder, running, "/local/drain", "{}");
        assert_eq!(user(address, ROOT).unwrap()["recruits"].as_u64().unwrap(), members as u64, "{what}");
    }
}
