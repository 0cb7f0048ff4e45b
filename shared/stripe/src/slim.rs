//! Events without what we do not read, for queues that take smaller bodies than Stripe sends.

use serde_json::{Map, Value};

use crate::{event::StripeEvent, reads::Reads, wire::Node};

/// Returns the event with nothing but what [`StripeEvent::parse`] reads. It is read as the event itself is, also where
/// that ends in an error. A body that is no event at all is returned as an empty object.
pub fn slim(body: &[u8]) -> Value {
    let Ok(envelope) = serde_json::from_slice::<Value>(body) else { return Value::Object(Map::new()) };
    let (outside, inside) = (Reads::default(), Reads::default());
    let object = envelope.pointer("/data/object").unwrap_or(&Value::Null);
    // An error is found again by whoever reads the result.
    let _ = StripeEvent::of(&Node::noted(&envelope, &outside), &Node::noted(object, &inside));
    let mut slim = outside.into_value();
    slim["object"] = envelope["object"].clone();
    slim["data"]["object"] = inside.into_value();
    slim
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn invoice(fields: &Value) -> Value {
        let mut object = json!({"object": "invoice", "id": "in_A1", "customer": {"id": "cus_A1", "name": "Alice"},
            "currency": "usd", "total": 3900, "amount_due": 0, "amount_paid": 3900, "total_taxes": [],
            "description": "d".repeat(300_000), "lines": {"data": [
                {"amount": 3900, "metadata": {"note": "n".repeat(500), "telegram_id": "700000001"}},
                {"description": "an amount is missing"}]}});
        object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!({"id": "evt_A1", "object": "event", "type": "invoice.paid", "created": 1, "account": "acct_A1",
            "data": {"object": object, "previous_attributes": {"description": "e".repeat(300_000)}}})
    }

    #[test]
    fn keeps_what_is_read_and_nothing_else() {
        let lines = json!({"lines": {"data": [{"amount": 3900, "description": "x",
            "metadata": {"note": "n", "telegram_id": "700000001"}}]}});
        let body = invoice(&lines).to_string();
        let slim = slim(body.as_bytes());
        let object = &slim["data"]["object"];
        assert_eq!(StripeEvent::read(&slim), StripeEvent::parse(body.as_bytes()));
        assert_eq!(
            (&object["description"], &slim["data"]["previous_attributes"]),
            (&json!(null), &json!(null))
        );
        assert_eq!(object["customer"], json!({"id": "cus_A1"}));
        assert_eq!(
            object["lines"],
            json!({"data": [{"amount": 3900, "metadata": {"telegram_id": "700000001"}}]})
        );
        assert_eq!(object["total_taxes"], json!([]));
    }

    #[test]
    fn what_cannot_be_read_stays_so() {
        let body = invoice(&json!({})).to_string();
        let slim = slim(body.as_bytes());
        assert_eq!(StripeEvent::read(&slim), StripeEvent::parse(body.as_bytes()));
        assert!(
            StripeEvent::read(&slim).is_err_and(|error| error.to_string().contains("lines.data[1].amount"))
        );
        assert!(slim.to_string().len() < 600, "{slim}");
        assert_eq!(super::slim(b"no json"), json!({}));
    }
}
