//! A member as operators see them.

use guerdon_domain::{
    ids::TelegramId, members::Member, money::Money, referrals::Referral, wallets::WalletKind,
};
use guerdon_store::{statistics::Projection, table::metered};

use crate::{
    commissions::settle_for_view,
    context::App,
    error::AppError,
    statistics::{ReferralStats, referral_stats},
};

/// One member, as operators see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskMember {
    /// The profile.
    pub member: Member,
    /// Who brought them.
    pub referred_by: Option<TelegramId>,
    /// Their own referral, if they came through a code.
    pub referral: Option<Referral>,
    /// How their referrals went.
    pub stats: ReferralStats,
    /// Bill credit not used up yet: in the wallet or on the Stripe balance.
    pub credit_balance: Money,
    /// Of this, what lies on the Stripe customer balance.
    pub posted: Money,
    /// What they must give back.
    pub owed: Money,
    /// What invoices have used up.
    pub applied: Money,
}

/// A member with everything due released, or none if nobody of that id is known.
///
/// # Errors
/// [`AppError`].
pub async fn desk_member(app: &App, telegram_id: TelegramId) -> Result<Option<DeskMember>, AppError> {
    metered("desk_member", async {
        let id = app.member_id(telegram_id);
        let Some(member) = app.store.members().find(&id).await? else { return Ok(None) };
        settle_for_view(app, &id).await?;
        let wallet = app.store.wallets().find(&id, WalletKind::BillCredit, app.preset.currency).await?;
        let counters = app.store.statistics().counters(&Projection::Member(id)).await?;
        let referral = app.store.referrals().of(&member).await?;
        let referred_by = match &referral {
            Some(referral) => app.store.members().find(&referral.referrer).await?.map(|m| m.telegram_id),
            None => None,
        };
        Ok(Some(DeskMember {
            referred_by,
            referral,
            stats: referral_stats(app, &counters),
            credit_balance: wallet.available().checked_add(wallet.held())?,
            posted: wallet.held(),
            owed: wallet.owed(),
            applied: wallet.applied(),
            member,
        }))
    })
    .await
}
