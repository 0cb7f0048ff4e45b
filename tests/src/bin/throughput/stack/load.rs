//! Members who join, and members who pay.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, ensure};
use guerdon_app::context::{Clock, SystemClock};
use guerdon_stripe::signature::{WebhookSecret, sign};
use reqwest::Client;
use serde_json::{Value, json};

use super::{
    Run,
    server::{ADMIN_TOKEN, LOCAL_TOKEN, SIGNING_SECRET, Server, WEBHOOK_SECRET},
};
use crate::{
    Plan, cpu, people,
    report::{micros_since, now},
};

/// The sample of a real first invoice of $39.
const INVOICE: &str = include_str!("../../../../../events/stripe/invoice.paid--first-39.json");

/// The people of a run: all have joined and none has paid.
pub(crate) struct Load {
    /// Telegram ids.
    pub(crate) referrers: Vec<u64>,
    /// Telegram ids; each will pay once.
    pub(crate) referees: BTreeSet<u64>,
    http: Http,
}

/// Keep-alive connections to the stack.
#[derive(Clone)]
pub(crate) struct Http {
    client: Client,
    base: String,
    connections: usize,
}

/// Makes all people join through the bot, and links the payers' Stripe customers.
pub(crate) async fn prepare(plan: &Plan, server: &Server, referrers: u64) -> anyhow::Result<Load> {
    let http = Http::new(server, plan.concurrency)?;
    let mut codes = Vec::new();
    let referrers = people::referrers(referrers);
    for &referrer in &referrers {
        http.says(referrer, "/start", referrer).await?;
        let reply = http.says(referrer, "/recruit", 10_000_000 + referrer).await?;
        let (_, code) = reply.split_once("start=ref_").context("no deep link in the reply")?;
        codes.push(code.chars().take(8).collect::<String>());
    }
    let referees: BTreeSet<u64> = people::referees(plan.payments).collect();
    let starts: Vec<(u64, String)> = referees
        .iter()
        .map(|&referee| (referee, format!("/start ref_{}", codes[people::pick(referee, codes.len())])))
        .collect();
    let joining = http.clone();
    people::share(vec![(); http.connections], starts, move |(), (referee, text)| {
        let http = joining.clone();
        async move { http.says(referee, &text, referee).await.map(|_| ()) }
    })
    .await?;
    let load = Load { referrers, referees, http };
    if !plan.unlinked {
        let checkouts = load.referees.iter().map(|&referee| checkout(referee)).collect();
        load.http.send_signed(checkouts).await?;
    }
    load.http.drain().await?;
    Ok(load)
}

/// Runs the payments of all referees, with everything that follows from them.
pub(crate) async fn pay(_plan: &Plan, server: &Server, load: &Load) -> anyhow::Result<Run> {
    let template: Value = serde_json::from_str(INVOICE)?;
    let events: Vec<String> = load.referees.iter().map(|&referee| invoice(&template, referee)).collect();
    let http = &load.http;
    http.client
        .delete(http.url("/local/costs"))
        .header("x-local-token", LOCAL_TOKEN)
        .send()
        .await?
        .error_for_status()?;
    let (cpu_before, client_before) = (server.cpu_micros()?, cpu::of_this()?);
    let start = now();
    http.send_signed(events).await?;
    let accepted_micros = micros_since(start);
    while http.get("/local/queues").await?["payments"]["live"] != 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let booked_micros = micros_since(start);
    http.drain().await?;
    let drained_micros = micros_since(start);
    let cpu_micros = server.cpu_micros()? - cpu_before;
    let client_cpu_micros = cpu::of_this()? - client_before;
    let costs = http.get("/local/costs").await?.as_array().cloned().unwrap_or_default();
    Ok(Run { accepted_micros, booked_micros, drained_micros, cpu_micros, client_cpu_micros, costs })
}

impl Load {
    /// An answer of the operators' API.
    pub(crate) async fn admin(&self, path: &str) -> anyhow::Result<Value> {
        self.http.get(&format!("/api/admin/credits/{path}")).await
    }

    /// The lengths of the queues.
    pub(crate) async fn queues(&self) -> anyhow::Result<Value> {
        self.http.get("/local/queues").await
    }
}

