//! Referrals whose referee has not paid yet.

use guerdon_domain::{
    ids::{MemberId, TelegramId},
    money::Money,
    referrals::{Referral, ReferralState},
    time::Timestamp,
};
use guerdon_store::table::{SHARDS, metered};
use serde::{Deserialize, Serialize};

use crate::{context::App, error::AppError, programs::would_earn, statistics::members_of};

/// The position in a list of pending referrals: the shard, and the last referral returned from it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The shard of the due queue.
    pub shard: u8,
    /// The key parts of the last returned referral: referrer, time of joining, referee.
    pub after: Option<(MemberId, Timestamp, MemberId)>,
}

/// A pending referral, as shown to operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminReferral {
    /// The referral.
    pub referral: Referral,
    /// The Telegram id of the referrer, who would earn the reward.
    pub referrer_user_id: Option<TelegramId>,
    /// The Telegram id of the referee, who has to pay first.
    pub user_id: Option<TelegramId>,
    /// The reward that the current program would grant.
    pub would_earn: Money,
}

/// Lists a page of pending referrals, shard by shard, those that expire first at the start. Also returns the
/// position of the next page. A page has at most 100 referrals, the limit of one read of the table.
pub async fn pending_referrals(
    app: &App,
    from: Pending,
    limit: i32,
) -> Result<(Vec<AdminReferral>, Option<Pending>), AppError> {
    metered("pending_referrals", async {
        let limit = limit.clamp(1, 100);
        let mut after = match &from.after {
            Some((referrer, at, referee)) => app.store.referrals().find(referrer, *at, referee).await?,
            None => None,
        };
        for shard in from.shard..SHARDS {
            let found = app.store.referrals().pending(shard, after.as_ref(), limit).await?;
            after = None;
            let Some(last) = found.last() else { continue };
            let full = i32::try_from(found.len()).unwrap_or(i32::MAX) >= limit;
            let next = if full {
                let key = (last.referrer.clone(), last.joined_at, last.referee.clone());
                Some(Pending { shard, after: Some(key) })
            } else {
                (shard + 1 < SHARDS).then_some(Pending { shard: shard + 1, after: None })
            };
            return Ok((admin_referrals(app, found).await?, next));
        }
        Ok((Vec::new(), None))
    })
    .await
}

async fn admin_referrals(app: &App, found: Vec<Referral>) -> Result<Vec<AdminReferral>, AppError> {
    let mut people: Vec<_> = found.iter().flat_map(|r| [r.referrer.clone(), r.referee.clone()]).collect();
    people.sort();
    people.dedup();
    let members = members_of(app, &people).await?;
    let known = |id: &MemberId| members.iter().find(|m| m.id == *id).map(|m| m.telegram_id);
    // The index can lag behind and still contain a referral that is no longer pending.
    let found = found.into_iter().filter(|referral| referral.state == ReferralState::Pending);
    let would_earn = would_earn(app, app.preset.currency).await?;
    Ok(found
        .map(|referral| AdminReferral {
            referrer_user_id: known(&referral.referrer),
            user_id: known(&referral.referee),
            would_earn,
            referral,
        })
        .collect())
}
