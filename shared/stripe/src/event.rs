//! The envelope of a webhook: the event's type and the object it is about.

use guerdon_domain::{
    ids::{CustomerId, TelegramId},
    time::Timestamp,
};
use serde_json::Value;

use crate::wire::{BadField, Node};
use crate::{
    charge::Charge, checkout::CheckoutSession, credit_note::CreditNote, customer::Customer, dispute::Dispute,
    invoice::Invoice, invoice_payment::InvoicePayment, payment_intent::PaymentIntent, refund::Refund,
    subscription::Subscription,
};

/// The reason why a body could not be read. No variant quotes the payload: it holds personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The body is not JSON.
    #[error("the body is not JSON")]
    NotJson,
    /// The body is JSON but not an event.
    #[error("the body is not a Stripe event")]
    NotAnEvent,
    /// The body is a thin event (`v2.core.event`): it has no object, and nothing that we book is told by one.
    #[error("the body is a thin event, which has no object")]
    Thin,
    /// The type is one that we handle, but its object cannot be read.
    #[error("{kind}: '{path}' is missing or cannot be read")]
    BadObject {
        /// The event's type, or `event` when the envelope itself is at fault.
        kind: String,
        /// The place in the object, such as `lines.data[0].amount`.
        path: String,
    },
}

/// The object an event is about, normalized across API versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventObject {
    /// `checkout.session.*`
    Checkout(CheckoutSession),
    /// `invoice.*`
    Invoice(Invoice),
    /// `invoice_payment.paid`: the only event that ties a payment intent to its invoice since `basil`.
    InvoicePayment(InvoicePayment),
    /// `payment_intent.succeeded`
    PaymentIntent(PaymentIntent),
    /// `customer.created`, `customer.updated`, `customer.deleted`
    Customer(Customer),
    /// `customer.subscription.*`
    Subscription(Subscription),
    /// `charge.refunded`
    Charge(Charge),
    /// `refund.*`
    Refund(Refund),
    /// `charge.dispute.*`
    Dispute(Dispute),
    /// `credit_note.*`
    CreditNote(CreditNote),
    /// A type that we do not use: it is acknowledged and counted.
    Unhandled,
}

/// A webhook event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StripeEvent {
    /// The `evt_...`; the same for every delivery of the event.
    pub id: String,
    /// The type, such as `invoice.paid`.
    pub kind: String,
    /// The instant at which it happened at Stripe.
    pub created: Timestamp,
    /// The mode and the account that it comes from.
    pub origin: EventOrigin,
    /// The API version of the object.
    pub api_version: Option<String>,
    /// The object that it is about.
    pub object: EventObject,
}

/// The mode and the account that an event comes from. It can be read also where the event's object cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventOrigin {
    /// True for real money, false for a sandbox.
    pub livemode: bool,
    /// The connected account; none for the own account.
    pub account: Option<String>,
}

impl EventOrigin {
    /// Reads the origin of an event whose object cannot be read.
    pub fn of_body(body: &[u8]) -> Self {
        let envelope: Value = serde_json::from_slice(body).unwrap_or_default();
        let account = envelope.get("account").and_then(Value::as_str).map(str::to_owned);
        Self { livemode: envelope.get("livemode").and_then(Value::as_bool).unwrap_or_default(), account }
    }
}

