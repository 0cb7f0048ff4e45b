//! Format of the payments queue.
//!
//! The field `object`, which Stripe sets on everything it sends, says what a body is:
//!
//! | `object` | content | written by |
//! |---|---|---|
//! | `event` | a Stripe event as received | stripe-webhook |
//! | `guerdon.parked_event` | a Stripe event that was parked | this function |
//! | `guerdon.announcement` | a domain event that causes parked events to be replayed | the bus's rule |

use std::borrow::Cow;

use guerdon_app::{
    error::{AppError, Reason},
    events::{Announcement, DomainEvent},
    stored::{ParkedEvent, WaitsFor},
};
use guerdon_domain::time::Timestamp;
use guerdon_stripe::event::{ParseError, StripeEvent};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Serialize, Deserialize)]
#[serde(tag = "object")]
enum Body {
    #[serde(rename = "event")]
    Event(Map<String, Value>),
    #[serde(rename = "guerdon.parked_event")]
    Parked {
        /// Time when the event was first received.
        guerdon_parked_at: Timestamp,
        /// Number of replays, this one included.
        replays: u32,
        /// The event as received.
        body: String,
    },
    #[serde(rename = "guerdon.announcement")]
    Announced { announcement: Announcement },
}

/// A message of the queue.
#[derive(Debug)]
pub enum Message<'a> {
    /// A Stripe event.
    Event(Box<Received<'a>>),
    /// An announcement: the events that wait for it must be replayed.
    Replay {
        /// The name that became known, or that an operator asked to replay.
        waits_for: WaitsFor,
        /// The correlation id of the announcement.
        correlation_id: Option<String>,
    },
}

/// A received event, with what must be stored when it is parked.
#[derive(Debug)]
pub struct Received<'a> {
    /// The event.
    pub event: StripeEvent,
    /// The event as received.
    pub body: Cow<'a, str>,
    /// Time when the event was first received.
    pub known_at: Timestamp,
    /// Number of replays.
    pub replays: u32,
}

impl<'a> Message<'a> {
    /// Reads a body that arrived at `now`.
    ///
    /// # Errors
    /// [`AppError::Corrupt`] when the body cannot be read; the error never quotes the body.
    pub fn parse(body: &'a str, now: Timestamp) -> Result<Self, AppError> {
        let received = |event: Result<StripeEvent, ParseError>, body, known_at, replays| {
            let event = event.map_err(|error| AppError::Corrupt(Reason::of(error)))?;
            Ok(Self::Event(Box::new(Received { event, body, known_at, replays })))
        };
        match serde_json::from_str(body).map_err(|error| unreadable(&error))? {
            Body::Event(event) => {
                received(StripeEvent::read(&Value::Object(event)), Cow::Borrowed(body), now, 0)
            }
            Body::Parked { guerdon_parked_at, replays, body } => {
                received(StripeEvent::parse(body.as_bytes()), Cow::Owned(body), guerdon_parked_at, replays)
            }
            Body::Announced { announcement } => replay(announcement),
        }
    }
}

fn replay(announcement: Announcement) -> Result<Message<'static>, AppError> {
    let waits_for = match announcement.event {
        DomainEvent::ReplayRequested { waits_for, .. } => waits_for,
        // A member who was just linked may have events that were parked until the link existed.
        DomainEvent::CustomerLinked { customer, .. } => WaitsFor::Customer { customer },
        other => {
            return Err(AppError::Corrupt(
                format!("{} does not belong into this queue", other.name()).into(),
            ));
        }
    };
    Ok(Message::Replay { waits_for, correlation_id: announcement.correlation_id })
}

/// Describes the place of a parse error. The error's own text may quote personal data, so it is not used.
fn unreadable(error: &serde_json::Error) -> AppError {
    let (line, column) = (error.line(), error.column());
    AppError::Corrupt(format!("no message of the payments queue: line {line}, column {column}").into())
}

