//! One batch of the notifications queue.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use guerdon_app::{App, AppError, Content, Notice, claim_notice, notice_done, notice_for, set_blocked};
use guerdon_runtime::{
    batch::{body, run},
    bus::Envelope,
    secrets::{Secret, Secrets},
};
use guerdon_telegram::{
    BotApi, Button, Keyboard, Nav, Outgoing, SendError,
    texts::{Texts, fill, texts},
};
use tokio::sync::OnceCell;

/// What the notifier needs. The Bot API client is built at the first message.
pub struct Notifier {
    app: App,
    secrets: Secrets,
    api_url: Option<String>,
    api: OnceCell<BotApi>,
}

impl Notifier {
    /// A notifier over the Bot API, or over what stands in for it at `api_url`.
    pub fn new(app: App, secrets: Secrets, api_url: Option<String>) -> Self {
        Self { app, secrets, api_url, api: OnceCell::new() }
    }

    async fn api(&self) -> Result<&BotApi, AppError> {
        let unavailable = |error: &dyn std::fmt::Display| AppError::Unavailable(error.to_string());
        self.api
            .get_or_try_init(|| async {
                let token = self.secrets.get(Secret::TelegramBotToken).await.map_err(|e| unavailable(&e))?;
                let api = BotApi::try_new(token).map_err(|e| unavailable(&e))?;
                match &self.api_url {
                    Some(url) => api.set_api_url(url).map_err(|e| unavailable(&e)),
                    None => Ok(api),
                }
            })
            .await
    }
}

/// Handles a batch; failed messages are reported one by one.
pub async fn handle(notifier: &Notifier, event: SqsEvent) -> SqsBatchResponse {
    run("notifier", event, |message| on_message(notifier, message)).await
}

async fn on_message(notifier: &Notifier, message: SqsMessage) -> Result<(), AppError> {
    let envelope: Envelope = serde_json::from_str(body(&message)?)
        .map_err(|_| AppError::Corrupt("a message that is no domain event".to_owned()))?;
    let Some(notice) = notice_for(&notifier.app, &envelope.detail).await? else { return Ok(()) };
    let claimant = message.message_id.as_deref().unwrap_or_default();
    if !claim_notice(&notifier.app, &notice, claimant).await? {
        return Ok(());
    }
    let outgoing = compose(notifier, texts(None), &notice)?;
    match notifier.api().await?.send(&outgoing).await {
        Ok(()) => {}
        Err(SendError::Blocked) => set_blocked(&notifier.app, &notice.recipient, true).await?,
        // Telegram will never take it: retrying would only delay the others.
        Err(SendError::Refused(reason)) => {
            tracing::error!(member = notifier.app.tag(&notice.recipient), reason, "message refused");
        }
        Err(error @ (SendError::RetryAfter(_) | SendError::Unknown(_))) => {
            return Err(AppError::Unavailable(error.to_string()));
        }
    }
    notice_done(&notifier.app, &notice).await
}

fn compose(notifier: &Notifier, words: &Texts, notice: &Notice) -> Result<Outgoing, AppError> {
    let preset = &notifier.app.preset;
    let program = &preset.program;
    let reward = preset.reward_words(program).unwrap_or_default();
    let minimum = program.headline().map(|rule| rule.minimum_payment.to_string()).unwrap_or_default();
    let text = match &notice.content {
        Content::NewReferral { friend } => {
            let values = [("friend", friend.as_str()), ("reward", &reward), ("minimum", &minimum)];
            fill(words.notice_new_referral, &values)
        }
        Content::Earned { friend, amount, usable_from: None } => {
            fill(words.notice_earned, &[("friend", friend), ("amount", &amount.to_string())])
        }
        Content::Earned { friend, amount, usable_from: Some(day) } => {
            let values = [("friend", friend.as_str()), ("amount", &amount.to_string()), ("day", &day.day())];
            fill(words.notice_earned_later, &values)
        }
        Content::TakenBack { friend, amount } => {
            fill(words.notice_taken_back, &[("friend", friend), ("amount", &amount.to_string())])
        }
        Content::WithdrawalPaid { amount } => {
            fill(words.notice_withdrawal_paid, &[("amount", &amount.to_string())])
        }
        Content::WithdrawalReturned { amount, reason } => {
            fill(words.notice_withdrawal_returned, &[("amount", &amount.to_string()), ("reason", reason)])
        }
        Content::Released { amount } => fill(words.notice_released, &[("amount", &amount.to_string())]),
        Content::Applied { amount } => fill(words.notice_applied, &[("amount", &amount.to_string())]),
    };
    let keyboard = Keyboard::new().row([
        Button::nav(words.button_credits, Nav::Credits { cursor: None }),
        Button::nav(words.button_recruit, Nav::Recruit),
    ]);
    Ok(Outgoing::send_html(notice.telegram_id, text, keyboard))
}
