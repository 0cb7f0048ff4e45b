//! One batch of the notifications queue.

use std::sync::Arc;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use guerdon_app::{
    context::App,
    error::{AppError, Reason},
    events::DomainEvent,
    messages::{Content, Effect, Notice, claim_notice, notice_done, notice_for, set_blocked},
    observe::correlated,
    programs::{program_now, reward_wallet},
    settings::settings_now,
};
use guerdon_domain::money::{Currency, Money};
use guerdon_runtime::{
    batch::{body, run},
    bus::Envelope,
    secrets::{Built, Secret, Secrets},
};
use guerdon_telegram::{
    client::BotApi,
    keyboard::{Button, Keyboard},
    nav::Nav,
    offer::Offer,
    outbound::Outgoing,
    purse::Purse,
    reply::SendError,
    texts::{Texts, called, fill, fill_html, texts},
};

/// State of the function. The Bot API client is built at the first message, and again when the token changes.
pub struct Notifier {
    app: App,
    secrets: Secrets,
    api_url: Option<String>,
    api: Built<BotApi>,
}

impl Notifier {
    /// Makes a notifier that uses the Bot API, or the stand-in at `api_url`.
    pub fn new(app: App, secrets: Secrets, api_url: Option<String>) -> Self {
        Self { app, secrets, api_url, api: Built::default() }
    }

    async fn api(&self) -> Result<Arc<BotApi>, AppError> {
        let unavailable = |error: &dyn std::fmt::Display| AppError::Unavailable(error.to_string().into());
        let token = self.secrets.get(Secret::TelegramBotToken).await.map_err(|e| unavailable(&e))?;
        let build = |token: &str| BotApi::at(token, self.api_url.as_deref());
        self.api.of(token, build).map_err(|error| unavailable(&error))
    }
}

/// Handles a batch; failed messages are reported one by one.
pub async fn handle(notifier: &Notifier, event: SqsEvent) -> SqsBatchResponse {
    run("notifier", event, |message| on_message(notifier, message)).await
}

async fn on_message(notifier: &Notifier, message: SqsMessage) -> Result<(), AppError> {
    let envelope = Envelope::parse(body(&message)?)?;
    let claimant = message.message_id.as_deref().unwrap_or_default();
    correlated(envelope.correlation_id(), tell(notifier, &envelope.detail.event, claimant)).await
}

async fn tell(notifier: &Notifier, event: &DomainEvent, claimant: &str) -> Result<(), AppError> {
    let Some(notice) = notice_for(&notifier.app, event).await? else { return Ok(()) };
    if claim_notice(&notifier.app, &notice, claimant).await? == Effect::AlreadyApplied {
        return Ok(());
    }
    let outgoing = compose(notifier, texts(None), &notice).await?;
    match notifier.api().await?.send(&outgoing).await {
        Ok(()) => {
            let (member, event) = (notifier.app.tag(&notice.recipient), event.name());
            tracing::info!(member, event, "message sent");
        }
        Err(SendError::Blocked) => set_blocked(&notifier.app, &notice.recipient, true).await?,
        // Telegram will never accept it: a retry would only delay the others.
        Err(SendError::Refused(reason)) => {
            tracing::error!(member = notifier.app.tag(&notice.recipient), reason, "message refused");
        }
        Err(error @ (SendError::RetryAfter(_) | SendError::Unauthorized | SendError::Unknown(_))) => {
            return Err(AppError::Unavailable(Reason::of(error)));
        }
    }
    notice_done(&notifier.app, &notice).await
}

async fn compose(notifier: &Notifier, words: &Texts, notice: &Notice) -> Result<Outgoing, AppError> {
    let (settings, program) = (settings_now(&notifier.app).await?, program_now(&notifier.app).await?);
    let preset = &settings.preset;
    let offer = Offer::of(words, preset, &program);
    let (kind, currency) = reward_wallet(preset, &program);
    let purse = words.purse(Purse::of(kind, currency));
    let in_words = |amount: &Money| reward(words, *amount);
    let text = match &notice.content {
        Content::NewReferral { friend } => {
            let friend = &called(friend, words.nameless_friend);
            match &offer.promise {
                Some(promise) => {
                    fill(words.notice_new_referral_offer, &[("friend", friend), ("offer", promise)])
                }
                None => fill(words.notice_new_referral, &[("friend", friend)]),
            }
        }
        Content::Earned { friend, amount, usable_from, claim_by } => {
            let news = fill_html(offer.news, &[("friend", &called(friend, words.nameless_friend))]);
            let (template, day) = match (claim_by, usable_from) {
                (Some(end), _) => (words.notice_earned_to_claim, end.last_whole_day()),
                (None, Some(from)) => (words.notice_earned_later, from.day()),
                (None, None) => (words.notice_earned, String::new()),
            };
            let amount = in_words(amount);
            let values =
                [("amount", amount.as_str()), ("news", &news), ("ready", purse.ready), ("day", &day)];
            fill(template, &values)
        }
        Content::TakenBack { amount, .. } => fill(words.notice_taken_back, &[("amount", &in_words(amount))]),
        Content::WithdrawalPaid { amount } => {
            fill(words.notice_withdrawal_paid, &[("amount", &amount.to_string())])
        }
        Content::WithdrawalReturned { amount, reason } => {
            fill(words.notice_withdrawal_returned, &[("amount", &amount.to_string()), ("reason", reason)])
        }
        Content::Released { amount } => fill(words.notice_released, &[("amount", &in_words(amount))]),
        Content::Applied { amount } => fill(words.notice_applied, &[("amount", &amount.to_string())]),
    };
    let keyboard = Keyboard::new().row([
        Button::nav(purse.button, Nav::Credits { cursor: None }),
        Button::nav(words.button_recruit, Nav::Recruit),
    ]);
    Ok(Outgoing::send_html(notice.telegram_id, text, keyboard))
}

/// Formats money as an amount and credits as days of premium.
fn reward(words: &Texts, amount: Money) -> String {
    if amount.currency() == Currency::DAY {
        fill_html(words.offer.premium, &[("amount", &amount.to_string())])
    } else {
        amount.to_string()
    }
}
