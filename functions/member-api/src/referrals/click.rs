//! Shared links over the web: a click is counted, and leads into the bot.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{gate::Gate, output::Refusal};
use guerdon_app::referrals::{Followed, Visit, follow_link};
use guerdon_domain::referrals::{Code, Touch, is_program};
use guerdon_runtime::{problem, source::Source};
use guerdon_telegram::{
    links::{click_link, deep_link},
    username::BotUsername,
};
use http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, header};

/// The cookie with the visitor's first click.
const COOKIE: &str = "guerdon_touch";

/// Follows a shared link: counts the click, unless a program follows it, and leads to the bot with the code that is
/// credited, which is that of the first link this visitor followed within the window. While referrals are off it leads to
/// the bot without a code.
#[utoipa::path(
    get,
    path = "/r/{code}",
    tag = "links",
    params(("code" = String, Path, description = "A referral code")),
    responses(
        (status = 302, description = "To the bot"),
        (status = 404, description = "Not a code")
    )
)]
pub(crate) async fn follow(
    State(gate): State<Arc<Gate>>,
    State(bot): State<Arc<BotUsername>>,
    method: Method,
    headers: HeaderMap,
    extensions: Extensions,
    Path(code): Path<String>,
) -> Result<Response, Refusal> {
    let code = Code::parse(&code).map_err(|_| Refusal(problem::not_found()))?;
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let fetched_ahead =
        ["purpose", "sec-purpose", "x-moz"].iter().any(|name| text(name).contains("prefetch"));
    let program = method == Method::HEAD || fetched_ahead || is_program(text("user-agent"));
    let first = remembered(&headers);
    let source = Source::of(&extensions);
    let visit = Visit { code: &code, first: first.clone(), source: source.as_str(), program };
    match follow_link(&gate.app, visit).await? {
        Followed::Uncounted { credited } => leads_to(&deep_link(&bot, &credited), None),
        Followed::Nowhere => leads_to(&format!("https://t.me/{}", *bot), None),
        Followed::To { click, window_days, kept: recorded } => {
            let kept = first.filter(|_| click.attribution.keeps_first());
            let touch = kept.unwrap_or_else(|| Touch {
                code: click.code.clone(),
                click: click.id.clone(),
                at: click.at,
            });
            let link = if recorded {
                click_link(&bot, &click.credited, &click.id)
            } else {
                deep_link(&bot, &click.credited)
            };
            leads_to(&link, Some((&touch, window_days)))
        }
    }
}

/// The first click that a cookie names.
fn remembered(headers: &HeaderMap) -> Option<Touch> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).and_then(|(_, value)| Touch::from_cookie(value))
}

fn leads_to(url: &str, touch: Option<(&Touch, i64)>) -> Result<Response, Refusal> {
    let header = |text: &str| HeaderValue::from_str(text).map_err(|_| Refusal(problem::internal()));
    let mut response = StatusCode::FOUND.into_response();
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, header(url)?);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    if let Some((touch, window_days)) = touch {
        let seconds = window_days * 86_400;
        let cookie = format!(
            "{COOKIE}={}; Max-Age={seconds}; Path=/r/; HttpOnly; SameSite=Lax; Secure",
            touch.to_cookie()
        );
        headers.insert(header::SET_COOKIE, header(&cookie)?);
    }
    Ok(response)
}
