//! Calls the concern that answers. Everything called from here may be called again for the same update.

use guerdon_app::error::AppError;
use guerdon_telegram::{texts::texts, update::User};

use crate::{
    intents, members, operators,
    parse::{Meaning, MemberTopic, Topic},
    payments, referrals,
    reply::{Page, Reply},
    state::Bot,
    statistics, support, wallets, withdrawals,
};

/// Works out the reply to an update that has the number `update_id` and the text `body`.
pub(crate) async fn answer(
    bot: &Bot,
    update_id: i64,
    meaning: Meaning<'_>,
    body: &[u8],
) -> Result<Reply, AppError> {
    match meaning {
        Meaning::Nothing => Ok(Reply::Nothing),
        Meaning::Start { user, code, click } => {
            members::start(bot, update_id, user, code.as_ref(), click.as_ref()).await
        }
        Meaning::Show { user, topic, place, cause } => {
            let page = page(bot, update_id, user, topic, &cause).await?;
            Ok(Reply::Say(page.at(place, user.id)))
        }
        Meaning::Spend { tap, spend } => Ok(Reply::Say(intents::decide(bot, update_id, tap, &spend).await?)),
        Meaning::StrayTap(tap) => Ok(Reply::Say(support::stray_tap(tap))),
        Meaning::Block { user, blocked } => {
            members::block(bot, user, blocked).await?;
            Ok(Reply::Nothing)
        }
        Meaning::PreCheckout(query) => Ok(Reply::Say(payments::refuse_stars(query))),
        Meaning::Money(kind) => {
            payments::park(bot, update_id, kind, body).await?;
            Ok(Reply::Nothing)
        }
    }
}

/// The page about `topic`. The member is loaded here, once, for every page that is about them.
async fn page(bot: &Bot, update_id: i64, user: &User, topic: Topic, cause: &str) -> Result<Page, AppError> {
    let words = texts(user.language_code.as_deref());
    let topic = match topic {
        Topic::Help => return Ok(support::help(bot, words)),
        Topic::Privacy => return Ok(Page::text(words.privacy)),
        Topic::Terms => return support::terms(bot, words).await,
        Topic::PaySupport => return Ok(support::pay_support(bot, words, user.id)),
        Topic::Plans => return payments::plans(bot, words, user.id).await,
        Topic::SignIn => return operators::sign_in(bot, words, user.id).await,
        Topic::NotOffered => return Ok(Page::text(words.not_offered)),
        Topic::Unknown => return Ok(Page::text(words.unknown)),
        Topic::UnreadableLink => return Ok(Page::text(words.refused_unreadable)),
        Topic::OthersWords => return Ok(Page::text(words.own_words)),
        Topic::Member(topic) => topic,
    };
    let member = members::load(bot, update_id, user).await?;
    match topic {
        MemberTopic::Recruit => referrals::recruit(bot, words, &member).await,
        MemberTopic::Statement { before } => wallets::statement(bot, words, &member, before, cause).await,
        MemberTopic::Withdrawals => withdrawals::page(bot, words, &member).await,
        MemberTopic::Withdraw(line) => withdrawals::offer(bot, words, &member, &line, cause).await,
        MemberTopic::Profile => statistics::profile(bot, words, &member).await,
        MemberTopic::Leaderboard(period) => statistics::leaderboard(bot, words, &member, period).await,
    }
}
