//! `/admin`: signing in to the operators' API.

use guerdon_app::{error::AppError, operators::sign_in_link};
use guerdon_domain::ids::TelegramId;
use guerdon_telegram::keyboard::{Button, Keyboard};

use crate::{
    reply::{Page, Words},
    state::Bot,
};

/// The operators' way in; for everybody else there is no such command.
pub(crate) async fn sign_in(bot: &Bot, words: Words, user: TelegramId) -> Result<Page, AppError> {
    let Some(url) = &bot.public_url else { return Ok(Page::text(words.unknown)) };
    let Some(token) = sign_in_link(&bot.app, user).await? else { return Ok(Page::text(words.unknown)) };
    // Behind the `#`, so that it is in no server's log and no preview opens it.
    let button = Button::url(words.button_sign_in, format!("{url}/admin/auth/link#{token}"));
    Ok(Page { text: words.sign_in.to_owned(), keyboard: Keyboard::new().row([button]) })
}
