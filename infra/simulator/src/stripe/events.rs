//! Events: made, signed, delivered, kept.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{
    objects::API_VERSION,
    state::{Delivery, EventRecord, Stripe},
};
use crate::{answer::ActionError, log::push_capped, world::Side};

/// Real Stripe retries for three days. These are the pauses between our four tries.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(50), Duration::from_millis(250), Duration::from_millis(1_000)];

/// A signature's age is real time, however far the test clock has been moved.
#[expect(clippy::disallowed_methods, reason = "signatures age by the wall clock")]
fn wall_seconds() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// `t=<unix>,v1=<hex>` over `{t}.{body}`, keyed with the whole secret, `whsec_` included.
pub(crate) fn signature_header(secret: &str, at: i64, body: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(at.to_string().as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    Some(format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes())))
}

impl Stripe {
    /// Records an event about `object` as it is now; delivery comes later, outside the lock.
    pub(crate) fn emit(
        &mut self,
        now: i64,
        secret: &str,
        kind: &str,
        object: Value,
        previous: Option<Value>,
    ) -> String {
        let id = self.next_id("evt");
        let customer = match object["object"].as_str() {
            Some("customer") => object["id"].as_str(),
            Some("invoice_payment") => {
                let invoice = object["invoice"].as_str().and_then(|id| self.invoice(id));
                invoice.map(|invoice| invoice.customer.as_str())
            }
            _ => object["customer"].as_str(),
        };
        let customer = customer.map(str::to_owned);
        let mut data = json!({"object": object});
        if let Some(previous) = previous {
            data["previous_attributes"] = previous;
        }
        let body = json!({
            "id": id, "object": "event", "api_version": API_VERSION, "created": now, "data": data,
            "livemode": false, "pending_webhooks": 1, "request": {"id": null, "idempotency_key": null},
            "type": kind,
        })
        .to_string();
        push_capped(
            &mut self.events,
            EventRecord {
                id: id.clone(),
                kind: kind.to_owned(),
                customer,
                created: now,
                signature_header: signature_header(secret, wall_seconds(), &body).unwrap_or_default(),
                body,
                status: if self.hold { Delivery::Held } else { Delivery::Pending },
                http_status: None,
                attempts: 0,
            },
        );
        id
    }
}

impl Side<Stripe> {
    /// The last events sent to (or held back from) the Stripe webhook about a customer, or about everybody, oldest
    /// first: `{id, type, body, signature_header, status, http_status, attempts, customer, created}`. `body` is
    /// the exact text that was signed.
    #[must_use]
    pub(crate) fn last_events(&self, customer: Option<&str>) -> Vec<Value> {
        self.read(|stripe| {
            let events = stripe.events.iter();
            let wanted = events.filter(|event| customer.is_none() || event.customer.as_deref() == customer);
            wanted.map(|event| json!(event)).collect()
        })
    }

    /// Delivers events one after the other, in order, except those on hold.
    pub(crate) async fn deliver_pending(&self, ids: &[String]) {
        for id in ids {
            let pending = self.read(|stripe| {
                stripe.events.iter().any(|event| event.id == *id && event.status == Delivery::Pending)
            });
            if pending {
                drop(self.deliver(id).await);
            }
        }
    }

    /// Delivers one event now, held or already delivered alike: what Stripe's "resend" button does.
    pub(crate) async fn deliver(&self, id: &str) -> Result<Value, ActionError> {
        let body = self
            .read(|stripe| stripe.events.iter().find(|event| event.id == id).map(|event| event.body.clone()));
        let body = body.ok_or_else(|| ActionError::not_found("there is no such event"))?;
        let mut outcome = self.attempt(id, &body).await;
        for pause in PAUSES {
            if outcome == Delivery::Delivered {
                break;
            }
            tokio::time::sleep(pause).await;
            outcome = self.attempt(id, &body).await;
        }
        let now = self.now();
        self.change(|stripe| {
            if let Some(event) = stripe.events.iter_mut().find(|event| event.id == id) {
                event.status = outcome;
            }
            if outcome == Delivery::Delivered {
                note_acknowledged(stripe, &body, now);
            }
        });
        Ok(json!({"id": id, "status": outcome}))
    }

    /// One try. It is signed anew, as Stripe does, so that a late try is not a stale one.
    async fn attempt(&self, id: &str, body: &str) -> Delivery {
        let config = self.config();
        let Some(signature) = signature_header(&config.stripe_webhook_secret, wall_seconds(), body) else {
            return Delivery::Failed;
        };
        let request = self
            .http()
            .post(format!("{}/api/stripe/webhook", config.base_url))
            .header("Content-Type", "application/json; charset=utf-8")
            .header("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
            .header("Stripe-Signature", &signature)
            .body(body.to_owned());
        let status = match request.send().await {
            Ok(response) => Some(response.status()),
            Err(error) => {
                tracing::warn!(%error, "the Stripe webhook could not be reached");
                None
            }
        };
        self.change(|stripe| {
            if let Some(event) = stripe.events.iter_mut().find(|event| event.id == id) {
                event.attempts += 1;
                event.http_status = status.map(|status| status.as_u16());
                event.signature_header = signature;
            }
        });
        if status.is_some_and(|status| status.is_success()) { Delivery::Delivered } else { Delivery::Failed }
    }
}

/// An invoice remembers when its `invoice.created` was taken.
fn note_acknowledged(stripe: &mut Stripe, body: &str, now: i64) {
    let Ok(event) = serde_json::from_str::<Value>(body) else { return };
    if event["type"] != "invoice.created" {
        return;
    }
    let id = event["data"]["object"]["id"].as_str().unwrap_or_default();
    if let Some(invoice) = stripe.invoice_mut(id) {
        invoice.delivered_at.get_or_insert(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python's hmac module.
    #[test]
    fn signature_is_stripes() {
        let header = signature_header("whsec_test", 1_700_000_000, "{\"id\":\"evt_1\"}").unwrap();
        assert_eq!(header, format!("t=1700000000,v1={}", EXPECTED));
    }

    const EXPECTED: &str = "c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925";
}
