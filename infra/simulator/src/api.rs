//! `/sim/api`: what the page, scripts and tests call. Bodies are JSON and nothing else, so that a page of another
//! origin cannot post here behind a person's back.

use axum::{
    Json,
    extract::{FromRequest, Path, Query, Request, State as Shared, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{ActionError, Sim, state::Injection, stripe::ledger::Delivery, telegram::chats::User, view};

type Answer = Result<Json<Value>, ActionError>;

impl IntoResponse for ActionError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, Json(json!({"ok": false, "error": self.message}))).into_response()
    }
}

impl From<JsonRejection> for ActionError {
    fn from(rejection: JsonRejection) -> Self {
        Self { status: rejection.status().as_u16(), message: rejection.body_text() }
    }
}

/// A JSON body whose rejection is JSON as well.
pub(crate) struct Body<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ActionError;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let Json(body) = Json::<T>::from_request(request, state).await?;
        Ok(Self(body))
    }
}

fn done(mut answer: Value) -> Answer {
    answer["ok"] = json!(true);
    Ok(Json(answer))
}

#[derive(Deserialize)]
pub(crate) struct StateQuery {
    user: Option<i64>,
    revision: Option<u64>,
}

pub(crate) async fn state(Shared(sim): Shared<Sim>, Query(query): Query<StateQuery>) -> Json<Value> {
    Json(view::overview(&sim, query.user, query.revision))
}

#[derive(Deserialize)]
pub(crate) struct NewUser {
    id: Option<i64>,
    first_name: String,
    last_name: Option<String>,
    username: Option<String>,
    language_code: Option<String>,
}

pub(crate) async fn add_user(Shared(sim): Shared<Sim>, Body(new): Body<NewUser>) -> Answer {
    let first_name = new.first_name.trim().to_owned();
    if first_name.is_empty() || first_name.chars().count() > 64 {
        return Err(ActionError::invalid("a first name has 1 to 64 characters"));
    }
    let filled =
        |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let id = sim.change(|state| {
        let users = &mut state.telegram.users;
        let next = users.keys().next_back().map_or(1001, |last| last.saturating_add(1)).max(1001);
        let id = new.id.unwrap_or(next);
        if id < 1 || users.contains_key(&id) {
            return Err(ActionError::conflict("that id is taken or not positive"));
        }
        users.insert(
            id,
            User {
                id,
                first_name,
                last_name: filled(new.last_name),
                username: filled(new.username),
                language_code: filled(new.language_code).unwrap_or_else(|| "en".to_owned()),
                blocked: false,
            },
        );
        Ok(id)
    })?;
    done(json!({"user_id": id}))
}

#[derive(Deserialize)]
pub(crate) struct TypedText {
    user_id: i64,
    text: String,
}

pub(crate) async fn send(Shared(sim): Shared<Sim>, Body(body): Body<TypedText>) -> Answer {
    done(sim.send_text(body.user_id, &body.text).await?)
}

#[derive(Deserialize)]
pub(crate) struct Tap {
    user_id: i64,
    message_id: i64,
    #[serde(flatten)]
    button: Value,
}

pub(crate) async fn tap(Shared(sim): Shared<Sim>, Body(body): Body<Tap>) -> Answer {
    done(sim.tap(body.user_id, body.message_id, &body.button).await?)
}

#[derive(Deserialize)]
pub(crate) struct Open {
    user_id: i64,
    url: String,
}

pub(crate) async fn open(Shared(sim): Shared<Sim>, Body(body): Body<Open>) -> Answer {
    done(sim.open_link(body.user_id, &body.url).await?)
}

#[derive(Deserialize)]
pub(crate) struct Block {
    user_id: i64,
    blocked: bool,
}

pub(crate) async fn block(Shared(sim): Shared<Sim>, Body(body): Body<Block>) -> Answer {
    done(sim.set_blocked(body.user_id, body.blocked).await?)
}

#[derive(Deserialize)]
pub(crate) struct PayInvoice {
    user_id: i64,
    message_id: i64,
}

pub(crate) async fn pay_invoice(Shared(sim): Shared<Sim>, Body(body): Body<PayInvoice>) -> Answer {
    done(sim.pay_invoice(body.user_id, body.message_id).await?)
}

fn checked(injection: Injection) -> Result<Option<Injection>, ActionError> {
    if !(400..600).contains(&injection.status) {
        return Err(ActionError::invalid("a failure has a status of 400 to 599"));
    }
    Ok((injection.next > 0).then_some(injection))
}

