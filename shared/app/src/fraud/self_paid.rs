//! The check whether a payer and a member above them pay with the same account.

use std::collections::{BTreeMap, BTreeSet};

use guerdon_domain::{
    fraud::{Fingerprint, FingerprintKind, FraudFlag, Observation, Signal},
    ids::{FraudFlagId, MemberId},
};

use super::{
    chain::{Chain, referrer_of},
    raise::raise_once,
};
use crate::{context::App, error::AppError, settings::settings_now};

/// The most members with one account among whom a payer's referees are looked for. Those above a payer are found
/// whatever their number.
const MOST_PAYERS: i32 = 1000;

/// The fingerprints of one account: as a means of payment, and as a payout destination if it can be one.
pub(super) struct Account(Vec<Fingerprint>);

impl Account {
    /// The destination comes first: it is what other rules know of the account.
    pub(super) fn of(prints: &[Fingerprint]) -> Self {
        let mut prints = prints.to_vec();
        prints.sort_by_key(|print| print.kind() != FingerprintKind::Destination);
        Self(prints)
    }

    pub(super) fn prints(&self) -> &[Fingerprint] {
        &self.0
    }

    /// Returns the first of the fingerprints that `other` was seen with, too. The evidence names it, whoever paid first.
    async fn known_as(&self, app: &App, other: &MemberId) -> Result<Option<&Fingerprint>, AppError> {
        for print in &self.0 {
            if !app.store.sightings().among(print, std::slice::from_ref(other)).await?.is_empty() {
                return Ok(Some(print));
            }
        }
        Ok(None)
    }
}

/// Checks whether a payer shares an account with a member above them in the chain or with a member below: one they
/// referred, or one whom a member they referred has referred. Both are flagged, the payer and the member who earns from
/// the payment, once for the pair.
pub(super) async fn self_paid(
    app: &App,
    chain: &Chain,
    account: &Account,
) -> Result<Vec<FraudFlag>, AppError> {
    let subject = &chain.member.id;
    let mut pairs = BTreeMap::new();
    for print in account.prints() {
        let seen = app.store.sightings().among(print, &chain.up).await?.into_iter();
        let above = seen.map(|above| (subject.clone(), above.member));
        let below = match print.kind() {
            FingerprintKind::Payment => brought(app, subject, print).await?,
            _ => Vec::new(),
        };
        let below = below.into_iter().map(|payer| (payer, subject.clone()));
        for (payer, referrer) in above.chain(below) {
            let other = if payer == *subject { &referrer } else { &payer };
            let print = account.known_as(app, other).await?.unwrap_or(print);
            pairs.entry((payer, referrer)).or_insert(print);
        }
    }
    let rules = &settings_now(app).await?.fraud;
    let mut flags = Vec::new();
    for ((payer, referrer), print) in pairs {
        let both = [payer.clone(), referrer.clone()];
        let observed = Observation::SelfPaid { fingerprint: print.clone(), payer, referrer };
        for finding in rules.judge(&observed) {
            for member in &both {
                // Earlier versions stored the flag under the fingerprint.
                let former =
                    |print: &Fingerprint| FraudFlagId::derive(member, Signal::SelfReferral, print.as_str());
                let former: Vec<_> = account.prints().iter().map(former).collect();
                flags.push(raise_once(app, member, &finding, "", &former).await?);
            }
        }
    }
    Ok(flags)
}

/// Returns the members seen with `print` whom `subject` brought, or whom a member they brought has brought.
async fn brought(app: &App, subject: &MemberId, print: &Fingerprint) -> Result<Vec<MemberId>, AppError> {
    let seen = app.store.sightings().with(print, MOST_PAYERS).await?.into_iter().map(|seen| seen.member);
    let others: Vec<_> = seen.filter(|member| member != subject).collect();
    let others = app.store.members().find_all(&others).await?;
    let referrers: BTreeSet<_> = others.iter().filter_map(referrer_of).collect();
    let second: Vec<_> = referrers.into_iter().filter(|referrer| *referrer != subject).cloned().collect();
    let first_line = app.store.members().find_all(&second).await?.into_iter();
    let first_line = first_line.filter(|member| referrer_of(member) == Some(subject)).map(|member| member.id);
    let lines: BTreeSet<_> = first_line.chain([subject.clone()]).collect();
    let below = others.into_iter().filter(|other| referrer_of(other).is_some_and(|it| lines.contains(it)));
    Ok(below.map(|other| other.id).collect())
}
