//! What an update asks for, and the reply to it.

use guerdon_app::{
    error::AppError,
    members::{Profile, start_by_link},
    messages::set_blocked,
};
use guerdon_domain::{
    ids::{ClickId, TelegramId},
    members::Member,
    referrals::Code,
};
use guerdon_telegram::{
    command::{Command, StartPayload},
    keyboard::Keyboard,
    nav::Nav,
    outbound::Outgoing,
    texts::{Texts, texts},
    update::{Callback, ChatKind, Message, Update, UpdateKind, User},
};

use crate::{
    handler::{Bot, park, start_reply},
    pages, withdraw,
};

/// The reply to an update.
pub(crate) enum Reply {
    /// None: a bare 200.
    Nothing,
    /// This, unless the update was answered before.
    Say(Outgoing),
    /// This; the work itself has remembered the update.
    Remembered(Outgoing),
}

/// Works out the reply. Everything it calls may be called again for the same update.
pub(crate) async fn answer(bot: &Bot, update: &Update, body: &[u8]) -> Result<Reply, AppError> {
    match &update.kind {
        UpdateKind::Message(message) => on_message(bot, update.update_id, message).await,
        UpdateKind::Callback(callback) => on_tap(bot, update.update_id, callback).await,
        UpdateKind::PreCheckout(query) => {
            let words = texts(query.from.language_code.as_deref());
            Ok(Reply::Say(Outgoing::answer_pre_checkout(query.id.clone(), Some(words.stars_refused))))
        }
        UpdateKind::MyChatMember { user, blocked, .. } => {
            set_blocked(&bot.app, &bot.app.member_id(user.id), *blocked).await?;
            Ok(Reply::Nothing)
        }
        UpdateKind::SuccessfulPayment { .. } => keep(bot, update, "successful_payment", body).await,
        UpdateKind::RefundedPayment { .. } => keep(bot, update, "refunded_payment", body).await,
        UpdateKind::StarsSubscription { .. } => keep(bot, update, "subscription", body).await,
        UpdateKind::Other(_) => Ok(Reply::Nothing),
    }
}

/// The Stars rail is not open, but money that moved all the same is not forgotten.
async fn keep(bot: &Bot, update: &Update, kind: &str, body: &[u8]) -> Result<Reply, AppError> {
    park(bot, update.update_id, kind, body).await?;
    Ok(Reply::Nothing)
}

async fn on_message(bot: &Bot, update_id: i64, message: &Message) -> Result<Reply, AppError> {
    let (Some(user), Some(text)) = (&message.from, &message.text) else { return Ok(Reply::Nothing) };
    if message.chat.kind != ChatKind::Private || user.is_bot {
        return Ok(Reply::Nothing);
    }
    let words = texts(user.language_code.as_deref());
    let command = Command::parse(text, bot.username.as_str());
    let code = match command {
        Some(Command::Start(payload)) => match payload {
            StartPayload::Empty | StartPayload::Product(_) => {
                return start(bot, update_id, user, None, None).await;
            }
            StartPayload::Referral(code) => code,
            StartPayload::Clicked(code, click) => {
                return start(bot, update_id, user, Some(&code), Some(&click)).await;
            }
            StartPayload::Unreadable => return Ok(say(user.id, words.refused_unreadable)),
        },
        Some(command) => return on_command(bot, update_id, user, command).await,
        // A code sent by itself is a start: some clients swallow the second tap on a link.
        None => match Code::parse(text.trim()) {
            Ok(code) => code,
            Err(_) => return Ok(say(user.id, words.unknown)),
        },
    };
    start(bot, update_id, user, Some(&code), None).await
}

