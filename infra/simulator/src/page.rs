//! The page and the stand-in checkout. All of it is in the binary: no CDN, no build step.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Query, RawQuery, State as Shared},
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    answer::ActionError,
    config::{Plan, SimConfig},
    form,
    stripe::state::Stripe,
    telegram::state::Telegram,
    view,
    world::Side,
};

const PAGE: &str = include_str!("../assets/sim.html");
const STYLE: &str = include_str!("../assets/sim.css");
const SCRIPT: &str = include_str!("../assets/sim.js");
const CHECKOUT: &str = include_str!("../assets/pay.html");

/// Nothing comes from elsewhere, and nothing may be framed.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; \
                      img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The currencies Stripe counts without decimals.
const ZERO_DECIMAL: &[&str] = &[
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf",
    "xtr",
];

/// Puts style, script and settings into the page, once.
pub(crate) fn render(config: &SimConfig) -> String {
    let settings = json!({
        "brand": config.brand, "bot": config.bot_username, "plans": config.plans,
        "base_url": config.base_url, "token": config.page_token, "zero_decimal": ZERO_DECIMAL,
    });
    // Inside a script element only `<` can do harm.
    let settings = settings.to_string().replace('<', "\\u003c");
    PAGE.replace("/*STYLE*/", STYLE)
        .replace("/*SCRIPT*/", SCRIPT)
        .replace("{{BRAND}}", &escape(&config.brand))
        .replace("\"{{SETTINGS}}\"", &settings)
}

/// The page as it was rendered at the start.
#[derive(Clone)]
pub(crate) struct Rendered(pub(crate) Arc<str>);

/// `GET /sim`.
pub(crate) async fn page(Shared(Rendered(page)): Shared<Rendered>) -> Response {
    html(StatusCode::OK, page.as_ref().to_owned())
}

#[derive(Deserialize)]
pub(crate) struct StateQuery {
    user: Option<i64>,
    revision: Option<u64>,
}

/// `GET /sim/api/state`: everything the page shows.
pub(crate) async fn state(
    Shared(bot): Shared<Side<Telegram>>,
    Shared(stripe): Shared<Side<Stripe>>,
    Query(query): Query<StateQuery>,
) -> Json<Value> {
    Json(view::overview(&bot, &stripe, query.user, query.revision))
}

fn html(status: StatusCode, body: String) -> Response {
    let mut response = (status, Html(body)).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `GET /sim/pay?plan=<id>&client_reference_id=<telegram id>`: what a Payment Link opens.
pub(crate) async fn checkout(Shared(stripe): Shared<Side<Stripe>>, RawQuery(query): RawQuery) -> Response {
    match order(stripe.config(), query.as_deref().unwrap_or_default()) {
        Ok((plan, user_id)) => {
            let price = escape(&price(&plan));
            let inside = format!(
                "<p class=\"plan\">{name}</p><p class=\"price\">{price} <small>a month</small></p>\
                 <form method=\"post\" action=\"/sim/pay\">\
                 <input type=\"hidden\" name=\"plan\" value=\"{id}\">\
                 <input type=\"hidden\" name=\"client_reference_id\" value=\"{user_id}\">\
                 <p class=\"card\">4242 4242 4242 4242 <span>12/34</span></p>\
                 <button>Pay {price}</button></form>\
                 <p class=\"note\">A simulated checkout. No money moves, whoever you are.</p>",
                name = escape(&plan.name),
                id = escape(&plan.id),
            );
            checkout_page(stripe.config(), StatusCode::OK, &inside)
        }
        Err(error) => failure(stripe.config(), &error),
    }
}

/// The form of the checkout.
pub(crate) async fn pay(
    Shared(bot): Shared<Side<Telegram>>,
    Shared(stripe): Shared<Side<Stripe>>,
    body: Bytes,
) -> Response {
    let order = order(stripe.config(), &String::from_utf8_lossy(&body));
    let paid = match order {
        Ok((plan, user_id)) => stripe.subscribe(user_id, &bot.name_of(user_id), &plan.id).await,
        Err(error) => Err(error),
    };
    match paid {
        Ok(_) => checkout_page(
            stripe.config(),
            StatusCode::OK,
            "<p class=\"tick\">✓</p><p class=\"plan\">Paid, go back to the chat.</p>\
             <p class=\"note\"><a href=\"/sim\">Open the simulator</a></p>",
        ),
        Err(error) => failure(stripe.config(), &error),
    }
}

fn failure(config: &SimConfig, error: &ActionError) -> Response {
    let inside =
        format!("<p class=\"plan\">That did not work</p><p class=\"note\">{}</p>", escape(&error.message));
    checkout_page(config, StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST), &inside)
}

fn checkout_page(config: &SimConfig, status: StatusCode, inside: &str) -> Response {
    let page = CHECKOUT.replace("{{BRAND}}", &escape(&config.brand)).replace("{{INSIDE}}", inside);
    html(status, page)
}

fn order(config: &SimConfig, encoded: &str) -> Result<(Plan, i64), ActionError> {
    let fields = form::flat(encoded);
    let field = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let plan = config.plans.iter().find(|plan| plan.id == field("plan")).cloned();
    let plan = plan.ok_or_else(|| ActionError::not_found("There is no such plan."))?;
    let user_id = field("client_reference_id").parse().ok().filter(|id| *id > 0);
    let user_id =
        user_id.ok_or_else(|| ActionError::invalid("client_reference_id must be a Telegram user id."))?;
    Ok((plan, user_id))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// `$39.00`, `93.00 PLN`, `500 JPY`.
fn price(plan: &Plan) -> String {
    let currency = plan.currency.as_str();
    let (whole, rest) = (plan.price_minor / 100, plan.price_minor % 100);
    match currency {
        _ if ZERO_DECIMAL.contains(&currency) => format!("{} {}", plan.price_minor, currency.to_uppercase()),
        "usd" => format!("${whole}.{rest:02}"),
        "eur" => format!("€{whole}.{rest:02}"),
        "gbp" => format!("£{whole}.{rest:02}"),
        _ => format!("{whole}.{rest:02} {}", currency.to_uppercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_read_well() {
        let check = |price_minor, currency: &str, expected: &str| {
            let plan = Plan { id: "p".into(), name: "P".into(), price_minor, currency: currency.into() };
            assert_eq!(price(&plan), expected);
        };
        check(3_900, "usd", "$39.00");
        check(1_999, "usd", "$19.99");
        check(13_505, "pln", "135.05 PLN");
        check(500, "jpy", "500 JPY");
    }
}
