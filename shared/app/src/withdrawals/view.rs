//! What a member can withdraw.

use guerdon_domain::{
    ids::MemberId,
    time::Timestamp,
    wallets::Wallet,
    withdrawals::{Withdrawal, WithdrawalRules},
};
use guerdon_store::table::metered;

use crate::{commissions::settle_for_view, context::App, error::AppError, settings::settings_now};

/// What `/withdraw` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawView {
    /// The rules of withdrawing.
    pub rules: WithdrawalRules,
    /// The wallet that is paid out, everything due released.
    pub wallet: Wallet,
    /// The withdrawal under way.
    pub open: Option<Withdrawal>,
    /// The next one is possible from then on, if not at once.
    pub next_from: Option<Timestamp>,
}

/// What the member can withdraw; nothing where nothing is paid out.
///
/// # Errors
/// [`AppError`].
pub async fn withdraw_view(app: &App, member: &MemberId) -> Result<Option<WithdrawView>, AppError> {
    metered("withdraw_view", async {
        let settings = settings_now(app).await?;
        let Some(rules) = settings.preset.withdrawals.clone() else { return Ok(None) };
        settle_for_view(app, member).await?;
        let wallet = app.store.wallets().find(member, rules.wallet, app.preset.currency).await?;
        let open = match &wallet.open_withdrawal {
            Some(id) => app.store.withdrawals().find(id).await?,
            None => None,
        };
        if open.is_none() && !settings.withdrawals_enabled {
            return Ok(None);
        }
        let next = wallet.withdrew_at.map(|at| at.plus_seconds(rules.cool_down_seconds));
        let next_from = next.filter(|next| app.now() < *next);
        Ok(Some(WithdrawView { rules, wallet, open, next_from }))
    })
    .await
}
