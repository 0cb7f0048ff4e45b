//! Fraud checks of one member, each on the event that can change its result.

use std::collections::BTreeSet;

use guerdon_domain::{
    fraud::{Fingerprint, FingerprintKind, FraudFlag},
    ids::{MemberId, PrincipalId, TelegramId, WithdrawalId},
    withdrawals::Withdrawal,
};
use guerdon_store::table::{Reason, metered};

use super::{
    chain::chain_of,
    rates,
    refusal::{FraudRefusal, line},
    self_paid::{Account, self_paid},
    shared::{shared, shared_each},
};
use crate::{context::App, error::AppError, settings::settings_now};

/// Maximum number of fingerprints of one member that are checked. No member has more devices and addresses.
const MOST_PRINTS: i32 = 50;

/// Checks a member who joined: shared fingerprints, and the referrals of their referrer.
pub async fn inspect_joined(app: &App, referee: &MemberId) -> Result<Vec<FraudFlag>, AppError> {
    metered("inspect_joined", async {
        let Some(chain) = chain_of(app, referee).await? else { return Ok(Vec::new()) };
        let prints = app.store.sightings().of(referee, MOST_PRINTS).await?;
        let mut flags = shared_each(app, &chain, &prints).await?;
        if let Some(referrer) = chain.up.first() {
            flags.extend(rates::of_referrer(app, referrer).await?);
        }
        Ok(distinct(flags))
    })
    .await
}

/// Checks a member who was just seen with `prints` for shared fingerprints.
pub async fn inspect_prints(
    app: &App,
    member: &MemberId,
    prints: &[Fingerprint],
) -> Result<Vec<FraudFlag>, AppError> {
    metered("inspect_prints", inspect(app, member, prints, false)).await
}

/// Checks a member who is about to pay from one account, of which `prints` are the fingerprints: for a payment by
/// those above them, or for those they brought, and for a ring.
pub async fn inspect_payer(
    app: &App,
    payer: &MemberId,
    prints: &[Fingerprint],
) -> Result<Vec<FraudFlag>, AppError> {
    metered("inspect_payer", inspect(app, payer, prints, true)).await
}

/// Checks a withdrawal request for other members with the same destination.
pub async fn inspect_destination(app: &App, withdrawal: &Withdrawal) -> Result<Vec<FraudFlag>, AppError> {
    metered("inspect_destination", async {
        let print = Fingerprint::sealed(&withdrawal.destination);
        let print = print.map_err(|error| AppError::Corrupt(Reason::of(error)))?;
        app.store.sightings().put(&print, &withdrawal.member, app.now()).await?;
        inspect(app, &withdrawal.member, &[print], false).await
    })
    .await
}

/// Inspects the destination of a withdrawal by its id, as events carry it.
pub async fn inspect_withdrawal(app: &App, id: &WithdrawalId) -> Result<Vec<FraudFlag>, AppError> {
    match app.store.withdrawals().find(id).await? {
        Some(withdrawal) => inspect_destination(app, &withdrawal).await,
        None => Ok(Vec::new()),
    }
}

async fn inspect(
    app: &App,
    member: &MemberId,
    prints: &[Fingerprint],
    paying: bool,
) -> Result<Vec<FraudFlag>, AppError> {
    if prints.is_empty() {
        return Ok(Vec::new());
    }
    let Some(chain) = chain_of(app, member).await? else { return Ok(Vec::new()) };
    if !paying {
        return Ok(distinct(shared_each(app, &chain, prints).await?));
    }
    let account = Account::of(prints);
    // The pair is checked first: what it explains is not flagged a second time.
    let mut flags = self_paid(app, &chain, &account).await?;
    flags.extend(shared(app, &chain, account.prints()).await?);
    Ok(distinct(flags))
}

/// Removes duplicates: two checks can find the same flag.
fn distinct(flags: Vec<FraudFlag>) -> Vec<FraudFlag> {
    let mut seen = BTreeSet::new();
    flags.into_iter().filter(|flag| seen.insert((flag.subject.clone(), flag.id.clone()))).collect()
}

/// The result of all checks about a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// True if the rules only record flags and enforce nothing.
    pub shadow: bool,
    /// The flags that the rules find now, in their current state: raised now or before.
    pub flags: Vec<FraudFlag>,
}

/// Runs every check about a member now, and writes an audit line.
///
/// # Errors
/// [`FraudRefusal::UnknownMember`] when no member has this id.
pub async fn run_checks(
    app: &App,
    principal: &PrincipalId,
    user_id: TelegramId,
) -> Result<Checked, FraudRefusal> {
    metered("run_checks", async {
        let id = app.member_id(user_id);
        let chain = chain_of(app, &id).await?.ok_or(FraudRefusal::UnknownMember)?;
        let mut flags = Vec::new();
        for print in app.store.sightings().of(&id, MOST_PRINTS).await? {
            let print = [print];
            if print.iter().any(|print| print.kind() == FingerprintKind::Payment) {
                flags.extend(self_paid(app, &chain, &Account::of(&print)).await?);
            }
            flags.extend(shared(app, &chain, &print).await?);
        }
        flags.extend(rates::of_referrer(app, &id).await?);
        flags.extend(rates::inspect_reversed(app, &id).await?);
        let checked = Checked { shadow: settings_now(app).await?.fraud.shadow, flags: distinct(flags) };
        let found: Vec<_> = checked.flags.iter().map(|flag| flag.id.as_str()).collect();
        let states = [serde_json::Value::Null, serde_json::json!({ "found": found })];
        let audit = line(app, (principal, "fraud.run_checks"), &id, "", states)?;
        app.store.audit().put(&audit).await?;
        Ok(checked)
    })
    .await
}
