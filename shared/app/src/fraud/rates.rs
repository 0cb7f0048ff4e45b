//! Checks on the referrals of one referrer, run when a member joins or a payment is reversed. They read the referrals, the
//! payments and the commissions themselves: counters may not show yet what has happened.

use std::collections::BTreeMap;

use guerdon_domain::{
    fraud::{FraudAction, FraudFlag, LowConversionRule, Observation, Signal},
    ids::{FraudFlagId, MemberId, Rail},
    payments::PaymentRecord,
    programs::{Beneficiary, Program},
    referrals::Referral,
};
use guerdon_store::table::metered;

use super::{chain::referrer_of, raise::raise};
use crate::{
    context::App,
    error::AppError,
    programs::{program_now, with_conversion},
    settings::settings_now,
};

/// Age in days below which a referral is young. Young referrals had no time to pay. They do not count, nor do their
/// conversions.
const YOUNG_DAYS: i64 = 7;
/// The number of referrals whose conversions are looked at: the latest ones that are not young. More only if the rule
/// asks for more.
const LATEST_REFERRALS: usize = 100;
/// The number of referees whose payments are looked at: the latest ones.
const LATEST_REFEREES: i32 = 100;
/// The number of payments of each of them, and of the referrer's latest commissions.
const LATEST: i32 = 100;

/// Checks whether a referrer brings many members in a short time, and whether these members pay.
pub(super) async fn of_referrer(app: &App, referrer: &MemberId) -> Result<Vec<FraudFlag>, AppError> {
    let settings = settings_now(app).await?;
    let now = app.now();
    let rapid = settings.fraud.rapid_signups;
    let since = now.plus_seconds(-i64::from(rapid.within_seconds));
    let most = usize::try_from(rapid.signups).unwrap_or(usize::MAX);
    let count = unsigned(app.store.referrals().count_since(referrer, since, most).await?);
    // One flag per day for sign-ups and one per month for conversions: a continuing case is flagged again.
    let seen = Observation::Signups { count, within_seconds: rapid.within_seconds };
    let mut flags = judged(app, referrer, &seen, &now.day()).await?;
    if let Some((referrals, converted)) = conversions(app, referrer, settings.fraud.low_conversion).await? {
        let seen = Observation::Conversions { referrals, converted };
        flags.extend(judged(app, referrer, &seen, &now.month()).await?);
    }
    Ok(flags)
}

/// Counts the latest referrals of `referrer` that are not young, and how many of them converted. Nothing when the rule
/// cannot be broken by them.
async fn conversions(
    app: &App,
    referrer: &MemberId,
    rule: LowConversionRule,
) -> Result<Option<(u64, u64)>, AppError> {
    if rule.action == FraudAction::Allow || !can_convert(&*program_now(app).await?) {
        return Ok(None);
    }
    let from = usize::try_from(rule.from_referrals).unwrap_or(usize::MAX);
    let most = from.max(LATEST_REFERRALS);
    let old = app.now().plus_days(-YOUNG_DAYS);
    let referrals = app.store.referrals().made_before(referrer, old, most).await?;
    if referrals.len() < from {
        return Ok(None);
    }
    let all = unsigned(referrals.len());
    let (yes, no): (Vec<_>, Vec<_>) = referrals.into_iter().partition(Referral::is_converted);
    let mut converted = unsigned(yes.len());
    if !is_low(app, (all, converted)).await? || is_known(app, referrer).await? {
        return Ok(Some((all, converted)));
    }
    // The referral shows its conversion a moment later, so the conversion itself is read.
    for referral in no {
        if with_conversion(app, referral).await?.0.is_converted() {
            converted = converted.saturating_add(1);
        }
    }
    Ok(Some((all, converted)))
}

/// True when a payment can convert a referral: without a rule that rewards referrers, none does.
fn can_convert(program: &Program) -> bool {
    program.rules.iter().any(|rule| rule.beneficiary == Beneficiary::Referrer)
}

async fn is_low(app: &App, (referrals, converted): (u64, u64)) -> Result<bool, AppError> {
    let seen = Observation::Conversions { referrals, converted };
    Ok(!settings_now(app).await?.fraud.judge(&seen).is_empty())
}