type Read = fn(&Node<'_>) -> Result<EventObject, BadField>;

const CHECKOUT: Read = |node| CheckoutSession::read(node).map(EventObject::Checkout);
const INVOICE: Read = |node| Invoice::read(node).map(EventObject::Invoice);
const INVOICE_PAYMENT: Read = |node| InvoicePayment::read(node).map(EventObject::InvoicePayment);
const PAYMENT_INTENT: Read = |node| PaymentIntent::read(node).map(EventObject::PaymentIntent);
const CUSTOMER: Read = |node| Customer::read(node).map(EventObject::Customer);
const DELETED_CUSTOMER: Read = |node| Customer::read_deleted(node).map(EventObject::Customer);
const SUBSCRIPTION: Read = |node| Subscription::read(node).map(EventObject::Subscription);
const CHARGE: Read = |node| Charge::read(node).map(EventObject::Charge);
const REFUND: Read = |node| Refund::read(node).map(EventObject::Refund);
const DISPUTE: Read = |node| Dispute::read(node).map(EventObject::Dispute);
const CREDIT_NOTE: Read = |node| CreditNote::read(node).map(EventObject::CreditNote);

/// The types that we handle, and the reader for the object of each. Two types are left out on purpose,
/// because another event reports the same: `invoice.payment_succeeded` (`invoice.paid` also covers invoices
/// settled without a charge) and `charge.refund.updated` (`refund.updated` covers every payment method).
const HANDLED: [(&str, Read); 31] = [
    ("checkout.session.completed", CHECKOUT),
    ("checkout.session.async_payment_succeeded", CHECKOUT),
    ("checkout.session.async_payment_failed", CHECKOUT),
    ("invoice.created", INVOICE),
    ("invoice.paid", INVOICE),
    ("invoice.payment_failed", INVOICE),
    ("invoice.voided", INVOICE),
    ("invoice.marked_uncollectible", INVOICE),
    ("invoice_payment.paid", INVOICE_PAYMENT),
    ("payment_intent.succeeded", PAYMENT_INTENT),
    ("customer.created", CUSTOMER),
    ("customer.updated", CUSTOMER),
    ("customer.deleted", DELETED_CUSTOMER),
    ("customer.subscription.created", SUBSCRIPTION),
    ("customer.subscription.updated", SUBSCRIPTION),
    ("customer.subscription.deleted", SUBSCRIPTION),
    ("customer.subscription.paused", SUBSCRIPTION),
    ("customer.subscription.resumed", SUBSCRIPTION),
    ("customer.subscription.pending_update_applied", SUBSCRIPTION),
    ("customer.subscription.pending_update_expired", SUBSCRIPTION),
    ("customer.subscription.trial_will_end", SUBSCRIPTION),
    ("charge.refunded", CHARGE),
    ("refund.created", REFUND),
    ("refund.updated", REFUND),
    ("refund.failed", REFUND),
    ("charge.dispute.created", DISPUTE),
    ("charge.dispute.funds_withdrawn", DISPUTE),
    ("charge.dispute.funds_reinstated", DISPUTE),
    ("charge.dispute.closed", DISPUTE),
    ("credit_note.created", CREDIT_NOTE),
    ("credit_note.voided", CREDIT_NOTE),
];

/// The types that we handle, to be listed in the webhook endpoint's `enabled_events`. All other events are
/// read as [`EventObject::Unhandled`].
pub fn handled_kinds() -> impl Iterator<Item = &'static str> {
    HANDLED.iter().map(|(kind, _)| *kind)
}

