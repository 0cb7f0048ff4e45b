//! The operators' view of a member.

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

/// A member with their referral, statistics and credit, as shown to operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminMember {
    /// The member's profile.
    pub member: Member,
    /// The referrer's Telegram id.
    pub referred_by: Option<TelegramId>,
    /// The member's own referral, if they joined with a code.
    pub referral: Option<Referral>,
    /// Statistics of the referrals that the member made.
    pub stats: ReferralStats,
    /// Unused bill credit, in the wallet and on the Stripe balance.
    pub credit_balance: Money,
    /// The part of `credit_balance` that is on the Stripe customer balance.
    pub posted: Money,
    /// The amount that the member must pay back.
    pub owed: Money,
    /// The amount that invoices have used.
    pub applied: Money,
}

/// Releases the member's due commissions and returns the member, or `None` for an unknown id.
pub async fn admin_member(app: &App, telegram_id: TelegramId) -> Result<Option<AdminMember>, AppError> {
    metered("admin_member", async {
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
        Ok(Some(AdminMember {
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