/// Builds the body with which a parked event returns to the queue.
///
/// # Errors
/// [`AppError::Corrupt`] when it cannot be encoded.
pub(crate) fn again(event: ParkedEvent) -> Result<String, AppError> {
    let replays = event.replays.saturating_add(1);
    let parked = Body::Parked { guerdon_parked_at: event.parked_at, replays, body: event.body };
    Ok(serde_json::to_string(&parked)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_253_400);
    const EVENT: &str = r#"{"object":"event","id":"evt_1","type":"customer.created","created":1795253390,
        "data":{"object":{"object":"customer","id":"cus_1"}}}"#;

    fn waiting_for(customer: &str) -> WaitsFor {
        WaitsFor::Customer { customer: guerdon_domain::ids::CustomerId::parse(customer).unwrap() }
    }

    fn parked(replays: u32) -> ParkedEvent {
        ParkedEvent {
            event_id: "evt_1".to_owned(),
            waits_for: waiting_for("cus_1"),
            event_kind: "customer.created".to_owned(),
            created: NOW,
            parked_at: NOW.plus_seconds(-60),
            body: EVENT.to_owned(),
            replay_requested_at: None,
            replays,
        }
    }

    fn event(body: &str) -> Box<Received<'_>> {
        match Message::parse(body, NOW).unwrap() {
            Message::Event(received) => received,
            Message::Replay { waits_for, .. } => panic!("a replay of what waits for {waits_for:?}"),
        }
    }

    #[test]
    fn an_event_is_read_as_stripe_sent_it() {
        let received = event(EVENT);
        assert_eq!(received.event, StripeEvent::parse(EVENT.as_bytes()).unwrap());
        assert_eq!((received.body.as_ref(), received.known_at, received.replays), (EVENT, NOW, 0));
    }

    #[test]
    fn a_parked_event_keeps_when_it_was_known_and_counts_its_replays() {
        let body = again(parked(2)).unwrap();
        let received = event(&body);
        let (known_at, replays) = (received.known_at, received.replays);
        assert_eq!((received.body.as_ref(), known_at, replays), (EVENT, NOW.plus_seconds(-60), 3));
    }

    #[test]
    fn an_announcement_says_what_to_play_again() {
        let check = |detail: &str, expected: WaitsFor| {
            let body = format!(r#"{{"object":"guerdon.announcement","announcement":{detail}}}"#);
            match Message::parse(&body, NOW).unwrap() {
                Message::Replay { waits_for, correlation_id } => {
                    assert_eq!((waits_for, correlation_id.as_deref()), (expected, Some("evt_0")));
                }
                Message::Event(received) => panic!("an event: {received:?}"),
            }
        };
        let member = "6badfa96792b5eba24be8a1dc31793b2";
        let linked = format!(
            r#"{{"event":"customer_linked","customer":"cus_1","member":"{member}","correlation_id":"evt_0"}}"#
        );
        check(&linked, waiting_for("cus_1"));
        let asked = DomainEvent::ReplayRequested { waits_for: waiting_for("cus_2"), at: NOW };
        let asked = Announcement { event: asked, correlation_id: Some("evt_0".to_owned()) };
        check(&serde_json::to_string(&asked).unwrap(), waiting_for("cus_2"));
    }

    #[test]
    fn anything_else_is_refused_without_quoting_it() {
        for body in [
            "",
            "an unreadable body",
            "[]",
            r#"{"object":"customer","email":"somebody@example.com"}"#,
            r#"{"object":"event","id":"somebody@example.com"}"#,
            r#"{"object":"guerdon.parked_event","guerdon_parked_at":"somebody@example.com"}"#,
            r#"{"object":"guerdon.announcement","announcement":{"event":"somebody@example.com"}}"#,
            r#"{"source":"guerdon","detail-type":"customer.linked","detail":{"event":"customer_linked"}}"#,
        ] {
            let error = Message::parse(body, NOW).unwrap_err();
            assert!(matches!(error, AppError::Corrupt(_)), "{body}: {error}");
            assert!(!error.to_string().contains("somebody"), "{error}");
        }
    }
}