impl StripeEvent {
    /// Reads the body of a webhook whose signature was verified.
    ///
    /// # Errors
    /// [`ParseError`]. A retry does not help: keep the body and notify an operator.
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let envelope: Value = serde_json::from_slice(body).map_err(|_| ParseError::NotJson)?;
        match envelope.get("object").and_then(Value::as_str) {
            Some("event") => Self::read(&envelope),
            Some("v2.core.event") => Err(ParseError::Thin),
            _ => Err(ParseError::NotAnEvent),
        }
    }

    /// Reads an event that was parsed already and whose `object` is known to be `event`.
    ///
    /// # Errors
    /// [`ParseError::BadObject`], like [`StripeEvent::parse`].
    pub fn read(envelope: &Value) -> Result<Self, ParseError> {
        let object = envelope.pointer("/data/object").unwrap_or(&Value::Null);
        Self::of(&Node::root(envelope), &Node::root(object))
    }

    /// Reads the event of an envelope and its object.
    pub(crate) fn of(envelope: &Node<'_>, object: &Node<'_>) -> Result<Self, ParseError> {
        let mut event = Self::read_envelope(envelope)
            .map_err(|bad| ParseError::BadObject { kind: "event".to_owned(), path: bad.path })?;
        if let Some((_, read)) = HANDLED.iter().find(|(kind, _)| *kind == event.kind) {
            event.object = read(object)
                .map_err(|bad| ParseError::BadObject { kind: event.kind.clone(), path: bad.path })?;
        }
        Ok(event)
    }

    /// The customer of the event, if its object names one. Refunds and disputes name only a charge.
    pub fn customer(&self) -> Option<&CustomerId> {
        match &self.object {
            EventObject::Checkout(session) => session.customer.as_ref(),
            EventObject::Invoice(invoice) => invoice.customer.as_ref(),
            EventObject::PaymentIntent(intent) => intent.customer.as_ref(),
            EventObject::Customer(customer) => Some(&customer.id),
            EventObject::Subscription(subscription) => subscription.customer.as_ref(),
            EventObject::Charge(charge) => charge.customer.as_ref(),
            EventObject::CreditNote(note) => note.customer.as_ref(),
            EventObject::InvoicePayment(_)
            | EventObject::Refund(_)
            | EventObject::Dispute(_)
            | EventObject::Unhandled => None,
        }
    }

    /// The member named by the object's metadata, if any. It is only a hint, because the operator's own
    /// systems write it.
    pub fn member_hint(&self) -> Option<TelegramId> {
        match &self.object {
            EventObject::Checkout(session) => session.member_hint(),
            EventObject::Invoice(invoice) => invoice.member_hint(),
            EventObject::PaymentIntent(intent) => intent.member_hint(),
            EventObject::Customer(customer) => customer.member_hint(),
            EventObject::Subscription(subscription) => subscription.member_hint(),
            _ => None,
        }
    }

    fn read_envelope(node: &Node<'_>) -> Result<Self, BadField> {
        Ok(Self {
            id: node.own_id()?,
            kind: node.text("type")?.ok_or_else(|| node.bad("type"))?.to_owned(),
            created: node.need_time("created")?,
            origin: EventOrigin {
                livemode: node.flag("livemode")?,
                account: node.text("account")?.map(str::to_owned),
            },
            api_version: node.text("api_version")?.map(str::to_owned),
            object: EventObject::Unhandled,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(body: &Value) -> Result<StripeEvent, ParseError> {
        StripeEvent::parse(body.to_string().as_bytes())
    }

    fn event(kind: &str, object: &Value) -> Value {
        json!({"id": "evt_A1", "object": "event", "type": kind, "created": 1_795_253_400, "livemode": true,
            "api_version": "2026-10-28.endive", "data": {"object": object}})
    }

    #[test]
    fn tells_what_is_not_an_event() {
        let check = |body: &str, expected: ParseError| {
            assert_eq!(StripeEvent::parse(body.as_bytes()), Err(expected), "{body}");
        };
        check("", ParseError::NotJson);
        check("{", ParseError::NotJson);
        check("id=evt_A1", ParseError::NotJson);
        check("[]", ParseError::NotAnEvent);
        check("null", ParseError::NotAnEvent);
        check("{}", ParseError::NotAnEvent);
        check(r#"{"object":7}"#, ParseError::NotAnEvent);
        check(r#"{"object":"customer","id":"cus_A1"}"#, ParseError::NotAnEvent);
        check(
            r#"{"id":"evt_A1","object":"v2.core.event","type":"v1.billing.meter.no_meter_found",
                "created":"2026-11-21T09:30:00Z"}"#,
            ParseError::Thin,
        );
        assert!(StripeEvent::parse(b"\xff\xfe").is_err());
    }

    #[test]
    fn reads_the_envelope() {
        let event = parse(&event("product.created", &json!({"object": "product"}))).unwrap();
        let expected = StripeEvent {
            id: "evt_A1".to_owned(),
            kind: "product.created".to_owned(),
            created: Timestamp::from_seconds(1_795_253_400),
            origin: EventOrigin { livemode: true, account: None },
            api_version: Some("2026-10-28.endive".to_owned()),
            object: EventObject::Unhandled,
        };
        assert_eq!(event, expected);
        // Before 2017-05-25 `request` was a text, and a ping has no object at all.
        let old = json!({"id": "evt_A1", "object": "event", "type": "ping", "created": 1, "request": "req_A1",
            "api_version": null, "data": {"object": null}});
        assert_eq!(parse(&old).unwrap().object, EventObject::Unhandled);
    }

    #[test]
    fn names_the_broken_field_and_nothing_else() {
        let check = |body: &Value, kind: &str, path: &str| {
            let expected = ParseError::BadObject { kind: kind.to_owned(), path: path.to_owned() };
            assert_eq!(parse(body), Err(expected), "{body}");
        };
        check(&json!({"object": "event"}), "event", "id");
        check(&json!({"object": "event", "id": "evt_A1"}), "event", "type");
        check(&json!({"object": "event", "id": "evt_A1", "type": "ping"}), "event", "created");
        check(&event("customer.created", &json!(null)), "customer.created", "id");
        check(&event("customer.created", &json!({"id": "a b"})), "customer.created", "id");
        check(&event("refund.created", &json!({"id": "re_A1"})), "refund.created", "currency");

        let leaky = event("charge.refunded", &json!({"id": "ch_A1", "currency": "usd", "amount": "alice"}));
        let message = parse(&leaky).unwrap_err().to_string();
        assert_eq!(message, "charge.refunded: 'amount' is missing or cannot be read");
    }

    #[test]
    fn every_handled_type_needs_an_object() {
        for kind in handled_kinds() {
            let error = parse(&event(kind, &json!({}))).unwrap_err();
            assert!(matches!(error, ParseError::BadObject { .. }), "{kind}: {error}");
        }
    }

    #[test]
    fn finds_the_customer_and_the_member() {
        let check = |kind: &str, object: &Value, customer: Option<&str>, member: Option<i64>| {
            let event = parse(&event(kind, object)).unwrap();
            assert_eq!(event.customer().map(CustomerId::as_str), customer, "{kind}");
            assert_eq!(event.member_hint().map(TelegramId::get), member, "{kind}");
        };
        let hint = json!({"telegram_id": "700000001"});
        let customer = json!({"id": "cus_A1", "metadata": hint});
        check("customer.created", &customer, Some("cus_A1"), Some(700_000_001));
        let subscription =
            json!({"id": "sub_A1", "status": "active", "customer": customer, "metadata": hint});
        check("customer.subscription.updated", &subscription, Some("cus_A1"), Some(700_000_001));
        let refund = json!({"id": "re_A1", "amount": 1, "currency": "usd", "created": 1});
        check("refund.created", &refund, None, None);
        check("product.created", &json!({"customer": "cus_A1"}), None, None);
    }
}