/// True when the finding of this month is on record.
async fn is_known(app: &App, referrer: &MemberId) -> Result<bool, AppError> {
    let id = FraudFlagId::derive(referrer, Signal::LowConversion, &app.now().month());
    Ok(app.store.flags().find(referrer, &id).await?.is_some())
}

/// Checks the payments of the member who brought `payer`, after a payment of `payer` was reversed.
pub async fn inspect_refunded(app: &App, payer: &MemberId) -> Result<Vec<FraudFlag>, AppError> {
    match app.store.members().find(payer).await?.as_ref().and_then(referrer_of) {
        Some(referrer) => inspect_reversed(app, referrer).await,
        None => Ok(Vec::new()),
    }
}

/// Checks the share of refunded payments among the payments of those whom `referrer` brought. Each payment counts once,
/// whatever it earned, and as refunded if at least half of it was undone.
pub async fn inspect_reversed(app: &App, referrer: &MemberId) -> Result<Vec<FraudFlag>, AppError> {
    metered("inspect_reversed", async {
        if settings_now(app).await?.fraud.refund_rate.action == FraudAction::Allow {
            return Ok(Vec::new());
        }
        let (payments, undone) = refunds_of(app, referrer).await?;
        let seen = Observation::Refunds { payments, undone };
        judged(app, referrer, &seen, &app.now().month()).await
    })
    .await
}

/// Counts the payments of those whom `referrer` brought, and how many of them were refunded.
pub async fn refunds_of(app: &App, referrer: &MemberId) -> Result<(u64, u64), AppError> {
    let payments = payments_of_referees(app, referrer).await?;
    let refunded = payments.iter().filter(|payment| is_refunded(payment)).count();
    Ok((unsigned(payments.len()), unsigned(refunded)))
}

/// True when at least half of the payment was undone.
fn is_refunded(payment: &PaymentRecord) -> bool {
    let undone = payment.reversals.undone(payment.paid).minor();
    undone > 0 && undone >= payment.paid.minor().saturating_sub(undone)
}

/// Reads the latest payments of the latest referees of `referrer`. The lists of payments may not show the latest ones
/// yet, so those that the referrer's commissions name are added.
async fn payments_of_referees(app: &App, referrer: &MemberId) -> Result<Vec<PaymentRecord>, AppError> {
    let mut found: BTreeMap<String, PaymentRecord> = BTreeMap::new();
    let referrals = app.store.referrals().brought_by(referrer, None, LATEST_REFEREES).await?;
    for referral in &referrals {
        let paid = app.store.payments().of(&referral.referee, None, LATEST).await?;
        let since = |payment: &PaymentRecord| !payment.paid_at.is_seconds_before(referral.joined_at);
        found.extend(paid.into_iter().filter(since).map(|payment| (payment.payment.to_string(), payment)));
    }
    let commissions = app.store.commissions().list(referrer, None, LATEST).await?;
    let of_referees = commissions.into_iter().filter(|it| it.snapshot.level == Beneficiary::Referrer.level());
    let mut missing: Vec<_> = of_referees.map(|commission| commission.payment).collect();
    missing.retain(|key| !found.contains_key(&key.to_string()));
    missing.sort_by_key(ToString::to_string);
    missing.dedup();
    let more = app.store.payments().find_all(&missing).await?;
    found.extend(more.into_iter().map(|payment| (payment.payment.to_string(), payment)));
    Ok(found.into_values().filter(is_of_its_own).collect())
}

/// False for what an operator vouched for, which is no money that could go back, and for a payment intent that counts with
/// its invoice.
fn is_of_its_own(payment: &PaymentRecord) -> bool {
    let counts_elsewhere = payment.payment.is_payment_intent() && payment.reversals.is_void();
    payment.payment.rail != Rail::Manual && !counts_elsewhere
}

async fn judged(
    app: &App,
    subject: &MemberId,
    observation: &Observation,
    bucket: &str,
) -> Result<Vec<FraudFlag>, AppError> {
    let mut flags = Vec::new();
    for finding in settings_now(app).await?.fraud.judge(observation) {
        flags.push(raise(app, subject, &finding, bucket).await?);
    }
    Ok(flags)
}

fn unsigned(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
