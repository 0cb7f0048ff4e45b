//! Notices to members about events. Each notice is sent once.

use guerdon_domain::{
    ids::{MemberId, TelegramId},
    members::Member,
    money::Money,
    time::Timestamp,
    withdrawals::WithdrawalState,
};
use guerdon_store::{
    messages::Claim,
    table::{Effect, metered},
};

use crate::{context::App, error::AppError, events::DomainEvent};

/// A notice to a member, before it is put into words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The natural key of the event. One notice is sent for it.
    pub key: String,
    /// The recipient.
    pub recipient: MemberId,
    /// The Telegram id of the recipient.
    pub telegram_id: TelegramId,
    /// The content.
    pub content: Content,
}

/// The content of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A friend joined through the member's code.
    NewReferral {
        /// The friend's first name.
        friend: String,
    },
    /// The member earned a commission.
    Earned {
        /// The friend's first name.
        friend: String,
        /// The amount.
        amount: Money,
        /// The time from which the amount can be used, if not at once.
        usable_from: Option<Timestamp>,
        /// The deadline for the claim, if a claim is required.
        claim_by: Option<Timestamp>,
    },
    /// The hold of a commission is over.
    Released {
        /// The amount.
        amount: Money,
    },
    /// The payment of a friend was reversed, and with it the member's commission.
    TakenBack {
        /// The friend's first name.
        friend: String,
        /// The amount.
        amount: Money,
    },
    /// A withdrawal was paid.
    WithdrawalPaid {
        /// The amount.
        amount: Money,
    },
    /// A withdrawal was rejected or failed. The money is available again.
    WithdrawalReturned {
        /// The amount.
        amount: Money,
        /// The reason.
        reason: String,
    },
    /// The member's credit reduced an invoice.
    Applied {
        /// The amount.
        amount: Money,
    },
}

/// Time in seconds for which another sender may still be working on a notice.
const LEASE_SECONDS: i64 = 120;

/// Returns the notice for `event`, if the event needs one and the bot can write to its recipient.
pub async fn notice_for(app: &App, event: &DomainEvent) -> Result<Option<Notice>, AppError> {
    metered("notice_for", async {
        let (recipient, content) = match event {
            DomainEvent::ReferralCreated { referrer, referee } => {
                (referrer, Content::NewReferral { friend: first_name(app, referee).await? })
            }
            DomainEvent::CommissionBooked {
                beneficiary,
                referee,
                amount,
                due_at,
                booked_at,
                claim_by,
                ..
            } => {
                let usable_from = (due_at > booked_at).then_some(*due_at);
                let friend = first_name(app, referee).await?;
                let content = Content::Earned { friend, amount: *amount, usable_from, claim_by: *claim_by };
                (beneficiary, content)
            }
            DomainEvent::CommissionReleased { beneficiary, amount, was_on_hold: true, .. } => {
                (beneficiary, Content::Released { amount: *amount })
            }
            DomainEvent::CommissionReversed { beneficiary, referee, undone, undone_before, .. } => {
                let amount = undone.checked_sub(*undone_before)?;
                if !amount.is_positive() {
                    return Ok(None);
                }
                (beneficiary, Content::TakenBack { friend: first_name(app, referee).await?, amount })
            }
            DomainEvent::WithdrawalMoved { member, amount, state, reason, .. } => match state {
                WithdrawalState::Paid => (member, Content::WithdrawalPaid { amount: *amount }),
                WithdrawalState::Rejected | WithdrawalState::Failed => {
                    let reason = reason.clone().unwrap_or_default();
                    (member, Content::WithdrawalReturned { amount: *amount, reason })
                }
                _ => return Ok(None),
            },
            DomainEvent::CreditApplied { member, amount, .. } => {
                (member, Content::Applied { amount: *amount })
            }
            _ => return Ok(None),
        };
        let member = app.store.members().find(recipient).await?.filter(reachable);
        Ok(member.map(|member| Notice {
            key: event.natural_key(),
            recipient: recipient.clone(),
            telegram_id: member.telegram_id,
            content,
        }))
    })
    .await
}

/// Returns whether the bot can write to the member. This requires that the member pressed start.
fn reachable(member: &Member) -> bool {
    member.joined.is_some() && !member.blocked_bot
}

async fn first_name(app: &App, member: &MemberId) -> Result<String, AppError> {
    Ok(app.store.members().find(member).await?.map(|m| m.first_name).unwrap_or_default())
}

/// Claims the sending of a notice for the message `claimant`. Returns false if the notice was sent.
///
/// # Errors
/// [`AppError::Unavailable`] while another message holds the claim. That message can fail, so this one must
/// be retried.
pub async fn claim_notice(app: &App, notice: &Notice, claimant: &str) -> Result<Effect, AppError> {
    metered("claim_notice", async {
        match app.store.messages().claim(&notice.key, claimant, app.now(), LEASE_SECONDS).await? {
            Claim::Ours => Ok(Effect::Applied),
            Claim::Sent => Ok(Effect::AlreadyApplied),
            Claim::Others => Err(AppError::Unavailable("another message is sending this notice".into())),
        }
    })
    .await
}

/// Marks a notice as finished: it was sent, or it can never be sent.
pub async fn notice_done(app: &App, notice: &Notice) -> Result<(), AppError> {
    metered("notice_done", async { Ok(app.store.messages().sent(&notice.key, app.now()).await?) }).await
}

/// Stores whether the recipient blocked the bot. The bot sends no notices until they start it again.
pub async fn set_blocked(app: &App, member: &MemberId, blocked: bool) -> Result<(), AppError> {
    metered("set_blocked", async { Ok(app.store.members().set_blocked(member, blocked).await?) }).await
}

/// Records that an update was answered. [`Effect::AlreadyApplied`] if it was answered before.
pub async fn remember_update(app: &App, update_id: i64) -> Result<Effect, AppError> {
    Ok(app.store.messages().see_update(update_id, app.now()).await?)
}
