//! Rewards that wait to be claimed.

use guerdon_app::{commissions::ShownClaim, error::AppError, wallets::claim_and_view};
use guerdon_domain::{ids::IntentId, members::Member};

use crate::{
    reply::{Page, Words},
    state::Bot,
    wallets,
};

/// Claims what the member was shown under the intent, and shows the statement.
pub(crate) async fn claim(
    bot: &Bot,
    words: Words,
    member: &Member,
    id: &IntentId,
    cause: &str,
) -> Result<Page, AppError> {
    let (claim, view) = claim_and_view(&bot.app, member, id, wallets::HISTORY_LINES).await?;
    let page = wallets::page(bot, words, member, &view, None, cause).await?;
    Ok(match claim {
        ShownClaim::Claimed { .. } => page,
        ShownClaim::Changed | ShownClaim::Refused(_) => {
            Page { text: format!("{}{}", words.intents.claim_outdated, page.text), ..page }
        }
    })
}
