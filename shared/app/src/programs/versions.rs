//! The selection of the program version that decides a payment.

use std::sync::Arc;

use guerdon_domain::{
    money::{Currency, Money},
    programs::{Program, ProgramVersion},
    settings::Preset,
    time::Timestamp,
    wallets::WalletKind,
};

use crate::{context::App, error::AppError, settings::settings_now};

/// Delay before a new version takes effect, in seconds. It is longer than the lifetime of a cached list, so
/// every instance knows the version by then.
pub(crate) const EFFECTIVE_AFTER_SECONDS: i64 = 60;

/// Number of versions in one read, and of cached versions.
const VERSIONS: i32 = 100;

/// Returns the newest versions that operators set, newest first, at most half a minute old.
async fn versions(app: &App) -> Result<Arc<Vec<ProgramVersion>>, AppError> {
    if let Some(versions) = app.programs.known(app.now()) {
        return Ok(versions);
    }
    let versions = app.store.programs().versions(None, VERSIONS).await?;
    let newest = versions.first().map_or(0, |version| version.program.version);
    Ok(app.programs.keep(app.now(), newest, versions))
}

/// Returns the program that decides payments settled at `at`: the latest version in effect at that time, or
/// the preset's program. A payment that is reported late is still decided by the rules of its time.
pub async fn program_at(app: &App, at: Timestamp) -> Result<Arc<Program>, AppError> {
    let newest = versions(app).await?;
    if let Some(version) = in_effect(&newest, at) {
        return Ok(version);
    }
    let mut oldest = newest.last().map(|version| version.program.version);
    while let Some(before) = oldest.filter(|version| *version > FIRST_SET) {
        let older = app.store.programs().versions(Some(before), VERSIONS).await?;
        if let Some(version) = in_effect(&older, at) {
            return Ok(version);
        }
        oldest = older.last().map(|version| version.program.version);
    }
    Ok(Arc::new(app.preset.program.clone()))
}

/// The number of the first version that an operator can set: the preset's own rules are version 1.
const FIRST_SET: u32 = 2;

fn in_effect(newest_first: &[ProgramVersion], at: Timestamp) -> Option<Arc<Program>> {
    let version = newest_first.iter().find(|version| version.is_in_effect(at))?;
    Some(Arc::new(version.program.clone()))
}

/// Returns the program in force now.
pub async fn program_now(app: &App) -> Result<Arc<Program>, AppError> {
    program_at(app, app.now()).await
}

/// Returns the wallet for a referrer's rewards, and its currency, as the headline rule defines them. If no
/// rule grants rewards, it is the wallet that is paid out. If there are no withdrawals, it is bill credit,
/// which operators can always give.
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

/// Returns the reward that a pending referral would earn under the current program, for the cheapest
/// qualifying plan. It is zero if there is no rule for referrers, or if the reward is not in `currency`.
pub(crate) async fn would_earn(app: &App, currency: Currency) -> Result<Money, AppError> {
    let program = program_now(app).await?;
    let settings = settings_now(app).await?;
    let reward = program.headline().map(|rule| settings.preset.typical_reward(rule)).transpose()?;
    let own = reward.filter(|reward| reward.currency() == currency);
    Ok(own.unwrap_or(Money::zero(currency)))
}
