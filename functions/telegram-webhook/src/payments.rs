//! Plans and what they cost, and the Stars rail, which is not open.

use guerdon_app::{
    error::AppError,
    payments::park_for_handler,
    settings::settings_now,
    stored::{ParkedEvent, WaitsFor},
};
use guerdon_domain::ids::TelegramId;
use guerdon_telegram::{
    keyboard::{Button, Keyboard},
    outbound::Outgoing,
    texts::{fill, fill_html, texts},
    update::PreCheckoutQuery,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    programs::deal,
    reply::{Page, Words},
    state::Bot,
};

pub(crate) async fn plans(bot: &Bot, words: Words, user: TelegramId) -> Result<Page, AppError> {
    let settings = settings_now(&bot.app).await?;
    if settings.preset.plans.is_empty() {
        return Ok(Page::text(words.plans_none));
    }
    let mut rows = Vec::new();
    let mut keyboard = Keyboard::new();
    for plan in &settings.preset.plans {
        let price = plan.price.to_string();
        let values = [("name", plan.name.as_str()), ("price", price.as_str())];
        rows.push(fill(words.plan_row, &values));
        if let Some(link) = &bot.payment_link {
            let label = fill_html(words.button_subscribe, &values);
            keyboard = keyboard.row([Button::url(label, payment_url(link, plan.id.as_str(), user))]);
        }
    }
    let template = if bot.payment_link.is_some() { words.plans } else { words.plans_no_link };
    let from = deal(bot, words).await?.offer.counts_from;
    let count = from.map(|from| fill(words.plans_count, &[("minimum", &from.to_string())]));
    let values = [("rows", rows.join("\n")), ("count", count.unwrap_or_default())];
    let text = fill_html(template, &values.each_ref().map(|(name, value)| (*name, value.as_str())));
    Ok(Page { text, keyboard })
}

/// A Payment Link with the member in `client_reference_id`, which Stripe hands back with the checkout.
fn payment_url(link: &str, plan: &str, user: TelegramId) -> String {
    let plan = utf8_percent_encode(plan, NON_ALPHANUMERIC).to_string();
    let url = link.replace("{plan}", &plan);
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}client_reference_id={user}")
}

/// Refuses a payment with Stars before it is made.
pub(crate) fn refuse_stars(query: &PreCheckoutQuery) -> Outgoing {
    let words = texts(query.from.language_code.as_deref());
    Outgoing::answer_pre_checkout(query.id.clone(), Some(words.stars_refused))
}

/// Keeps an update about money that this version cannot act upon: money that moved all the same is not forgotten.
pub(crate) async fn park(bot: &Bot, update_id: i64, kind: &str, body: &[u8]) -> Result<(), AppError> {
    let now = bot.app.now();
    let kind = format!("telegram.{kind}");
    let event = ParkedEvent {
        event_id: update_id.to_string(),
        waits_for: WaitsFor::Handler { kind: kind.clone() },
        event_kind: kind,
        created: now,
        parked_at: now,
        body: String::from_utf8_lossy(body).into_owned(),
        replay_requested_at: None,
        replays: 0,
    };
    park_for_handler(&bot.app, &event).await
}
