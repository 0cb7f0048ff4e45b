//! Referrals that have not paid yet.

use guerdon_domain::{
    ids::{MemberId, TelegramId},
    money::Money,
    referrals::{Referral, ReferralState},
    time::Timestamp,
};
use guerdon_store::table::{SHARDS, metered};
use serde::{Deserialize, Serialize};

use crate::{context::App, error::AppError, programs::would_earn, statistics::members_of};

/// Where a list of pending referrals stands: the shard, and the last referral seen in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The due queue's shard.
    pub shard: u8,
    /// The key parts of the last referral seen: referrer, joined at, referee.
    pub after: Option<(MemberId, Timestamp, MemberId)>,
}

/// A referral that has not paid yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskPending {
    /// The edge.
    pub referral: Referral,
    /// Who would earn.
    pub referrer_user_id: Option<TelegramId>,
    /// Who has to pay.
    pub user_id: Option<TelegramId>,
    /// What it would earn under the present program.
    pub would_earn: Money,
}

/// A page of pending referrals, shard by shard, the soonest to expire first, and where the next begins. It
/// has 100 at the most, which is what the table reads at once.
///
/// # Errors
/// [`AppError`].
pub async fn pending_referrals(
    app: &App,
    from: Pending,
    limit: i32,
) -> Result<(Vec<DeskPending>, Option<Pending>), AppError> {
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
            return Ok((desk_pending(app, found).await?, next));
        }
        Ok((Vec::new(), None))
    })
    .await
}

async fn desk_pending(app: &App, found: Vec<Referral>) -> Result<Vec<DeskPending>, AppError> {
    let mut people: Vec<_> = found.iter().flat_map(|r| [r.referrer.clone(), r.referee.clone()]).collect();
    people.sort();
    people.dedup();
    let members = members_of(app, &people).await?;
    let known = |id: &MemberId| members.iter().find(|m| m.id == *id).map(|m| m.telegram_id);
    // The index may still show one that has just left the queue.
    let found = found.into_iter().filter(|referral| referral.state == ReferralState::Pending);
    let would_earn = would_earn(app).await?;
    Ok(found
        .map(|referral| DeskPending {
            referrer_user_id: known(&referral.referrer),
            user_id: known(&referral.referee),
            would_earn,
            referral,
        })
        .collect())
}
