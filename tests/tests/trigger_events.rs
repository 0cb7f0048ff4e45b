//! Tests of one sample event per trigger (`events/aws`), passed to its function as Lambda does.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use std::{fs, path::Path};

use aws_lambda_events::sqs::SqsEvent;
use guerdon_runtime::stream::{StreamEvent, changes};
use guerdon_tests::World;
use lambda_http::{IntoResponse, request::LambdaRequest};
use serde::de::DeserializeOwned;

fn sample<T: DeserializeOwned>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/aws").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The request that `lambda_http` makes of an event.
fn http_event(name: &str) -> lambda_http::Request {
    lambda_http::Request::from(sample::<LambdaRequest>(name))
}

#[test]
fn webhook_requests_come_with_their_raw_body_and_lower_case_headers() {
    let telegram = http_event("telegram-webhook.function-url.json");
    assert_eq!(telegram.method(), http::Method::POST);
    assert!(telegram.headers().contains_key("x-telegram-bot-api-secret-token"));
    guerdon_telegram::update::Update::parse(telegram.body().as_ref()).unwrap();
    let stripe = http_event("stripe-webhook.http-api.json");
    assert!(stripe.headers().contains_key("stripe-signature"));
    // This body is base64; the decoded body, as Stripe sent it, is verified and read.
    assert!(guerdon_stripe::event::StripeEvent::parse(stripe.body().as_ref()).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_router_answers_a_lambda_request() {
    use admin_api::{routes::router, state::Api};
    use guerdon_api::gate::{Gate, Limits};
    let world = World::new().await;
    let secret = (guerdon_runtime::secrets::Secret::AdminToken, guerdon_tests::ADMIN_TOKEN.to_owned());
    let gate = Gate {
        app: world.stack().app().clone(),
        secrets: guerdon_runtime::secrets::Secrets::given([secret]),
        limits: Limits::default(),
        origins: Vec::new(),
    };
    let api = Api { gate, super_admin: None };
    let request = http_event("admin-api.http-api.json");
    let response = tower::ServiceExt::oneshot(router(api), request).await.unwrap().into_response().await;
    assert_eq!(response.status(), 200, "{response:?}");
}

#[test]
fn queue_batches_are_read() {
    for name in
        ["commission-worker.payments.json", "billing-worker.credits.json", "notifier.notifications.json"]
    {
        let event: SqsEvent = sample(name);
        assert!(!event.records.is_empty(), "{name}");
        for record in event.records {
            let body = record.body.unwrap();
            let is_ours = serde_json::from_str::<guerdon_runtime::bus::Envelope>(&body).is_ok();
            assert_eq!(is_ours, !name.contains("payments"), "{name}: {body}");
        }
    }
}

#[test]
fn the_payments_queues_messages_are_told_apart_by_their_tag() {
    use commission_worker::message::Message;
    use guerdon_app::context::{Clock, SystemClock};
    let event: SqsEvent = sample("commission-worker.payments.json");
    let read = |record: &aws_lambda_events::sqs::SqsMessage| match Message::parse(
        record.body.as_deref().unwrap(),
        SystemClock::default().now(),
    )
    .unwrap()
    {
        Message::Event(received) => format!("{} after {} replays", received.event.kind, received.replays),
        Message::Replay { waits_for, .. } => format!("{waits_for:?}"),
    };
    let read: Vec<_> = event.records.iter().map(read).collect();
    let expected = [
        "invoice.paid after 0 replays",
        "invoice.paid after 1 replays",
        r#"Customer { customer: CustomerId("cus_B1") }"#,
    ];
    assert_eq!(read, expected);
}

#[test]
fn stream_batches_are_read_change_by_change() {
    let event: StreamEvent = sample("projector.stream.json");
    assert!(event.shard_id.is_some());
    let (changes, unreadable) = changes(&event);
    assert_eq!((changes.len(), unreadable), (event.records.len(), None));
    let events: Vec<_> =
        changes.iter().filter_map(guerdon_app::events::event_of).map(|event| event.name()).collect();
    assert_eq!(events, ["referral.created", "commission.booked"]);
}

#[test]
fn a_schedules_input_is_any_json() {
    for name in ["hold-release.schedule.json", "code-expiry.schedule.json", "ledger-verifier.schedule.json"] {
        assert!(sample::<serde_json::Value>(name)["scheduled_time"].is_string(), "{name}");
    }
}
