//! The resources of the stand-in Stripe API that Guerdon uses, and those it may look something up in.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::{
    api::{Answer, Call},
    invoices, objects,
    state::{Customer, Stage, Stripe, Transaction, TransactionKind},
};

const DEFAULT_PAGE: usize = 10;
const MAX_PAGE: usize = 100;

/// Routes one call. What is not here answers as Stripe answers an unknown path.
pub(crate) fn dispatch(stripe: &mut Stripe, call: &Call, now: i64, base_url: &str) -> Answer {
    let segments: Vec<&str> = call.path.trim_matches('/').split('/').collect();
    let params = &call.params;
    match (&call.method, segments.as_slice()) {
        (&Method::POST, ["v1", "customers"]) => create_customer(stripe, params, now),
        (&Method::GET, ["v1", "customers", id]) => retrieve_customer(stripe, id, now),
        (&Method::POST, ["v1", "customers", id]) => update_customer(stripe, id, params, now),
        (&Method::POST, ["v1", "customers", id, "balance_transactions"]) => {
            create_transaction(stripe, id, params, now)
        }
        (&Method::GET, ["v1", "customers", id, "balance_transactions"]) => {
            list_transactions(stripe, id, params, now)
        }
        (&Method::GET, ["v1", "customers", customer, "balance_transactions", id]) => {
            retrieve_transaction(stripe, customer, id)
        }
        (&Method::GET, ["v1", "invoices", id]) => retrieve_invoice(stripe, id),
        (&Method::GET, ["v1", "subscriptions", id]) => {
            let found = stripe.subscriptions.iter().find(|subscription| subscription.id == *id);
            found.map_or_else(
                || Answer::missing("subscription", id),
                |found| Answer::ok(objects::subscription(found)),
            )
        }
        (&Method::GET, ["v1", "charges", id]) => retrieve_charge(stripe, id),
        (&Method::GET, ["v1", "refunds", id]) => {
            let found = stripe.refunds.iter().find(|refund| refund.id == *id);
            found.map_or_else(|| Answer::missing("refund", id), |found| Answer::ok(objects::refund(found)))
        }
        (&Method::GET, ["v1", "invoice_payments"]) => list_invoice_payments(stripe, params),
        // Sessions here start subscriptions, which have no payment intent of their own.
        (&Method::GET, ["v1", "checkout", "sessions"]) => page(Vec::new(), params, "/v1/checkout/sessions"),
        (&Method::POST, ["v1", "billing_portal", "sessions"]) => {
            portal_session(stripe, params, now, base_url)
        }
        (method, _) => {
            let message = format!("Unrecognized request URL ({method}: {}).", call.path);
            Answer::error(404, "invalid_request_error", None, None, &message)
        }
    }
}

