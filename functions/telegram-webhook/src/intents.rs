//! Buttons that move money: a tap decides about the intent that the button carries, and about nothing else.

use guerdon_app::{
    error::AppError,
    intents::{Cancelled, IntentRefusal, cancel_intent},
};
use guerdon_domain::{
    ids::IntentId,
    intents::{ActionKind, Closed},
    members::Member,
};
use guerdon_telegram::{
    outbound::Outgoing,
    spend::{Decision, Spend},
    texts::{fill, texts},
    update::Callback,
};

use crate::{
    commissions, members,
    reply::{Page, Place, Words},
    state::Bot,
    wallets, withdrawals,
};

/// Answers a tap that decides about an intent. In another chat, or on another member's button, it only says so.
pub(crate) async fn decide(
    bot: &Bot,
    update_id: i64,
    tap: &Callback,
    spend: &Spend,
) -> Result<Outgoing, AppError> {
    let words = texts(tap.from.language_code.as_deref());
    let refuse = |why| Outgoing::answer_callback(tap.id.clone(), Some(why));
    if tap.private_message().is_none() {
        return Ok(refuse(words.intents.not_private));
    }
    if tap.from.is_bot || !spend.id.may_be_of(&bot.app.member_id(tap.from.id)) {
        return Ok(refuse(words.intents.not_yours));
    }
    let member = members::load(bot, update_id, &tap.from).await?;
    let cause = format!("tap-{}", tap.id);
    let page = match (spend.kind, spend.decision) {
        (ActionKind::Withdraw, Decision::Confirm) => {
            let confirmed = withdrawals::confirm(bot, words, &member, &spend.id).await?;
            confirmed.unwrap_or_else(|refusal| nothing_done(words, ActionKind::Withdraw, refusal))
        }
        (ActionKind::Claim, Decision::Confirm) => {
            commissions::claim(bot, words, &member, &spend.id, &cause).await?
        }
        (kind, Decision::Cancel) => cancel(bot, words, &member, kind, &spend.id).await?,
    };
    Ok(page.at(Place::of(tap), tap.from.id))
}

async fn cancel(
    bot: &Bot,
    words: Words,
    member: &Member,
    kind: ActionKind,
    id: &IntentId,
) -> Result<Page, AppError> {
    let refusal = match cancel_intent(&bot.app, &member.id, kind, id).await? {
        Cancelled::Done(_) => Closed::Cancelled.into(),
        Cancelled::Refused(refusal) => refusal,
    };
    Ok(nothing_done(words, kind, refusal))
}

/// The page that tells why a button did nothing, and how to start again.
fn nothing_done(words: Words, kind: ActionKind, refusal: IntentRefusal) -> Page {
    let text = match refusal {
        IntentRefusal::NotYours => words.intents.not_yours,
        IntentRefusal::Outdated => words.intents.outdated,
        IntentRefusal::Closed(Closed::Expired) => words.intents.expired,
        IntentRefusal::Closed(Closed::Cancelled) => words.intents.cancelled,
        IntentRefusal::Closed(Closed::Used) => words.intents.used,
    };
    let again = match kind {
        ActionKind::Withdraw => withdrawals::COMMAND,
        ActionKind::Claim => wallets::COMMAND,
    };
    Page::text(fill(text, &[("again", again)]))
}
