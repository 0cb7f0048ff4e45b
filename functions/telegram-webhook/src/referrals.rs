//! `/recruit`: the member's code, their link, and how it went so far.

use guerdon_app::{error::AppError, referrals::recruit_view};
use guerdon_domain::members::Member;
use guerdon_telegram::{
    keyboard::{Button, Keyboard},
    links::{deep_link, share_link},
    nav::{Nav, Period},
    texts::fill_html,
};

use crate::{
    programs::deal,
    reply::{Page, Words},
    state::Bot,
};

pub(crate) async fn recruit(bot: &Bot, words: Words, member: &Member) -> Result<Page, AppError> {
    let view = recruit_view(&bot.app, member).await?;
    let link = deep_link(&bot.username, &view.code.code);
    let deal = deal(bot, words).await?;
    // None of the values means anything in HTML.
    let text = fill_html(
        words.recruit,
        &[
            ("offer", &deal.promise(words.recruit_offer, "")),
            ("link", &link),
            ("code", view.code.code.as_str()),
            ("until", &view.code.expires_at.day()),
            ("recruits", &view.stats.recruits.to_string()),
            ("pending", &view.stats.pending.to_string()),
            ("converted", &view.stats.converted.to_string()),
            ("earned", &view.stats.earned.to_string()),
        ],
    );
    let invitation = fill_html(words.recruit_share_text, &[("brand", &bot.app.preset.brand)]);
    let keyboard = Keyboard::new()
        .row([
            Button::url(words.button_share, share_link(&link, &invitation)),
            Button::copy(words.button_copy, link),
        ])
        .row([
            Button::nav(words.button_leaderboard, Nav::Leaderboard(Period::Week)),
            Button::nav(words.purse(deal.purse).button, Nav::Credits { cursor: None }),
        ]);
    Ok(Page { text, keyboard })
}
