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
    let deal = deal(bot, words).await?;
    let (recruits, pending) = (view.stats.recruits.to_string(), view.stats.pending.to_string());
    let (converted, earned) = (view.stats.converted.to_string(), view.stats.earned.to_string());
    let figures =
        [("recruits", &recruits), ("pending", &pending), ("converted", &converted), ("earned", &earned)];
    let mut values = figures.map(|(name, value)| (name, value.as_str())).to_vec();
    // None of the values means anything in HTML.
    let (text, keyboard) = match view.code {
        Some(code) => {
            let link = deep_link(&bot.username, &code.code);
            let (offer, until) = (deal.promise(words.recruit_offer, ""), code.expires_at.day());
            values.extend([
                ("offer", &*offer),
                ("link", &link),
                ("code", code.code.as_str()),
                ("until", &until),
            ]);
            let invitation = fill_html(words.recruit_share_text, &[("brand", &bot.app.preset.brand)]);
            let share = Button::url(words.button_share, share_link(&link, &invitation));
            let buttons = [share, Button::copy(words.button_copy, link.clone())];
            (fill_html(words.recruit, &values), Keyboard::new().row(buttons))
        }
        None => (fill_html(words.recruit_off, &values), Keyboard::new()),
    };
    let keyboard = keyboard.row([
        Button::nav(words.button_leaderboard, Nav::Leaderboard(Period::Week)),
        Button::nav(words.purse(deal.purse).button, Nav::Credits { cursor: None }),
    ]);
    Ok(Page { text, keyboard })
}
