//! Lists of commissions: of one referrer, and of all referrers for export.

use guerdon_domain::{
    commissions::Commission,
    ids::{MemberId, TelegramId},
};
use guerdon_store::{
    commissions::CommissionCursor,
    table::{SHARDS, metered},
};
use serde::{Deserialize, Serialize};

use crate::{context::App, error::AppError, statistics::members_of};

/// A commission with the Telegram ids of its members, for operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminCommission {
    /// The commission.
    pub commission: Commission,
    /// The beneficiary.
    pub user_id: Option<TelegramId>,
    /// The member whose payment earned the commission.
    pub referred_user_id: Option<TelegramId>,
}

/// Returns the commissions of a member, newest first, after `before`: the position of the last commission
/// of the previous page.
pub async fn commissions_of(
    app: &App,
    id: &MemberId,
    before: Option<&CommissionCursor>,
    limit: i32,
) -> Result<Vec<AdminCommission>, AppError> {
    metered("commissions_of", async {
        let commissions = app.store.commissions().list(id, before, limit).await?;
        let mut people: Vec<_> = commissions.iter().map(|c| c.referee.clone()).collect();
        people.push(id.clone());
        people.sort();
        people.dedup();
        let members = members_of(app, &people).await?;
        let known = |id: &MemberId| members.iter().find(|m| m.id == *id).map(|m| m.telegram_id);
        Ok(commissions
            .into_iter()
            .map(|commission| AdminCommission {
                user_id: known(&commission.beneficiary),
                referred_user_id: known(&commission.referee),
                commission,
            })
            .collect())
    })
    .await
}

/// Like `commissions_of`, for the member: without the ids of other members.
pub async fn rewards_of(
    app: &App,
    id: &MemberId,
    before: Option<&CommissionCursor>,
    limit: i32,
) -> Result<Vec<Commission>, AppError> {
    Ok(app.store.commissions().list(id, before, limit).await?)
}

/// The position of an export: the shard, the referrer, and the referrer's last exported commission.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    /// The shard of the registry.
    pub shard: u8,
    /// The last referrer whose commissions are all exported.
    pub after: Option<MemberId>,
    /// The current referrer and their last exported commission.
    pub within: Option<(MemberId, CommissionCursor)>,
}

/// Returns a page of all commissions: by referrer, newest first. A page may be shorter than `limit`.
pub async fn export_credits(
    app: &App,
    from: Export,
    limit: i32,
) -> Result<(Vec<AdminCommission>, Option<Export>), AppError> {
    metered("export_credits", async {
        if let Some((member, last)) = from.within {
            let rows = commissions_of(app, &member, Some(&last), limit).await?;
            return Ok((rows.clone(), Some(next_export(from.shard, member, &rows, limit))));
        }
        for shard in from.shard..SHARDS {
            let after = from.after.as_ref().filter(|_| shard == from.shard);
            if let Some(member) = app.store.statistics().referrers(shard, after, 1).await?.pop() {
                let rows = commissions_of(app, &member, None, limit).await?;
                return Ok((rows.clone(), Some(next_export(shard, member, &rows, limit))));
            }
        }
        Ok((Vec::new(), None))
    })
    .await
}

fn next_export(shard: u8, member: MemberId, rows: &[AdminCommission], limit: i32) -> Export {
    let full = i32::try_from(rows.len()).unwrap_or(i32::MAX) >= limit;
    match rows.last().filter(|_| full) {
        Some(last) => {
            let within = (member, CommissionCursor::of(&last.commission));
            Export { shard, after: None, within: Some(within) }
        }
        None => Export { shard, after: Some(member), within: None },
    }
}
