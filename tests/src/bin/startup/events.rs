//! First events that make a function do its usual work: read its secrets, query the table.

use guerdon_app::context::{Clock, SystemClock};
use guerdon_stripe::signature::{WebhookSecret, sign};
use serde_json::{Value, json};

use crate::api::SECRET;

const START: &str = include_str!("../../../../events/telegram/start_bare.json");
const INVOICE: &str = include_str!("../../../../events/stripe/invoice.paid--first-39.json");

/// The first event of `function`, if its first call is measured.
pub fn first_event(function: &str) -> Option<String> {
    let event = match function {
        "telegram-webhook" => {
            http("/telegram/webhook", &json!({ "x-telegram-bot-api-secret-token": SECRET }), START)
        }
        "stripe-webhook" => {
            let secret = WebhookSecret::try_new(SECRET).ok()?;
            let signature = sign(INVOICE.as_bytes(), &secret, SystemClock::default().now());
            http("/api/stripe/webhook", &json!({ "stripe-signature": signature }), INVOICE)
        }
        "commission-worker" => message("payments", INVOICE),
        "billing-worker" => message("credits", &booked().to_string()),
        "hold-release" | "code-expiry" | "ledger-verifier" => json!({}),
        _ => return None,
    };
    Some(event.to_string())
}

/// A batch of one message.
fn message(queue: &str, body: &str) -> Value {
    json!({ "Records": [{
        "messageId": "1",
        "receiptHandle": "1",
        "body": body,
        "attributes": {},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:eu-central-1:123456789012:{queue}"),
        "awsRegion": "eu-central-1",
    }] })
}

/// A commission's announcement in the bus's envelope.
fn booked() -> Value {
    json!({
        "id": "1",
        "detail-type": "commission.booked",
        "source": "guerdon",
        "time": "2026-11-21T09:30:00Z",
        "detail": {
            "event": "commission_booked",
            "commission": "stripe:in_A1-recruit-1",
            "beneficiary": "6badfa96792b5eba24be8a1dc31793b2",
            "referee": "b46d230c1f13b0d7a2034309ca55d111",
            "amount": { "minor": 1000, "currency": "USD" },
            "due_at": 1_795_253_400_000_i64,
            "booked_at": 1_795_253_400_000_i64,
        },
    })
}

/// A request in the format of a Function URL or an HTTP API.
fn http(path: &str, headers: &Value, body: &str) -> Value {
    let mut headers = headers.clone();
    headers["host"] = json!("bench.lambda-url.eu-central-1.on.aws");
    headers["content-type"] = json!("application/json");
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "bench",
            "domainName": "bench.lambda-url.eu-central-1.on.aws",
            "domainPrefix": "bench",
            "http": {
                "method": "POST",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "bench",
            },
            "requestId": "1",
            "routeKey": "$default",
            "stage": "$default",
            "time": "21/Nov/2026:09:30:00 +0000",
            "timeEpoch": 1_795_253_400_000_i64,
        },
        "body": body,
        "isBase64Encoded": false,
    })
}
