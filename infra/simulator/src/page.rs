//! The page and the stand-in checkout. All of it is in the binary: no CDN, no build step.

use axum::{
    body::Bytes,
    extract::{RawQuery, State as Shared},
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::{ActionError, Plan, Sim, SimConfig, form};

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
        "base_url": config.base_url, "zero_decimal": ZERO_DECIMAL,
    });
    // Inside a script element only `<` can do harm.
    let settings = settings.to_string().replace('<', "\\u003c");
    PAGE.replace("/*STYLE*/", STYLE)
        .replace("/*SCRIPT*/", SCRIPT)
        .replace("{{BRAND}}", &escape(&config.brand))
        .replace("\"{{SETTINGS}}\"", &settings)
}

pub(crate) async fn page(Shared(sim): Shared<Sim>) -> Response {
    html(StatusCode::OK, sim.page_html().to_owned())
}

fn html(status: StatusCode, body: String) -> Response {
    let mut response = (status, Html(body)).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `GET /sim/pay?plan=<id>&client_reference_id=<telegram id>`: what a Payment Link opens.
pub(crate) async fn checkout(Shared(sim): Shared<Sim>, RawQuery(query): RawQuery) -> Response {
    match order(&sim, query.as_deref().unwrap_or_default()) {
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
            checkout_page(&sim, StatusCode::OK, &inside)
        }
        Err(error) => failure(&sim, &error),
    }
}

/// The form of the checkout.
pub(crate) async fn pay(Shared(sim): Shared<Sim>, body: Bytes) -> Response {
    let order = order(&sim, &String::from_utf8_lossy(&body));
    let paid = match order {
        Ok((plan, user_id)) => sim.subscribe(user_id, &plan.id).await,
        Err(error) => Err(error),
    };
    match paid {
        Ok(_) => checkout_page(
            &sim,
            StatusCode::OK,
            "<p class=\"tick\">✓</p><p class=\"plan\">Paid, go back to the chat.</p>\
             <p class=\"note\"><a href=\"/sim\">Open the simulator</a></p>",
        ),
        Err(error) => failure(&sim, &error),
    }
}

fn failure(sim: &Sim, error: &ActionError) -> Response {
    let inside =
        format!("<p class=\"plan\">That did not work</p><p class=\"note\">{}</p>", escape(&error.message));
    checkout_page(sim, StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST), &inside)
}

fn checkout_page(sim: &Sim, status: StatusCode, inside: &str) -> Response {
    let page = CHECKOUT.replace("{{BRAND}}", &escape(&sim.config().brand)).replace("{{INSIDE}}", inside);
    html(status, page)
}

fn order(sim: &Sim, encoded: &str) -> Result<(Plan, i64), ActionError> {
    let fields = form::flat(encoded);
    let field = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let plan = sim.config().plans.iter().find(|plan| plan.id == field("plan")).cloned();
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