impl Http {
    fn new(server: &Server, connections: u64) -> anyhow::Result<Self> {
        let connections = usize::try_from(connections)?;
        let client = Client::builder().pool_max_idle_per_host(connections).no_proxy().build()?;
        Ok(Self { client, base: server.base.clone(), connections })
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.client.get(self.url(path)).header("x-admin-token", ADMIN_TOKEN);
        Ok(request.send().await?.error_for_status()?.json().await?)
    }

    /// Waits until queues and stream are empty, also beyond the stack's own time limit.
    async fn drain(&self) -> anyhow::Result<()> {
        for _ in 0..30 {
            if self
                .client
                .post(self.url("/local/drain"))
                .header("x-local-token", LOCAL_TOKEN)
                .send()
                .await?
                .status()
                .is_success()
            {
                return Ok(());
            }
        }
        anyhow::bail!("the stack does not come to rest")
    }

    /// Writes to the bot as a member and returns the text of its answer.
    async fn says(&self, user: u64, text: &str, update_id: u64) -> anyhow::Result<String> {
        let name = format!("User{user}");
        let update = json!({
            "update_id": update_id,
            "message": {
                "message_id": 1,
                "from": { "id": user, "is_bot": false, "first_name": name, "language_code": "en" },
                "chat": { "id": user, "type": "private", "first_name": name },
                "date": SystemClock::default().now().seconds(),
                "text": text,
            },
        });
        let request = self
            .client
            .post(self.url("/telegram/webhook"))
            .header("x-telegram-bot-api-secret-token", WEBHOOK_SECRET)
            .body(update.to_string());
        let reply = request.send().await?.error_for_status()?.text().await?;
        let reply: Value = serde_json::from_str(&reply).with_context(|| format!("{text}: no reply"))?;
        Ok(reply["text"].as_str().unwrap_or_default().to_owned())
    }

    /// Posts events as Stripe does, each signed when it is sent.
    async fn send_signed(&self, events: Vec<String>) -> anyhow::Result<()> {
        let (client, url) = (self.client.clone(), self.url("/api/stripe/webhook"));
        let secret = WebhookSecret::try_new(SIGNING_SECRET)?;
        people::share(vec![(); self.connections], events, move |(), body: String| {
            let signature = sign(body.as_bytes(), &secret, SystemClock::default().now());
            let request = client.post(&url).header("stripe-signature", signature).body(body);
            async move {
                let response = request.send().await?;
                ensure!(response.status() == 200, "an event was answered with {}", response.status());
                // A connection is reused only after its answer was read.
                response.bytes().await?;
                Ok(())
            }
        })
        .await
    }
}

fn checkout(referee: u64) -> String {
    let at = SystemClock::default().now().seconds();
    json!({
        "id": format!("evt_cs_{referee}"),
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": at,
        "livemode": false,
        "type": "checkout.session.completed",
        "data": { "object": {
            "id": format!("cs_{referee}"),
            "object": "checkout.session",
            "mode": "subscription",
            "payment_status": "paid",
            "status": "complete",
            "created": at,
            "currency": "usd",
            "amount_total": 3900,
            "customer": format!("cus_{referee}"),
            "client_reference_id": referee.to_string(),
            "metadata": {},
        } },
    })
    .to_string()
}

/// Changes the sample invoice to the first one of `referee`, paid now.
fn invoice(template: &Value, referee: u64) -> String {
    let at = json!(SystemClock::default().now().seconds());
    let mut event = template.clone();
    event["id"] = json!(format!("evt_{referee}"));
    event["created"] = at.clone();
    let invoice = &mut event["data"]["object"];
    invoice["id"] = json!(format!("in_{referee}"));
    invoice["customer"] = json!(format!("cus_{referee}"));
    for time in ["created", "effective_at", "period_start", "period_end"] {
        invoice[time] = at.clone();
    }
    for time in ["finalized_at", "paid_at"] {
        invoice["status_transitions"][time] = at.clone();
    }
    let metadata = json!({ "telegram_id": referee.to_string() });
    invoice["lines"]["data"][0]["metadata"] = metadata.clone();
    invoice["parent"]["subscription_details"]["metadata"] = metadata;
    event.to_string()
}
