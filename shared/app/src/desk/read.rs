//! What operators read. Each page costs the same whatever the history.

use guerdon_domain::{
    commissions::Commission,
    ids::{MemberId, TelegramId},
    money::Money,
    referrals::{Referral, ReferralState},
    time::Timestamp,
    wallets::WalletKind,
};
use guerdon_store::{Member, Projection, SHARDS, commission_cursor, metered};
use serde::{Deserialize, Serialize};

use crate::{
    App, AppError, Period, program_now, settings_now,
    settle_wallet::settle_for_view,
    views::{ReferralStats, referral_stats},
};

/// The deployment's totals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskStats {
    /// All commissions booked, plus what operators gave and minus what they took.
    pub total_credits_issued: Money,
    /// Members who joined through a code.
    pub total_referrals: i64,
    /// Of these, those who paid.
    pub converted_referrals: i64,
    /// What pending referrals would earn under the present program, plus commissions on hold.
    pub pending_credits: Money,
    /// What invoices have used up.
    pub applied_credits: Money,
    /// The best referrers.
    pub top_referrers: Vec<TopReferrer>,
    /// The last 30 UTC days with any activity, oldest first.
    pub daily: Vec<DayTrend>,
}

/// What happened on one UTC day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayTrend {
    /// The day, `2026-11-21`.
    pub day: String,
    /// New members.
    pub joined: i64,
    /// Of these, through a code.
    pub referrals: i64,
    /// Referrals that paid.
    pub converted: i64,
    /// Payments of all members.
    pub payments: i64,
    /// Commissions booked for the day's payments.
    pub issued: Money,
}

async fn daily(app: &App) -> Result<Vec<DayTrend>, AppError> {
    let now = app.now();
    let currency = app.preset.currency;
    let days = app.store.daily(&now.plus_days(-29).day(), &now.day()).await?;
    Ok(days
        .into_iter()
        .map(|(day, counters)| {
            let count = |name: &str| counters.get(name).copied().unwrap_or_default();
            DayTrend {
                joined: count("members"),
                referrals: count("referrals"),
                converted: count("converted"),
                payments: count("payments"),
                issued: Money::new(count(&format!("issued_{currency}")), currency),
                day,
            }
        })
        .collect())
}

/// A referrer in the operators' ranking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopReferrer {
    /// Their Telegram id, which is what operators know them by. None after they deleted their data.
    pub user_id: Option<TelegramId>,
    /// Converted referrals within the period.
    pub referrals: i64,
    /// All they ever earned.
    pub total_earned: Money,
}

/// Totals and the ten best referrers.
///
/// # Errors
/// [`AppError`].
pub async fn desk_stats(app: &App) -> Result<DeskStats, AppError> {
    metered("desk_stats", async {
        let totals = app.store.counters(&Projection::Totals).await?;
        let currency = app.preset.currency;
        let count = |name: &str| totals.get(name).copied().unwrap_or_default();
        let money = |word: &str| Money::new(count(&format!("{word}_{currency}")), currency);
        let promised = would_earn(app).await?.minor().saturating_mul(count("pending"));
        Ok(DeskStats {
            total_credits_issued: money("issued").checked_add(money("adjusted"))?,
            total_referrals: count("referrals"),
            converted_referrals: count("converted"),
            pending_credits: money("held").checked_add(Money::new(promised, currency))?,
            applied_credits: money("applied"),
            top_referrers: top_referrers(app, Period::All, 10).await?,
            daily: daily(app).await?,
        })
    })
    .await
}

/// The best referrers of a period, at most `limit` (up to 100).
///
/// # Errors
/// [`AppError`].
pub async fn top_referrers(app: &App, period: Period, limit: i32) -> Result<Vec<TopReferrer>, AppError> {
    metered("top_referrers", async {
        let ranked = app.store.ranking(&period.key(app.now()), limit.clamp(1, 100)).await?;
        let ids: Vec<_> = ranked.iter().map(|r| r.member.clone()).collect();
        let members = app.store.members(&ids).await?;
        let mut top = Vec::with_capacity(ranked.len());
        for entry in ranked {
            let counters = app.store.counters(&Projection::Member(entry.member.clone())).await?;
            top.push(TopReferrer {
                user_id: members.iter().find(|m| m.id == entry.member).map(|m| m.telegram_id),
                referrals: entry.score,
                total_earned: referral_stats(app, &counters).earned,
            });
        }
        Ok(top)
    })
    .await
}

/// One member, as operators see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskMember {
    /// The profile.
    pub member: Member,
    /// Who brought them.
    pub referred_by: Option<TelegramId>,
    /// Their own referral, if they came through a code.
    pub referral: Option<Referral>,
    /// How their referrals went.
    pub stats: ReferralStats,
    /// Bill credit not used up yet: in the wallet or on the Stripe balance.
    pub credit_balance: Money,
    /// Of this, what lies on the Stripe customer balance.
    pub posted: Money,
    /// What they must give back.
    pub owed: Money,
    /// What invoices have used up.
    pub applied: Money,
}

