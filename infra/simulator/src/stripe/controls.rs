//! `/sim/api/stripe`: events at Stripe, ordered by the page, scripts and tests.

use axum::{
    Json,
    extract::{Path, Query, State as Shared},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    overview,
    state::{Delivery, Stripe},
};
use crate::{
    answer::{ActionError, Answer, Body, checked, done},
    injection::Injection,
    telegram::state::Telegram,
    world::Side,
};

#[derive(Deserialize)]
pub(crate) struct Subscribe {
    user_id: i64,
    plan: String,
}

pub(crate) async fn subscribe(
    Shared(bot): Shared<Side<Telegram>>,
    Shared(stripe): Shared<Side<Stripe>>,
    Body(body): Body<Subscribe>,
) -> Answer {
    let name = bot.name_of(body.user_id);
    done(stripe.subscribe(body.user_id, &name, &body.plan).await?)
}

#[derive(Deserialize)]
pub(crate) struct Billing {
    user_id: i64,
    invoice: Option<String>,
    pay: Option<bool>,
    amount_minor: Option<i64>,
}

pub(crate) async fn next_invoice(Shared(stripe): Shared<Side<Stripe>>, Body(body): Body<Billing>) -> Answer {
    done(stripe.next_invoice(body.user_id).await?)
}

pub(crate) async fn finalize(Shared(stripe): Shared<Side<Stripe>>, Body(body): Body<Billing>) -> Answer {
    done(stripe.finalize(body.user_id, body.invoice, body.pay.unwrap_or(true)).await?)
}

pub(crate) async fn void(Shared(stripe): Shared<Side<Stripe>>, Body(body): Body<Billing>) -> Answer {
    done(stripe.void(body.user_id, body.invoice).await?)
}

pub(crate) async fn refund(Shared(stripe): Shared<Side<Stripe>>, Body(body): Body<Billing>) -> Answer {
    done(stripe.refund(body.user_id, body.invoice, body.amount_minor).await?)
}

pub(crate) async fn cancel(Shared(stripe): Shared<Side<Stripe>>, Body(body): Body<Billing>) -> Answer {
    done(stripe.cancel(body.user_id).await?)
}

#[derive(Deserialize)]
pub(crate) struct EventsQuery {
    customer: Option<String>,
}

pub(crate) async fn events(
    Shared(stripe): Shared<Side<Stripe>>,
    Query(query): Query<EventsQuery>,
) -> Json<Value> {
    Json(json!(stripe.last_events(query.customer.as_deref())))
}

#[derive(Deserialize)]
pub(crate) struct Hold {
    hold: bool,
}

pub(crate) async fn hold(Shared(stripe): Shared<Side<Stripe>>, Body(body): Body<Hold>) -> Answer {
    stripe.change(|stripe| stripe.hold = body.hold);
    done(json!({"hold": body.hold}))
}

#[derive(Deserialize)]
pub(crate) struct Deliver {
    id: Option<String>,
    #[serde(default)]
    held: bool,
}

pub(crate) async fn deliver(Shared(stripe): Shared<Side<Stripe>>, Body(body): Body<Deliver>) -> Answer {
    let ids = match (body.id, body.held) {
        (Some(id), _) => vec![id],
        (None, true) => stripe.read(|stripe| {
            let held = stripe.events.iter().filter(|event| event.status == Delivery::Held);
            held.map(|event| event.id.clone()).collect()
        }),
        (None, false) => {
            return Err(ActionError::invalid("say which: {\"id\":\"evt_...\"} or {\"held\":true}"));
        }
    };
    let mut outcomes = Vec::new();
    for id in ids {
        outcomes.push(stripe.deliver(&id).await?);
    }
    done(json!({"events": outcomes}))
}

pub(crate) async fn stripe_calls(Shared(stripe): Shared<Side<Stripe>>) -> Json<Value> {
    Json(json!(stripe.stripe_calls()))
}

pub(crate) async fn customer(Shared(stripe): Shared<Side<Stripe>>, Path(id): Path<String>) -> Answer {
    let found = stripe.read(|stripe| overview::customer(stripe, &id));
    found.map(Json).ok_or_else(|| ActionError::not_found("there is no such customer"))
}

pub(crate) async fn fail(Shared(stripe): Shared<Side<Stripe>>, Body(body): Body<Injection>) -> Answer {
    let injection = checked(body)?;
    stripe.change(|stripe| stripe.fail = injection);
    done(json!({}))
}
