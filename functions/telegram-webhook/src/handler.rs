//! One request from Telegram: checked, read, answered.

use guerdon_app::{error::AppError, messages::Effect, observe::correlated};
use guerdon_runtime::{
    headers::protect,
    http_body::{MAX_BODY, bounded},
    problem::{Problem, internal, method_not_allowed, too_large, unauthorized, unavailable},
    secrets::Secret,
    source::Source,
};
use guerdon_telegram::{
    outbound::Outgoing,
    secret::secret_matches,
    texts::texts,
    update::{Callback, ParseError, Update, UpdateKind},
};
use http::{Method, StatusCode, header};
use lambda_http::{Body, Request, Response};

use crate::{dispatch, parse::meaning, payments, reply::Reply, state::Bot};

const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";

/// Answers one update. Nothing is read before the secret is right.
pub async fn handle(bot: &Bot, request: Request) -> Response<Body> {
    let mut response = match answer_request(bot, &request).await {
        Ok(Some(outgoing)) => json(&outgoing),
        Ok(None) => Response::new(Body::Empty),
        Err(problem) => problem.into_response(),
    };
    protect(response.headers_mut());
    response
}

async fn answer_request(bot: &Bot, request: &Request) -> Result<Option<Outgoing>, Problem> {
    if request.method() != Method::POST {
        return Err(method_not_allowed());
    }
    authenticate(bot, request).await?;
    let body = bounded(request.body().as_ref()).map_err(|_| too_large(MAX_BODY))?;
    match Update::parse(body) {
        Ok(update) => {
            let id = format!("tg_{}", update.update_id);
            correlated(id, answer_update(bot, &update, body)).await
        }
        Err(ParseError::BadMoneyUpdate { update_id, kind, field, .. }) => {
            tracing::error!(update_id, kind, field, "an update about money cannot be read; parked");
            payments::park(bot, update_id, kind, body).await.map_err(|error| failed(update_id, &error))?;
            Ok(None)
        }
        Err(error) => Err(unreadable(&error)),
    }
}

async fn answer_update(bot: &Bot, update: &Update, body: &[u8]) -> Result<Option<Outgoing>, Problem> {
    let update_id = update.update_id;
    let tap = match &update.kind {
        UpdateKind::Callback(tap) => Some(tap),
        _ => None,
    };
    let meaning = meaning(update, bot.username.as_str());
    let reply = match dispatch::answer(bot, update_id, meaning, body).await {
        Ok(reply) => reply,
        Err(error) => {
            let problem = failed(update_id, &error);
            // One failing update would block its whole chat: what trying again cannot fix is logged
            // and acknowledged.
            return if error.retryable() { Err(problem) } else { Ok(tap.map(in_trouble)) };
        }
    };
    let outgoing = match reply {
        Reply::Nothing => return Ok(None),
        Reply::Remembered(outgoing) => outgoing,
        Reply::Say(outgoing) => {
            let effect = guerdon_app::messages::remember_update(&bot.app, update_id).await;
            match effect.map_err(|error| failed(update_id, &error))? {
                Effect::Applied => outgoing,
                Effect::AlreadyApplied => return Ok(None),
            }
        }
    };
    // Every tap is answered: by the reply itself, or by a call beside it.
    if let Some(tap) = tap.filter(|_| !outgoing.answers_a_tap()) {
        bot.end_progress(&tap.id).await;
    }
    Ok(Some(outgoing))
}

fn in_trouble(tap: &Callback) -> Outgoing {
    let words = texts(tap.from.language_code.as_deref());
    Outgoing::answer_callback(tap.id.clone(), Some(words.trouble))
}

async fn authenticate(bot: &Bot, request: &Request) -> Result<(), Problem> {
    let configured = bot.secrets.get(Secret::TelegramWebhookSecret).await.map_err(|error| {
        tracing::error!(%error, "cannot read the webhook secret; rejecting the request");
        unavailable()
    })?;
    let presented = request.headers().get(SECRET_HEADER).map(http::HeaderValue::as_bytes);
    if secret_matches(configured.as_bytes(), presented) {
        Ok(())
    } else {
        bot.app.authentication_failed(
            "telegram_secret",
            "unauthorized",
            Source::of(request.extensions()).as_str(),
        );
        Err(unauthorized("The X-Telegram-Bot-Api-Secret-Token header is missing or wrong."))
    }
}

fn unreadable(error: &ParseError) -> Problem {
    let (code, detail) = match error {
        ParseError::NotJson => ("not_json", "The body is not JSON."),
        _ => ("not_an_update", "The body is not a Telegram update."),
    };
    Problem::new(StatusCode::BAD_REQUEST, code, "Unreadable update", detail)
}

fn failed(update_id: i64, error: &AppError) -> Problem {
    tracing::error!(update_id, code = error.code(), %error, "update failed");
    if error.retryable() { unavailable() } else { internal() }
}

fn json(outgoing: &Outgoing) -> Response<Body> {
    let mut response = Response::new(Body::Text(outgoing.webhook_body().to_string()));
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}