fn text(params: &Value, name: &str) -> Option<String> {
    params[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Metadata merges: an empty value takes its key away.
fn merge_metadata(metadata: &mut Value, params: &Value) {
    let (Some(fields), Some(changes)) = (metadata.as_object_mut(), params["metadata"].as_object()) else {
        return;
    };
    for (key, value) in changes {
        if value.as_str() == Some("") {
            fields.remove(key);
        } else {
            fields.insert(key.clone(), value.clone());
        }
    }
}

fn apply_fields(customer: &mut Customer, params: &Value) {
    for (name, field) in [
        ("name", &mut customer.name),
        ("email", &mut customer.email),
        ("description", &mut customer.description),
    ] {
        if params.get(name).is_some() {
            *field = text(params, name);
        }
    }
    merge_metadata(&mut customer.metadata, params);
}

fn create_customer(stripe: &mut Stripe, params: &Value, now: i64) -> Answer {
    let mut customer = Customer::new(stripe.next_id("cus"), now);
    apply_fields(&mut customer, params);
    let body = objects::customer(&customer);
    stripe.customers.insert(customer.id.clone(), customer);
    Answer::ok(body)
}

fn retrieve_customer(stripe: &mut Stripe, id: &str, now: i64) -> Answer {
    match stripe.known_customer(id, now) {
        Some(customer) => Answer::ok(objects::customer(customer)),
        None => Answer::missing("customer", id),
    }
}

fn update_customer(stripe: &mut Stripe, id: &str, params: &Value, now: i64) -> Answer {
    match stripe.known_customer(id, now) {
        Some(customer) => {
            apply_fields(customer, params);
            Answer::ok(objects::customer(customer))
        }
        None => Answer::missing("customer", id),
    }
}

fn create_transaction(stripe: &mut Stripe, customer: &str, params: &Value, now: i64) -> Answer {
    if stripe.known_customer(customer, now).is_none() {
        return Answer::missing("customer", customer);
    }
    for required in ["amount", "currency"] {
        if text(params, required).is_none() {
            let message = format!("Missing required param: {required}.");
            let (kind, code) = ("invalid_request_error", Some("parameter_missing"));
            return Answer::error(400, kind, code, Some(required), &message);
        }
    }
    let amount = text(params, "amount").unwrap_or_default();
    let Some(amount_minor) = amount.parse::<i64>().ok().filter(|minor| *minor != 0) else {
        let (kind, code) = ("invalid_request_error", Some("parameter_invalid_integer"));
        return Answer::error(400, kind, code, Some("amount"), &format!("Invalid integer: {amount}"));
    };
    let currency = text(params, "currency").unwrap_or_default().to_lowercase();
    if currency.len() != 3 || !currency.bytes().all(|letter| letter.is_ascii_lowercase()) {
        return Answer::invalid("currency", &format!("Invalid currency: {currency}."));
    }
    let mut metadata = Value::Object(Map::new());
    merge_metadata(&mut metadata, params);
    let line = Transaction {
        id: String::new(),
        customer: customer.to_owned(),
        amount_minor,
        currency,
        created: now,
        ending_balance_minor: 0,
        description: text(params, "description"),
        metadata,
        kind: TransactionKind::Adjustment,
        invoice: None,
    };
    match stripe.post(line) {
        Some(line) => Answer::ok(objects::transaction(&line)),
        None => Answer::invalid("amount", "The balance would overflow."),
    }
}

fn list_transactions(stripe: &mut Stripe, customer: &str, params: &Value, now: i64) -> Answer {
    if stripe.known_customer(customer, now).is_none() {
        return Answer::missing("customer", customer);
    }
    let lines = stripe.transactions.iter().rev().filter(|line| line.customer == customer);
    let items = lines.map(objects::transaction).collect();
    page(items, params, &format!("/v1/customers/{customer}/balance_transactions"))
}

fn retrieve_transaction(stripe: &Stripe, customer: &str, id: &str) -> Answer {
    let found = stripe.transactions.iter().find(|line| line.customer == customer && line.id == id);
    found.map_or_else(
        || Answer::missing("customer_balance_transaction", id),
        |line| Answer::ok(objects::transaction(line)),
    )
}

/// One page of a newest-first list.
fn page(items: Vec<Value>, params: &Value, url: &str) -> Answer {
    let limit = match text(params, "limit") {
        None => DEFAULT_PAGE,
        Some(limit) => match limit.parse() {
            Ok(limit) if (1..=MAX_PAGE).contains(&limit) => limit,
            _ => return Answer::invalid("limit", "This value must be between 1 and 100."),
        },
    };
    let start = match text(params, "starting_after") {
        None => 0,
        Some(after) => match items.iter().position(|item| item["id"] == after.as_str()) {
            Some(position) => position + 1,
            None => return Answer::missing("object", &after),
        },
    };
    let end = match text(params, "ending_before") {
        None => items.len(),
        Some(before) => match items.iter().position(|item| item["id"] == before.as_str()) {
            Some(position) => position,
            None => return Answer::missing("object", &before),
        },
    };
    let window = items.get(start..end).unwrap_or_default();
    let data: Vec<&Value> = window.iter().take(limit).collect();
    Answer::ok(json!({"object": "list", "data": data, "has_more": window.len() > limit, "url": url}))
}

fn retrieve_invoice(stripe: &Stripe, id: &str) -> Answer {
    let found =
        stripe.invoice(id).and_then(|invoice| Some((invoice, stripe.customers.get(&invoice.customer)?)));
    match found {
        Some((invoice, customer)) => Answer::ok(invoices::invoice(invoice, customer)),
        None => Answer::missing("invoice", id),
    }
}

fn retrieve_charge(stripe: &Stripe, id: &str) -> Answer {
    for invoice in &stripe.invoices {
        if let Stage::Paid { paid_at, payment: Some(payment), .. } = &invoice.stage
            && payment.charge == id
        {
            return Answer::ok(objects::charge(invoice, payment, *paid_at));
        }
    }
    Answer::missing("charge", id)
}

/// `GET /v1/invoice_payments`: since basil the only way from a payment intent to its invoice.
fn list_invoice_payments(stripe: &Stripe, params: &Value) -> Answer {
    let wanted_invoice = text(params, "invoice");
    let wanted_intent = text(&params["payment"], "payment_intent");
    let mut items = Vec::new();
    for invoice in stripe.invoices.iter().rev() {
        let Stage::Paid { paid_at, payment: Some(payment), .. } = &invoice.stage else { continue };
        let fits = wanted_invoice.as_ref().is_none_or(|id| *id == invoice.id)
            && wanted_intent.as_ref().is_none_or(|id| *id == payment.payment_intent);
        if fits {
            items.push(objects::invoice_payment(invoice, payment, *paid_at));
        }
    }
    page(items, params, "/v1/invoice_payments")
}

fn portal_session(stripe: &mut Stripe, params: &Value, now: i64, base_url: &str) -> Answer {
    let Some(customer) = text(params, "customer") else {
        let (kind, code) = ("invalid_request_error", Some("parameter_missing"));
        return Answer::error(400, kind, code, Some("customer"), "Missing required param: customer.");
    };
    if stripe.known_customer(&customer, now).is_none() {
        return Answer::missing("customer", &customer);
    }
    let id = stripe.next_id("bps");
    Answer::ok(json!({
        "id": id, "object": "billing_portal.session", "configuration": "bpc_sim_1", "created": now,
        "customer": customer, "customer_account": null, "flow": null, "livemode": false, "locale": null,
        "on_behalf_of": null, "return_url": text(params, "return_url"), "url": format!("{base_url}/sim"),
    }))
}
