//! The view of a member's withdrawals.

use guerdon_domain::{
    ids::MemberId,
    time::Timestamp,
    wallets::Wallet,
    withdrawals::{Withdrawal, WithdrawalRules},
};
use guerdon_store::table::metered;

use crate::{commissions::settle_for_view, context::App, error::AppError, settings::settings_now};

/// The data of the `/withdraw` command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawView {
    /// The rules of withdrawing.
    pub rules: WithdrawalRules,
    /// The wallet for withdrawals, after all due commissions are released.
    pub wallet: Wallet,
    /// The open withdrawal.
    pub open: Option<Withdrawal>,
    /// The earliest time of the next withdrawal, if not now.
    pub next_from: Option<Timestamp>,
}

/// Returns the member's view of withdrawals, or `None` if the business does not offer them.
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
