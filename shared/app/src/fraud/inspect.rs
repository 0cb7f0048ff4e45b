//! What members share: looked up when somebody is seen with something.

use std::collections::BTreeSet;

use guerdon_domain::{
    fraud::{Finding, Fingerprint, FingerprintKind, FraudFlag, FraudRules, Observation, Signal},
    ids::{MemberId, TelegramId, WithdrawalId},
    members::Member,
    withdrawals::Withdrawal,
};
use guerdon_store::table::metered;

use super::{
    raise::raise,
    rates,
    refusal::{FraudRefusal, line},
};
use crate::{context::App, error::AppError, settings::settings_now};

/// Fingerprints of one member that are looked at: nobody has more devices and addresses than that.
const MOST_PRINTS: i32 = 50;

/// A member with whom they came through: their referrer, then their upline.
struct Chain {
    member: Member,
    up: Vec<MemberId>,
}

async fn chain_of(app: &App, id: &MemberId) -> Result<Option<Chain>, AppError> {
    let Some(member) = app.store.members().find(id).await? else { return Ok(None) };
    let mut up: Vec<MemberId> = referrer_of(&member).into_iter().cloned().collect();
    if let Some(referrer) = up.first()
        && let Some(referrer) = app.store.members().find(referrer).await?
    {
        up.extend(referrer_of(&referrer).cloned());
    }
    Ok(Some(Chain { member, up }))
}

fn referrer_of(member: &Member) -> Option<&MemberId> {
    member.joined.as_ref()?.referrer.as_ref()
}

/// Somebody has joined: what they share, and how their referrer's referrals do by now.
///
/// # Errors
/// [`AppError`].
pub async fn inspect_joined(app: &App, referee: &MemberId) -> Result<Vec<FraudFlag>, AppError> {
    metered("inspect_joined", async {
        let Some(chain) = chain_of(app, referee).await? else { return Ok(Vec::new()) };
        let mut flags = Vec::new();
        for print in app.store.sightings().of(referee, MOST_PRINTS).await? {
            flags.extend(shared(app, &chain, &print).await?);
        }
        if let Some(referrer) = chain.up.first() {
            flags.extend(rates::of_referrer(app, referrer).await?);
        }
        Ok(distinct(flags))
    })
    .await
}

/// A member was seen with `prints` just now: what they share.
///
/// # Errors
/// [`AppError`].
pub async fn inspect_prints(
    app: &App,
    member: &MemberId,
    prints: &[Fingerprint],
) -> Result<Vec<FraudFlag>, AppError> {
    metered("inspect_prints", inspect(app, member, prints, false)).await
}

/// A member is about to pay from `prints`: whether it is their referrer who pays, or a ring.
///
/// # Errors
/// [`AppError`].
pub async fn inspect_payer(
    app: &App,
    payer: &MemberId,
    prints: &[Fingerprint],
) -> Result<Vec<FraudFlag>, AppError> {
    metered("inspect_payer", inspect(app, payer, prints, true)).await
}

/// A member has asked to be paid out: who else is paid out there.
///
/// # Errors
/// [`AppError`].
pub async fn inspect_destination(app: &App, withdrawal: &Withdrawal) -> Result<Vec<FraudFlag>, AppError> {
    metered("inspect_destination", async {
        let print = Fingerprint::sealed(&withdrawal.destination);
        let print = print.map_err(|error| AppError::Corrupt(error.to_string()))?;
        app.store.sightings().put(&print, &withdrawal.member, app.now()).await?;
        inspect(app, &withdrawal.member, &[print], false).await
    })
    .await
}