/// A member with everything due released, or none if nobody of that id is known.
///
/// # Errors
/// [`AppError`].
pub async fn desk_member(app: &App, telegram_id: TelegramId) -> Result<Option<DeskMember>, AppError> {
    metered("desk_member", async {
        let id = app.member_id(telegram_id);
        let Some(member) = app.store.member(&id).await? else { return Ok(None) };
        settle_for_view(app, &id).await?;
        let wallet = app.store.wallet(&id, WalletKind::BillCredit, app.preset.currency).await?;
        let counters = app.store.counters(&Projection::Member(id)).await?;
        let referral = app.store.referral_of(&member).await?;
        let referred_by = match &referral {
            Some(referral) => app.store.member(&referral.referrer).await?.map(|m| m.telegram_id),
            None => None,
        };
        Ok(Some(DeskMember {
            referred_by,
            referral,
            stats: referral_stats(app, &counters),
            credit_balance: wallet.available().checked_add(wallet.held())?,
            posted: wallet.held(),
            owed: wallet.owed(),
            applied: wallet.applied(),
            member,
        }))
    })
    .await
}

/// A commission with the ids operators know people by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskCommission {
    /// The commission.
    pub commission: Commission,
    /// Who gets it.
    pub user_id: Option<TelegramId>,
    /// Whose payment it is for.
    pub referred_user_id: Option<TelegramId>,
}

/// Commissions of a member, newest first, after `before` in that order: the [`commission_cursor`] of the
/// last one seen.
///
/// # Errors
/// [`AppError`].
pub async fn commissions_of(
    app: &App,
    id: &MemberId,
    before: Option<&str>,
    limit: i32,
) -> Result<Vec<DeskCommission>, AppError> {
    metered("commissions_of", async {
        let commissions = app.store.commissions(id, before, limit).await?;
        let mut people: Vec<_> = commissions.iter().map(|c| c.referee.clone()).collect();
        people.push(id.clone());
        people.sort();
        people.dedup();
        let members = members_of(app, &people).await?;
        let known = |id: &MemberId| members.iter().find(|m| m.id == *id).map(|m| m.telegram_id);
        Ok(commissions
            .into_iter()
            .map(|commission| DeskCommission {
                user_id: known(&commission.beneficiary),
                referred_user_id: known(&commission.referee),
                commission,
            })
            .collect())
    })
    .await
}

/// Members of any number: the table reads 100 at once.
async fn members_of(app: &App, people: &[MemberId]) -> Result<Vec<Member>, AppError> {
    let mut members = Vec::with_capacity(people.len());
    for chunk in people.chunks(100) {
        members.extend(app.store.members(chunk).await?);
    }
    Ok(members)
}

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
            Some((referrer, at, referee)) => app.store.referral(referrer, *at, referee).await?,
            None => None,
        };
        for shard in from.shard..SHARDS {
            let found = app.store.pending_referrals(shard, after.as_ref(), limit).await?;
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

/// What a pending referral would earn its referrer under the present program, in the preset's currency;
/// zero where the reward is none of money or depends on what is paid.
async fn would_earn(app: &App) -> Result<Money, AppError> {
    let program = program_now(app).await?;
    let settings = settings_now(app).await?;
    let reward = program.headline().map(|rule| settings.preset.typical_reward(rule)).transpose()?;
    let own = reward.filter(|reward| reward.currency() == app.preset.currency);
    Ok(own.unwrap_or(Money::zero(app.preset.currency)))
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

/// Where an export stands: the shard, the referrer in it, and the last commission of theirs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    /// The registry's shard.
    pub shard: u8,
    /// The last referrer who is finished.
    pub after: Option<MemberId>,
    /// The referrer under way and their last exported commission.
    pub within: Option<(MemberId, String)>,
}

/// A page of all commissions: referrer by referrer, newest first. A page may be shorter than `limit`.
///
/// # Errors
/// [`AppError`].
pub async fn export_credits(
    app: &App,
    from: Export,
    limit: i32,
) -> Result<(Vec<DeskCommission>, Option<Export>), AppError> {
    metered("export_credits", async {
        if let Some((member, last)) = from.within {
            let rows = commissions_of(app, &member, Some(&last), limit).await?;
            return Ok((rows.clone(), Some(next_export(from.shard, member, &rows, limit))));
        }
        for shard in from.shard..SHARDS {
            let after = from.after.as_ref().filter(|_| shard == from.shard);
            if let Some(member) = app.store.referrers(shard, after, 1).await?.pop() {
                let rows = commissions_of(app, &member, None, limit).await?;
                return Ok((rows.clone(), Some(next_export(shard, member, &rows, limit))));
            }
        }
        Ok((Vec::new(), None))
    })
    .await
}

fn next_export(shard: u8, member: MemberId, rows: &[DeskCommission], limit: i32) -> Export {
    let full = i32::try_from(rows.len()).unwrap_or(i32::MAX) >= limit;
    match rows.last().filter(|_| full) {
        Some(last) => {
            let within = (member, commission_cursor(&last.commission));
            Export { shard, after: None, within: Some(within) }
        }
        None => Export { shard, after: Some(member), within: None },
    }
}
