//! Help: what the bot can do, the terms, and where to ask.

use guerdon_app::error::AppError;
use guerdon_domain::ids::TelegramId;
use guerdon_telegram::{
    outbound::Outgoing,
    texts::{fill, fill_html, texts},
    update::Callback,
};

use crate::{
    programs::deal,
    reply::{Page, Words},
    state::Bot,
};

pub(crate) fn help(bot: &Bot, words: Words) -> Page {
    let withdraw = bot.app.preset.withdrawals.as_ref().map_or("", |_| words.help_withdraw);
    Page::text(fill_html(words.help, &[("withdraw", withdraw)]))
}

pub(crate) async fn terms(bot: &Bot, words: Words) -> Result<Page, AppError> {
    let deal = deal(bot, words).await?;
    let purse = [("purse", words.purse(deal.purse).terms)];
    let offer = fill_html(&deal.promise(words.terms_offer, ""), &purse);
    Ok(Page::text(fill_html(words.terms, &[("offer", &offer)])))
}

pub(crate) fn pay_support(bot: &Bot, words: Words, user: TelegramId) -> Page {
    let member = bot.app.member_id(user);
    let short: String = member.as_str().chars().take(10).collect();
    Page::text(fill(words.pay_support, &[("id", &short)]))
}

/// The answer to a button that is none of ours.
pub(crate) fn stray_tap(tap: &Callback) -> Outgoing {
    let words = texts(tap.from.language_code.as_deref());
    Outgoing::answer_callback(tap.id.clone(), Some(words.unknown))
}
