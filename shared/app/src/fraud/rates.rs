//! Checks on the referrals of one referrer, run when a member joins or a payment is reversed.

use guerdon_domain::{
    fraud::{FraudFlag, Observation},
    ids::MemberId,
    statistics::{Counter, Counters},
};
use guerdon_store::{statistics::Projection, table::metered};

use super::raise::raise;
use crate::{context::App, error::AppError, settings::settings_now};

/// Age in days below which a referral is young. Young referrals had no time to pay and do not count.
const YOUNG_DAYS: i64 = 7;
/// Maximum number of young referrals that are counted. The sign-up check finds a referrer with more in a
/// week.
const MOST_YOUNG: usize = 1000;
/// Maximum number of commissions that are checked one by one.
const LATEST: i32 = 100;

/// Checks whether a referrer brings many members in a short time, and whether these members pay.
pub(super) async fn of_referrer(app: &App, referrer: &MemberId) -> Result<Vec<FraudFlag>, AppError> {
    let rules = &settings_now(app).await?.fraud;
    let now = app.now();
    let within_seconds = rules.rapid_signups.within_seconds;
    let since = now.plus_seconds(-i64::from(within_seconds));
    let most = usize::try_from(rules.rapid_signups.signups).unwrap_or(usize::MAX);
    let count = unsigned(app.store.referrals().count_since(referrer, since, most).await?);
    // One flag per day for sign-ups and one per month for conversions: a continuing case is flagged again.
    let mut flags =
        judged(app, referrer, &Observation::Signups { count, within_seconds }, &now.day()).await?;
    let counters = app.store.statistics().counters(&Projection::Member(referrer.clone())).await?;
    let (brought, converted) =
        (counted(&counters, Counter::Recruits), counted(&counters, Counter::Converted));
    if brought >= u64::from(rules.low_conversion.from_referrals) {
        let young =
            app.store.referrals().count_since(referrer, now.plus_days(-YOUNG_DAYS), MOST_YOUNG).await?;
        let referrals = brought.saturating_sub(unsigned(young));
        let seen = Observation::Conversions { referrals, converted };
        flags.extend(judged(app, referrer, &seen, &now.month()).await?);
    }
    Ok(flags)
}

/// Checks the share of reversed payments among the payments of a member's referrals.
pub async fn inspect_reversed(app: &App, beneficiary: &MemberId) -> Result<Vec<FraudFlag>, AppError> {
    metered("inspect_reversed", async {
        // The counters may not include this event yet. For a member with few commissions, the list is
        // complete.
        let latest = app.store.commissions().list(beneficiary, None, LATEST).await?;
        let few = latest.len() < usize::try_from(LATEST).unwrap_or_default();
        let (payments, undone) = if few {
            let undone = latest.iter().filter(|commission| commission.clawed > 0).count();
            (unsigned(latest.len()), unsigned(undone))
        } else {
            let counters = app.store.statistics().counters(&Projection::Member(beneficiary.clone())).await?;
            (counted(&counters, Counter::Rewards), counted(&counters, Counter::Reversed))
        };
        judged(app, beneficiary, &Observation::Refunds { payments, undone }, &app.now().month()).await
    })
    .await
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

fn counted(counters: &Counters, counter: Counter) -> u64 {
    u64::try_from(counters.get(counter)).unwrap_or_default()
}

fn unsigned(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