/// The same for a withdrawal by its id, as events name it.
///
/// # Errors
/// [`AppError`].
pub async fn inspect_withdrawal(app: &App, id: &str) -> Result<Vec<FraudFlag>, AppError> {
    match app.store.withdrawals().find(&WithdrawalId::parse(id)?).await? {
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
    let mut flags = Vec::new();
    for print in prints {
        if paying {
            flags.extend(self_paid(app, &chain, print).await?);
        }
        flags.extend(shared(app, &chain, print).await?);
    }
    Ok(distinct(flags))
}

/// Who else was seen with `print`: as many as the rules can ask for, and those the member came through, who may stand
/// behind them.
async fn others(app: &App, chain: &Chain, print: &Fingerprint) -> Result<BTreeSet<MemberId>, AppError> {
    // The member in question is among them.
    let most = i32::try_from(FraudRules::MOST_MEMBERS.saturating_add(1)).unwrap_or(i32::MAX);
    let mut seen = app.store.sightings().with(print, most).await?;
    seen.extend(app.store.sightings().among(print, &chain.up).await?);
    let window = i64::from(settings_now(app).await?.fraud.shared_ip.within_seconds);
    let since = app.now().plus_seconds(-window);
    let counts = |at| print.kind() != FingerprintKind::Ip || at >= since;
    let others = seen.into_iter().filter(|seen| seen.member != chain.member.id && counts(seen.at));
    Ok(others.map(|seen| seen.member).collect())
}

/// What the rules say to whom `print` is shared with. A ring is flagged with those the member came through, too: what
/// it earns is theirs.
async fn shared(app: &App, chain: &Chain, print: &Fingerprint) -> Result<Vec<FraudFlag>, AppError> {
    let rules = &settings_now(app).await?.fraud;
    let others = others(app, chain, print).await?;
    let kin = kin(app, chain, print, &others).await?;
    let subject = &chain.member.id;
    let observed = |members: Vec<MemberId>, kin: Vec<MemberId>| {
        rules.judge(&Observation::Shared { fingerprint: print.clone(), members, kin })
    };
    let mut flags = Vec::new();
    let mut rings = false;
    for finding in observed(others.into_iter().collect(), kin.iter().cloned().collect()) {
        rings |= finding.signal == Signal::ReferralRing;
        flags.push(raise(app, subject, &finding, "").await?);
    }
    for above in chain.up.iter().filter(|above| rings && kin.contains(*above)) {
        let around = kin.iter().filter(|member| *member != above).chain([subject]).cloned();
        flags.extend(raise_all(app, above, &observed(Vec::new(), around.collect())).await?);
    }
    Ok(flags)
}

/// Those of `others` who are of the member's chain: their referrer, their upline, whom the same referrer brought.
async fn kin(
    app: &App,
    chain: &Chain,
    print: &Fingerprint,
    others: &BTreeSet<MemberId>,
) -> Result<BTreeSet<MemberId>, AppError> {
    let Some(referrer) = chain.up.first().filter(|_| print.kind() != FingerprintKind::Ip) else {
        return Ok(BTreeSet::new());
    };
    let siblings = members_of(app, others).await?.into_iter();
    let siblings = siblings.filter(|other| referrer_of(other) == Some(referrer)).map(|other| other.id);
    Ok(siblings.chain(chain.up.iter().filter(|above| others.contains(*above)).cloned()).collect())
}

async fn members_of(app: &App, ids: &BTreeSet<MemberId>) -> Result<Vec<Member>, AppError> {
    // The table reads no more than 100 at once.
    let ids: Vec<_> = ids.iter().take(100).cloned().collect();
    if ids.is_empty() { Ok(Vec::new()) } else { Ok(app.store.members().find_all(&ids).await?) }
}

/// Whether a payer and somebody they came through, or somebody they brought, pay by the same means. Both are flagged:
/// the one who pays and the one who earns by it.
async fn self_paid(app: &App, chain: &Chain, print: &Fingerprint) -> Result<Vec<FraudFlag>, AppError> {
    let subject = &chain.member.id;
    let above = app.store.sightings().among(print, &chain.up).await?;
    let mut pairs: Vec<_> = above.into_iter().map(|above| (subject.clone(), above.member)).collect();
    if print.kind() == FingerprintKind::Payment {
        let others = members_of(app, &others(app, chain, print).await?).await?;
        let brought = others.into_iter().filter(|other| referrer_of(other) == Some(subject));
        pairs.extend(brought.map(|referee| (referee.id, subject.clone())));
    }
    let rules = &settings_now(app).await?.fraud;
    let mut flags = Vec::new();
    for (payer, referrer) in pairs {
        let (fingerprint, both) = (print.clone(), [payer.clone(), referrer.clone()]);
        let findings = rules.judge(&Observation::SelfPaid { fingerprint, payer, referrer });
        for member in both {
            flags.extend(raise_all(app, &member, &findings).await?);
        }
    }
    Ok(flags)
}

async fn raise_all(app: &App, subject: &MemberId, findings: &[Finding]) -> Result<Vec<FraudFlag>, AppError> {
    let mut flags = Vec::new();
    for finding in findings {
        flags.push(raise(app, subject, finding, "").await?);
    }
    Ok(flags)
}

/// The same thing may be found by two looks.
fn distinct(flags: Vec<FraudFlag>) -> Vec<FraudFlag> {
    let mut seen = BTreeSet::new();
    flags.into_iter().filter(|flag| seen.insert((flag.subject.clone(), flag.id.clone()))).collect()
}

/// What all checks about a member came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The rules only watch.
    pub shadow: bool,
    /// What they find now, as it stands: raised now or before.
    pub flags: Vec<FraudFlag>,
}

/// Runs every check about a member now, and leaves an audit line.
///
/// # Errors
/// [`FraudRefusal::UnknownMember`], or it did not complete.
pub async fn run_checks(app: &App, principal: &str, user_id: TelegramId) -> Result<Checked, FraudRefusal> {
    metered("run_checks", async {
        let id = app.member_id(user_id);
        let chain = chain_of(app, &id).await?.ok_or(FraudRefusal::UnknownMember)?;
        let mut flags = Vec::new();
        for print in app.store.sightings().of(&id, MOST_PRINTS).await? {
            if print.kind() == FingerprintKind::Payment {
                flags.extend(self_paid(app, &chain, &print).await?);
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
