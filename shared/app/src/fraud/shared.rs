//! Checks of what members share: devices, addresses, payout destinations, and means of payment within a chain.

use std::collections::BTreeSet;

use guerdon_domain::{
    fraud::{Evidence, Finding, Fingerprint, FingerprintKind, FraudFlag, FraudRules, Observation, Signal},
    ids::{FraudFlagId, MemberId},
};

use super::{
    chain::{Chain, referrer_of},
    raise::raise,
};
use crate::{context::App, error::AppError, settings::settings_now};

/// The most flags of a member that are read to see what explains a finding.
pub(super) const MOST_FLAGS: i32 = 100;

/// Like [`shared`], for fingerprints that have nothing to do with each other.
pub(super) async fn shared_each(
    app: &App,
    chain: &Chain,
    prints: &[Fingerprint],
) -> Result<Vec<FraudFlag>, AppError> {
    let mut flags = Vec::new();
    for print in prints {
        flags.extend(shared(app, chain, std::slice::from_ref(print)).await?);
    }
    Ok(flags)
}

/// Applies the rules to the members who share one thing, of which `prints` are the fingerprints. A ring is also flagged
/// at the members above in the chain, because they earn from it.
pub(super) async fn shared(
    app: &App,
    chain: &Chain,
    prints: &[Fingerprint],
) -> Result<Vec<FraudFlag>, AppError> {
    let rules = &settings_now(app).await?.fraud;
    let subject = &chain.member.id;
    let (mut flags, mut all_kin) = (Vec::new(), BTreeSet::new());
    for print in prints {
        let others = others(app, chain, print).await?;
        all_kin.extend(kin(app, chain, print, &others).await?);
        for finding in judge(rules, print, &others, &BTreeSet::new()) {
            if let Some(finding) = unexplained(app, subject, rules, finding, &others).await? {
                flags.push(raise(app, subject, &finding, "").await?);
            }
        }
    }
    let about =
        std::iter::once(subject).chain(&chain.up).filter(|id| *id == subject || all_kin.contains(*id));
    for member in about {
        let around = all_kin.iter().filter(|kin| *kin != member);
        let around: BTreeSet<_> = around.chain((member != subject).then_some(subject)).cloned().collect();
        let Some(print) = known_print(app, member, prints, &around, rules).await? else { break };
        for finding in judge(rules, print, &BTreeSet::new(), &around) {
            flags.push(raise(app, member, &finding, "").await?);
        }
    }
    Ok(flags)
}

fn judge(
    rules: &FraudRules,
    print: &Fingerprint,
    others: &BTreeSet<MemberId>,
    kin: &BTreeSet<MemberId>,
) -> Vec<Finding> {
    let list = |ids: &BTreeSet<MemberId>| ids.iter().cloned().collect();
    rules.judge(&Observation::Shared { fingerprint: print.clone(), members: list(others), kin: list(kin) })
}

/// Returns the fingerprint under which a ring around `member` is known, or else the first one; nothing when there is no
/// ring. One account has two fingerprints, and a ring on it is one flag.
async fn known_print<'a>(
    app: &App,
    member: &MemberId,
    prints: &'a [Fingerprint],
    around: &BTreeSet<MemberId>,
    rules: &FraudRules,
) -> Result<Option<&'a Fingerprint>, AppError> {
    let Some(first) = prints.first() else { return Ok(None) };
    if prints.len() == 1 || judge(rules, first, &BTreeSet::new(), around).is_empty() {
        return Ok(Some(first));
    }
    for print in prints {
        let id = FraudFlagId::derive(member, Signal::ReferralRing, print.as_str());
        if app.store.flags().find(member, &id).await?.is_some() {
            return Ok(Some(print));
        }
    }
    Ok(Some(first))
}

/// Returns what is left of a finding about a shared destination without those whose share of it is flagged already, as a
/// means of payment, by a rule that is at least as strict. One account that two members share is one flag.
async fn unexplained(
    app: &App,
    subject: &MemberId,
    rules: &FraudRules,
    finding: Finding,
    others: &BTreeSet<MemberId>,
) -> Result<Option<Finding>, AppError> {
    let (Signal::SharedDestination, Some(print)) = (finding.signal, finding.evidence.fingerprint()) else {
        return Ok(Some(finding));
    };
    let flags = app.store.flags().of(subject, None, MOST_FLAGS).await?;
    let partners = flags.iter().filter_map(|flag| match &flag.evidence {
        Evidence::SelfPaid { fingerprint, payer, referrer }
            if fingerprint == print && flag.action >= finding.action =>
        {
            Some(if payer == subject { referrer } else { payer })
        }
        _ => None,
    });
    let partners: BTreeSet<_> = partners.cloned().collect();
    let left = others.difference(&partners).cloned().collect();
    Ok(judge(rules, print, &left, &BTreeSet::new()).pop())
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
    let ids: Vec<_> = others.iter().cloned().collect();
    let siblings = app.store.members().find_all(&ids).await?.into_iter();
    let siblings = siblings.filter(|other| referrer_of(other) == Some(referrer)).map(|other| other.id);
    Ok(siblings.chain(chain.up.iter().filter(|above| others.contains(*above)).cloned()).collect())
}
