//! Members at the bot: starting, coming back, blocking.

use guerdon_app::{
    error::AppError,
    members::{Profile, StartRefusal, Started, first_name, member_or_start, start_by_link},
    messages::set_blocked,
};
use guerdon_domain::{ids::ClickId, members::Member, referrals::Code};
use guerdon_telegram::{
    html::escape,
    texts::{called, fill_html, texts},
    update::User,
};

use crate::{
    programs::deal,
    reply::{Page, Place, Reply, Words},
    state::Bot,
};

/// Makes the user a member, and a referee by `code`.
pub(crate) async fn start(
    bot: &Bot,
    update_id: i64,
    user: &User,
    code: Option<&Code>,
    click: Option<&ClickId>,
) -> Result<Reply, AppError> {
    let outcome = start_by_link(&bot.app, &profile_of(user), code, click, update_id).await?;
    if outcome == Started::Duplicate {
        return Ok(Reply::Nothing);
    }
    let page = started(bot, texts(user.language_code.as_deref()), user, &outcome).await?;
    let outgoing = page.at(Place::Below, user.id);
    // Joining writes the update's id with the member, in one transaction.
    let remembered = matches!(outcome, Started::Joined { .. });
    Ok(if remembered { Reply::Remembered(outgoing) } else { Reply::Say(outgoing) })
}

/// The member behind `user`, who becomes one if they are none.
pub(crate) async fn load(bot: &Bot, update_id: i64, user: &User) -> Result<Member, AppError> {
    member_or_start(&bot.app, &profile_of(user), update_id).await
}

/// Notes whether the bot can still write to `user`.
pub(crate) async fn block(bot: &Bot, user: &User, blocked: bool) -> Result<(), AppError> {
    set_blocked(&bot.app, &bot.app.member_id(user.id), blocked).await
}

fn profile_of(user: &User) -> Profile {
    Profile {
        telegram_id: user.id,
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        username: user.username.clone(),
        language: user.language_code.clone(),
    }
}

/// The page after `/start`. The friend in it is the referrer.
async fn started(bot: &Bot, words: Words, user: &User, started: &Started) -> Result<Page, AppError> {
    let deal = deal(bot, words).await?;
    let friend;
    let (template, who) = match started {
        Started::Joined { referrer: Some(referrer) } => {
            friend = first_name(&bot.app, referrer).await?;
            (words.welcome_referred, friend.as_str())
        }
        Started::Joined { referrer: None } => (words.welcome, ""),
        Started::Returned | Started::Duplicate => (words.welcome_back, ""),
        Started::Refused(refusal) => return Ok(Page::text(refused(words, *refusal))),
    };
    // The offer is HTML by now, so the rest is escaped before it joins.
    let values = [
        ("brand", escape(&bot.app.preset.brand)),
        ("name", escape(&called(&user.first_name, words.nameless))),
        ("friend", escape(&called(who, words.nameless_friend))),
        ("offer", deal.promise(words.welcome_offer, words.welcome_no_offer)),
    ];
    let text = fill_html(template, &values.each_ref().map(|(name, value)| (*name, value.as_str())));
    Ok(Page { text, keyboard: deal.menu(words) })
}

const fn refused(words: Words, refusal: StartRefusal) -> &'static str {
    match refusal {
        StartRefusal::UnknownCode => words.refused_unknown_code,
        StartRefusal::ExpiredCode => words.refused_expired_code,
        StartRefusal::OwnCode => words.refused_own_code,
        StartRefusal::AlreadyReferred => words.refused_already_referred,
        StartRefusal::AlreadyMember => words.refused_already_member,
        StartRefusal::ReferralsOff => words.refused_referrals_off,
    }
}