pub(crate) async fn fail_telegram(Shared(sim): Shared<Sim>, Body(body): Body<Injection>) -> Answer {
    let injection = checked(body)?;
    sim.change(|state| state.telegram.fail = injection);
    done(json!({}))
}

pub(crate) async fn fail_stripe(Shared(sim): Shared<Sim>, Body(body): Body<Injection>) -> Answer {
    let injection = checked(body)?;
    sim.change(|state| state.stripe.fail = injection);
    done(json!({}))
}

pub(crate) async fn outbox(Shared(sim): Shared<Sim>, Path(chat_id): Path<i64>) -> Json<Value> {
    Json(json!(sim.outbox(chat_id)))
}

pub(crate) async fn bot_calls(Shared(sim): Shared<Sim>) -> Json<Value> {
    Json(sim.read(|state| json!(state.telegram.calls)))
}

pub(crate) async fn updates(Shared(sim): Shared<Sim>) -> Json<Value> {
    Json(sim.read(|state| json!(state.telegram.updates)))
}

#[derive(Deserialize)]
pub(crate) struct Subscribe {
    user_id: i64,
    plan: String,
}

pub(crate) async fn subscribe(Shared(sim): Shared<Sim>, Body(body): Body<Subscribe>) -> Answer {
    done(sim.subscribe(body.user_id, &body.plan).await?)
}

#[derive(Deserialize)]
pub(crate) struct Billing {
    user_id: i64,
    invoice: Option<String>,
    pay: Option<bool>,
    amount_minor: Option<i64>,
}

pub(crate) async fn next_invoice(Shared(sim): Shared<Sim>, Body(body): Body<Billing>) -> Answer {
    done(sim.next_invoice(body.user_id).await?)
}

pub(crate) async fn finalize(Shared(sim): Shared<Sim>, Body(body): Body<Billing>) -> Answer {
    done(sim.finalize(body.user_id, body.invoice, body.pay.unwrap_or(true)).await?)
}

pub(crate) async fn void(Shared(sim): Shared<Sim>, Body(body): Body<Billing>) -> Answer {
    done(sim.void(body.user_id, body.invoice).await?)
}

pub(crate) async fn refund(Shared(sim): Shared<Sim>, Body(body): Body<Billing>) -> Answer {
    done(sim.refund(body.user_id, body.invoice, body.amount_minor).await?)
}

pub(crate) async fn cancel(Shared(sim): Shared<Sim>, Body(body): Body<Billing>) -> Answer {
    done(sim.cancel(body.user_id).await?)
}

#[derive(Deserialize)]
pub(crate) struct EventsQuery {
    customer: Option<String>,
}

pub(crate) async fn events(Shared(sim): Shared<Sim>, Query(query): Query<EventsQuery>) -> Json<Value> {
    Json(json!(sim.last_events(query.customer.as_deref())))
}

#[derive(Deserialize)]
pub(crate) struct Hold {
    hold: bool,
}

pub(crate) async fn hold(Shared(sim): Shared<Sim>, Body(body): Body<Hold>) -> Answer {
    sim.change(|state| state.stripe.hold = body.hold);
    done(json!({"hold": body.hold}))
}

#[derive(Deserialize)]
pub(crate) struct Deliver {
    id: Option<String>,
    #[serde(default)]
    held: bool,
}

pub(crate) async fn deliver(Shared(sim): Shared<Sim>, Body(body): Body<Deliver>) -> Answer {
    let ids = match (body.id, body.held) {
        (Some(id), _) => vec![id],
        (None, true) => sim.read(|state| {
            let held = state.stripe.events.iter().filter(|event| event.status == Delivery::Held);
            held.map(|event| event.id.clone()).collect()
        }),
        (None, false) => {
            return Err(ActionError::invalid("say which: {\"id\":\"evt_...\"} or {\"held\":true}"));
        }
    };
    let mut outcomes = Vec::new();
    for id in ids {
        outcomes.push(sim.deliver(&id).await?);
    }
    done(json!({"events": outcomes}))
}

pub(crate) async fn stripe_calls(Shared(sim): Shared<Sim>) -> Json<Value> {
    Json(json!(sim.stripe_calls()))
}

pub(crate) async fn customer(Shared(sim): Shared<Sim>, Path(id): Path<String>) -> Answer {
    let found = sim.read(|state| view::customer(&state.stripe, &id));
    found.map(Json).ok_or_else(|| ActionError::not_found("there is no such customer"))
}