async fn start(
    bot: &Bot,
    update_id: i64,
    user: &User,
    code: Option<&Code>,
    click: Option<&ClickId>,
) -> Result<Reply, AppError> {
    let started = start_by_link(&bot.app, &profile_of(user), code, click, update_id).await?;
    let page = pages::started(bot, texts(user.language_code.as_deref()), user, &started).await?;
    Ok(start_reply(&started, page.send(user.id)))
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

async fn on_command(bot: &Bot, update_id: i64, user: &User, command: Command) -> Result<Reply, AppError> {
    let words = texts(user.language_code.as_deref());
    let page = match command {
        Command::Recruit => Some(Nav::Recruit),
        Command::Credits => Some(Nav::Credits { cursor: None }),
        Command::Profile => Some(Nav::Profile),
        Command::Plans => Some(Nav::Plans),
        Command::Help => Some(Nav::Help),
        _ => None,
    };
    if let Some(nav) = page {
        return Ok(Reply::Say(show(bot, update_id, user, nav).await?.send(user.id)));
    }
    Ok(match command {
        Command::Withdraw(line) if line.is_empty() => {
            Reply::Say(show(bot, update_id, user, Nav::Withdraw).await?.send(user.id))
        }
        Command::Withdraw(line) => {
            let member = member(bot, update_id, user).await?;
            Reply::Say(withdraw::asked(bot, words, &member, update_id, &line).await?.send(user.id))
        }
        Command::Privacy => say(user.id, words.privacy),
        Command::Terms => Reply::Say(pages::terms(bot, words).await?.send(user.id)),
        Command::PaySupport => Reply::Say(pages::pay_support(bot, words, user.id).send(user.id)),
        Command::Admin => Reply::Say(pages::sign_in(bot, words, user.id).await?.send(user.id)),
        Command::Wallet | Command::Shop => say(user.id, words.not_offered),
        _ => say(user.id, words.unknown),
    })
}

async fn on_tap(bot: &Bot, update_id: i64, callback: &Callback) -> Result<Reply, AppError> {
    let words = texts(callback.from.language_code.as_deref());
    let Some(nav) = callback.nav() else {
        return Ok(Reply::Say(Outgoing::answer_callback(callback.id.clone(), Some(words.unknown))));
    };
    let page = show(bot, update_id, &callback.from, nav).await?;
    let outgoing = match &callback.message {
        // Editing the message also ends the button's spinner.
        Some(message) if message.editable => page.edit(callback.from.id, message.message_id),
        _ => page.send(callback.from.id),
    };
    Ok(Reply::Say(outgoing))
}

/// A page. One that is about the member makes a member of who asks for it: somebody who writes to the bot
/// has pressed start before, perhaps before this system was in place.
async fn show(bot: &Bot, update_id: i64, user: &User, nav: Nav) -> Result<pages::Page, AppError> {
    let words = texts(user.language_code.as_deref());
    match nav {
        Nav::Help => Ok(pages::help(bot, words)),
        Nav::Plans => pages::plans(bot, words, user.id).await,
        Nav::Withdraw => withdraw::page(bot, words, &member(bot, update_id, user).await?).await,
        Nav::Recruit => pages::recruit(bot, words, &member(bot, update_id, user).await?).await,
        Nav::Leaderboard(period) => {
            pages::leaderboard(bot, words, &member(bot, update_id, user).await?, period).await
        }
        Nav::Credits { cursor } => {
            pages::credits(bot, words, &member(bot, update_id, user).await?, cursor).await
        }
        Nav::Claim => pages::claimed(bot, words, &member(bot, update_id, user).await?).await,
        Nav::Profile => pages::profile(bot, words, &member(bot, update_id, user).await?).await,
    }
}

async fn member(bot: &Bot, update_id: i64, user: &User) -> Result<Member, AppError> {
    let id = bot.app.member_id(user.id);
    if let Some(member) = bot.app.store.members().find(&id).await?.filter(|member| member.joined.is_some()) {
        return Ok(member);
    }
    start_by_link(&bot.app, &profile_of(user), None, None, update_id).await?;
    bot.app.store.members().find(&id).await?.ok_or(AppError::Conflict)
}

fn say(user: TelegramId, text: &'static str) -> Reply {
    Reply::Say(Outgoing::send_html(user, text, Keyboard::new()))
}

/// Keeps the parameter order of pages the same everywhere.
pub(crate) type Words = &'static Texts;
