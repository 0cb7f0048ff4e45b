//! Rewards that wait to be claimed.

use guerdon_app::{error::AppError, wallets::claim_and_view};
use guerdon_domain::members::Member;

use crate::{
    reply::{Page, Words},
    state::Bot,
    wallets,
};

/// Claims what waits for it, and shows the statement.
pub(crate) async fn claim(bot: &Bot, words: Words, member: &Member) -> Result<Page, AppError> {
    let view = claim_and_view(&bot.app, member, wallets::HISTORY_LINES).await?;
    wallets::page(bot, words, &view, None).await
}
