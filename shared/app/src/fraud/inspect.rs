//! Fraud checks on fingerprints that members share.

use std::collections::BTreeSet;

use guerdon_domain::{
    fraud::{Finding, Fingerprint, FingerprintKind, FraudFlag, FraudRules, Observation, Signal},
    ids::{MemberId, PrincipalId, TelegramId, WithdrawalId},
    members::Member,
    withdrawals::Withdrawal,
};
use guerdon_store::table::{Reason, metered};

use super::{
    raise::raise,
    rates,
    refusal::{FraudRefusal, line},
};
use crate::{context::App, error::AppError, settings::settings_now};

/// Maximum number of fingerprints of one member that are checked. No member has more devices and addresses.
const MOST_PRINTS: i32 = 50;

/// A member and the members above: the referrer and the referrer's referrer.
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

/// Checks a member who joined: shared fingerprints, and the referrals of their referrer.
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

/// Checks a member who was just seen with `prints` for shared fingerprints.
pub async fn inspect_prints(
    app: &App,
    member: &MemberId,
    prints: &[Fingerprint],
) -> Result<Vec<FraudFlag>, AppError> {
    metered("inspect_prints", inspect(app, member, prints, false)).await
}

/// Checks a member who is about to pay from `prints`: for a payment by their referrer, and for a ring.
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
    let mut flags = Vec::new();
    for print in prints {
        if paying {
            flags.extend(self_paid(app, &chain, print).await?);
        }
        flags.extend(shared(app, &chain, print).await?);
    }
    Ok(distinct(flags))
}

/// Returns the other members seen with `print`: as many as the rules can need, and the members above this
/// member in the chain, if they were seen with it.
async fn others(app: &App, chain: &Chain, print: &Fingerprint) -> Result<BTreeSet<MemberId>, AppError> {
    // One more, because the result includes the checked member.
    let most = i32::try_from(FraudRules::MOST_MEMBERS.saturating_add(1)).unwrap_or(i32::MAX);
    let mut seen = app.store.sightings().with(print, most).await?;
    seen.extend(app.store.sightings().among(print, &chain.up).await?);
    let window = i64::from(settings_now(app).await?.fraud.shared_ip.within_seconds);
    let since = app.now().plus_seconds(-window);
    let counts = |at| print.kind() != FingerprintKind::Ip || at >= since;
    let others = seen.into_iter().filter(|seen| seen.member != chain.member.id && counts(seen.at));
    Ok(others.map(|seen| seen.member).collect())
}

/// Applies the rules to the members who share `print`. A ring is also flagged at the members above in the
/// chain, because they earn from it.
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

/// Returns the `others` in the member's chain: the referrer, the upline, and members of the same referrer.
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
    // The table returns at most 100 members in one read.
    let ids: Vec<_> = ids.iter().take(100).cloned().collect();
    if ids.is_empty() { Ok(Vec::new()) } else { Ok(app.store.members().find_all(&ids).await?) }
}

/// Checks whether a payer shares a means of payment with a member above them in the chain or with a member
/// they referred. Both are flagged: the payer and the member who earns from the payment.
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
