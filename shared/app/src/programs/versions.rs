//! Which version of the program decides a payment.

use std::sync::Arc;

use guerdon_domain::{
    money::{Currency, Money},
    programs::{Program, ProgramVersion},
    settings::Preset,
    time::Timestamp,
    wallets::WalletKind,
};

use crate::{context::App, error::AppError, settings::settings_now};

/// A new version takes effect this much later: by then nobody's list is too old to have it.
pub(crate) const EFFECTIVE_AFTER_SECONDS: i64 = 60;

/// Versions kept in mind. A payment from before the oldest of them is decided by the preset's rules.
const VERSIONS: i32 = 100;

/// The versions that operators have set, newest first, at most half a minute old.
async fn versions(app: &App) -> Result<Arc<Vec<ProgramVersion>>, AppError> {
    if let Some(versions) = app.programs.known(app.now()) {
        return Ok(versions);
    }
    let versions = app.store.programs().versions(VERSIONS).await?;
    let newest = versions.first().map_or(0, |version| version.program.version);
    Ok(app.programs.keep(app.now(), newest, versions))
}

/// The program that decides payments which settled at `at`: the latest version in effect then, or the
/// preset's own. So a payment that is told late is still decided by the rules of its time.
///
/// # Errors
/// [`AppError`].
pub async fn program_at(app: &App, at: Timestamp) -> Result<Arc<Program>, AppError> {
    let versions = versions(app).await?;
    let in_effect = versions.iter().find(|version| version.effective_from <= at);
    Ok(in_effect
        .map_or_else(|| Arc::new(app.preset.program.clone()), |version| Arc::new(version.program.clone())))
}

/// The program in force now.
///
/// # Errors
/// [`AppError`].
pub async fn program_now(app: &App) -> Result<Arc<Program>, AppError> {
    program_at(app, app.now()).await
}

/// The wallet that a referrer's rewards come into, and its currency: the headline rule's. Without rewards
/// it is what is paid out, or else bill credit, which operators can give at any time.
pub fn reward_wallet(preset: &Preset, program: &Program) -> (WalletKind, Currency) {
    let currency = preset.currency;
    match (program.headline(), &preset.withdrawals) {
        (Some(rule), _) => (rule.target, rule.granted_currency(currency)),
        (None, Some(rules)) => (rules.wallet, currency),
        (None, None) => (WalletKind::BillCredit, currency),
    }
}

pub(crate) async fn reward_wallet_now(app: &App) -> Result<(WalletKind, Currency), AppError> {
    Ok(reward_wallet(&app.preset, &*program_now(app).await?))
}

/// What a pending referral would earn its referrer under the present program, in the preset's currency;
/// zero where the reward is none of money or depends on what is paid.
pub(crate) async fn would_earn(app: &App) -> Result<Money, AppError> {
    let program = program_now(app).await?;
    let settings = settings_now(app).await?;
    let reward = program.headline().map(|rule| settings.preset.typical_reward(rule)).transpose()?;
    let own = reward.filter(|reward| reward.currency() == app.preset.currency);
    Ok(own.unwrap_or(Money::zero(app.preset.currency)))
}
