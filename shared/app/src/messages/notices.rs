//! Telling members what happened: who is told, and that they are told once.

use guerdon_domain::{
    ids::{MemberId, TelegramId},
    members::Member,
    money::Money,
    time::Timestamp,
    withdrawals::WithdrawalState,
};
use guerdon_store::{messages::Claim, table::metered};

use crate::{context::App, error::AppError, events::DomainEvent};

/// A message to a member, before it has words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The event's natural key: the message is sent once for it.
    pub key: String,
    /// Who is told.
    pub recipient: MemberId,
    /// Where it goes.
    pub telegram_id: TelegramId,
    /// What it says.
    pub content: Content,
}

/// What a notice says.
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
        /// How much.
        amount: Money,
        /// When it can be used, if not at once.
        usable_from: Option<Timestamp>,
        /// Until when it has to be claimed, where it does.
        claim_by: Option<Timestamp>,
    },
    /// A commission's hold is over.
    Released {
        /// How much.
        amount: Money,
    },
    /// A friend's payment was undone, and the member's commission with it.
    TakenBack {
        /// The friend's first name.
        friend: String,
        /// How much.
        amount: Money,
    },
    /// A withdrawal was paid.
    WithdrawalPaid {
        /// How much.
        amount: Money,
    },
    /// A withdrawal was turned down or failed: the money is available again.
    WithdrawalReturned {
        /// How much.
        amount: Money,
        /// Why.
        reason: String,
    },
    /// An invoice was lowered by the member's credit.
    Applied {
        /// How much.
        amount: Money,
    },
}

/// Another sender may still be at work on a notice for this long.
const LEASE_SECONDS: i64 = 120;

/// The notice that `event` calls for, if it calls for one and its recipient can be reached.
///
/// # Errors
/// [`AppError`].
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

/// Only somebody who pressed start can be written to.
fn reachable(member: &Member) -> bool {
    member.joined.is_some() && !member.blocked_bot
}

async fn first_name(app: &App, member: &MemberId) -> Result<String, AppError> {
    Ok(app.store.members().find(member).await?.map(|m| m.first_name).unwrap_or_default())
}

/// Claims the sending of a notice for the message `claimant`. False when it was sent.
///
/// # Errors
/// [`AppError::Unavailable`] while another message is at it: it may yet fail, so this one must come again.
pub async fn claim_notice(app: &App, notice: &Notice, claimant: &str) -> Result<bool, AppError> {
    metered("claim_notice", async {
        match app.store.messages().claim(&notice.key, claimant, app.now(), LEASE_SECONDS).await? {
            Claim::Ours => Ok(true),
            Claim::Sent => Ok(false),
            Claim::Others => Err(AppError::Unavailable("another message is sending this notice".to_owned())),
        }
    })
    .await
}

/// The notice is out, or can never be.
///
/// # Errors
/// [`AppError`].
pub async fn notice_done(app: &App, notice: &Notice) -> Result<(), AppError> {
    metered("notice_done", async { Ok(app.store.messages().sent(&notice.key, app.now()).await?) }).await
}

/// The recipient blocked the bot: nothing more is sent until they start it again.
///
/// # Errors
/// [`AppError`].
pub async fn set_blocked(app: &App, member: &MemberId, blocked: bool) -> Result<(), AppError> {
    metered("set_blocked", async { Ok(app.store.members().set_blocked(member, blocked).await?) }).await
}

/// Remembers that an update was answered. False when it was answered before.
///
/// # Errors
/// [`AppError`].
pub async fn remember_update(app: &App, update_id: i64) -> Result<bool, AppError> {
    Ok(app.store.messages().see_update(update_id, app.now()).await?)
}
