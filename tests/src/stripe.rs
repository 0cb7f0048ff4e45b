//! Stripe's events: made here and signed, or made by the simulator.

use guerdon_app::context::{Clock, SystemClock};
use guerdon_domain::{money::Currency, time::Timestamp, wallets::WalletKind};
use guerdon_stripe::signature::{WebhookSecret, sign};
use serde_json::{Value, json};

use crate::{
    Answer, World,
    telegram::{ALICE, BOB, Person},
};

/// The signing secret in every world.
pub const SIGNING_SECRET: &str = "whsec_test_secret";

/// The machine's time: a signature's age is real time, whatever the stack's clock shows.
pub fn wall_now() -> Timestamp {
    SystemClock::default().now()
}

/// Makes an event with an object.
pub fn event(id: &str, kind: &str, object: &Value) -> Value {
    json!({
        "id": id,
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1_795_253_400,
        "livemode": false,
        "type": kind,
        "pending_webhooks": 1,
        "data": { "object": object },
    })
}

/// A finished subscription checkout that names its member.
pub fn checkout(person: Person, customer: &str) -> Value {
    let session = json!({
        "id": format!("cs_{customer}"),
        "object": "checkout.session",
        "mode": "subscription",
        "payment_status": "paid",
        "status": "complete",
        "created": 1_795_253_400,
        "currency": "usd",
        "amount_total": 3900,
        "customer": customer,
        "client_reference_id": person.id.to_string(),
        "metadata": {},
    });
    event(&format!("evt_cs_{customer}"), "checkout.session.completed", &session)
}

/// A paid first invoice of $39 that names its member, who has had no checkout.
pub fn invoice_naming(person: Person, invoice: &str, customer: &str) -> Value {
    let mut event = invoice_paid(invoice, customer, 3900, 3900);
    event["data"]["object"]["metadata"] = json!({ "telegram_id": person.id.to_string() });
    event
}

/// A paid subscription invoice of `minor` cents, with a line of `tier` cents.
pub fn invoice_paid(invoice: &str, customer: &str, minor: i64, tier: i64) -> Value {
    let object = json!({
        "id": invoice,
        "object": "invoice",
        "customer": customer,
        "status": "paid",
        "billing_reason": "subscription_create",
        "currency": "usd",
        "created": 1_795_253_400,
        "amount_due": minor,
        "amount_paid": minor,
        "subtotal": tier,
        "total": minor,
        "starting_balance": 0,
        "ending_balance": 0,
        "status_transitions": { "finalized_at": 1_795_253_400, "paid_at": 1_795_253_400 },
        "parent": {
            "type": "subscription_details",
            "subscription_details": { "subscription": "sub_1", "metadata": {} },
        },
        "lines": { "object": "list", "data": [{
            "id": "il_1", "object": "line_item", "amount": tier, "currency": "usd",
            "parent": {
                "type": "subscription_item_details",
                "subscription_item_details": { "subscription": "sub_1", "proration": false },
            },
            "period": { "start": 1_795_253_400, "end": 1_797_845_400 },
        }] },
    });
    event(&format!("evt_{invoice}"), "invoice.paid", &object)
}

impl World {
    /// Posts a body with a signature of `secret` made at `at`.
    pub async fn stripe_signed(&self, body: &str, secret: &str, at: Timestamp) -> Answer {
        let secret = WebhookSecret::try_new(secret).expect("a secret");
        let signature = sign(body.as_bytes(), &secret, at);
        let headers = [("stripe-signature", signature.as_str()), ("content-type", "application/json")];
        let body = body.as_bytes().to_vec();
        self.request(reqwest::Method::POST, "/api/stripe/webhook", &headers, body).await
    }

    /// Posts an event with a valid signature; panics unless it is accepted.
    pub async fn stripe(&self, event: &Value) {
        let answer = self.stripe_signed(&event.to_string(), SIGNING_SECRET, wall_now()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Alice brought Bob, who has linked his customer, some minutes ago.
    pub async fn referred() -> Self {
        let world = Self::new().await;
        let code = world.code_of(ALICE).await;
        world.joins(BOB, &code).await;
        world.stripe(&checkout(BOB, "cus_bob")).await;
        world.drain().await;
        world.advance(600).await;
        world
    }

    /// Sends events, one second apart, each twice.
    pub async fn tell(&self, events: &[Value]) {
        for (second, event) in events.iter().enumerate() {
            let mut event = event.clone();
            event["created"] = json!(1_795_253_500 + second);
            self.stripe(&event).await;
            self.stripe(&event).await;
            self.drain().await;
        }
    }

    /// A member's available bill credit, in cents.
    pub async fn bill_credit(&self, person: Person) -> i64 {
        let (store, member) = (self.stack().app().store(), self.member(person));
        let wallet = store.wallets().find(&member, WalletKind::BillCredit, Currency::USD).await;
        wallet.expect("a wallet").buckets.available
    }

    /// The parked events that operators see.
    pub async fn parked(&self) -> Vec<Value> {
        self.operator_get("parked").await["items"].as_array().cloned().unwrap_or_default()
    }

    /// Makes `person` pay for the first month of a tier, as a customer of their own.
    pub async fn pays(&self, person: Person, minor: i64, tier: i64) {
        let customer = format!("cus_{}", person.name);
        self.stripe(&checkout(person, &customer)).await;
        self.stripe(&invoice_paid(&format!("in_{}", person.name), &customer, minor, tier)).await;
        self.drain().await;
    }

    /// Runs an action of the simulator; panics unless it succeeds.
    pub async fn sim(&self, action: &str, body: &Value) -> Value {
        let answer = self.post(&format!("/sim/api/{action}"), body).await;
        assert_eq!(answer.body["ok"], true, "{action}: {answer:?}");
        answer.body
    }

    /// The bodies of the simulator's events so far, in order.
    pub async fn sim_events(&self) -> Vec<String> {
        let events = self.get("/sim/api/stripe/events").await.body;
        let events = events.as_array().cloned().expect("a list of events");
        events.iter().filter_map(|event| event["body"].as_str().map(str::to_owned)).collect()
    }
}
