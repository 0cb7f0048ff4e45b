//! Lists of members, referrers, orders and withdrawals. The cost of a page does not depend on the length of
//! the list. Some filters have their own list; the others remove lines from a page.

use guerdon_domain::{
    ids::{MemberId, OrderId, TelegramId, WithdrawalId},
    members::Member,
    payments::{Order, OrderState},
    statistics::{Counter, Counters},
    withdrawals::{Withdrawal, WithdrawalState},
};
use guerdon_store::{
    statistics::{List, Listed, Page, Ranked},
    table::{SHARDS, metered},
};
use serde::{Deserialize, Serialize};

use crate::{
    context::App,
    error::AppError,
    statistics::{Period, searchable},
};

/// The filter and the order of a list of members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Only the member with this Telegram id.
    pub telegram_id: Option<TelegramId>,
    /// Only members with a name that starts with this text. Only letters and digits count, in any case. A text of one
    /// character finds the names that are this character.
    pub name: Option<String>,
    /// Only barred members, or only members who are not barred.
    pub barred: Option<bool>,
    /// Only members who have paid.
    pub customers: bool,
    /// Only members who have referred another member.
    pub referrers: bool,
    /// True when the oldest members come first. Names are always sorted from A to Z.
    pub ascending: bool,
}

/// The position at which a list of members continues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserPlace {
    /// The position after this line of a list.
    Line(String),
    /// The position in a registry: the shard, and the last member returned from it.
    Registry(u8, Option<MemberId>),
}

/// A member in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedUser {
    /// The member's profile.
    pub member: Member,
    /// The member's counters as a referrer.
    pub referrals: Counters,
    /// The member's counters as a payer.
    pub payments: Counters,
}

/// The maximum page length, which is the limit of one read of the table.
pub const LONGEST_PAGE: i32 = 100;

/// Lists a page of members. A page can have fewer than `limit` members, or none, and still have a next page.
pub async fn list_users(
    app: &App,
    filter: &UserFilter,
    from: Option<UserPlace>,
    limit: i32,
) -> Result<(Vec<ListedUser>, Option<UserPlace>), AppError> {
    metered("list_users", async {
        let limit = limit.clamp(1, LONGEST_PAGE);
        let (ids, next) = user_ids(app, filter, from, limit).await?;
        let members = app.store.members().find_all(&ids).await?;
        let ids: Vec<_> = members.iter().map(|member| member.id.clone()).collect();
        let referrals = app.store.statistics().counters_of(&ids).await?;
        let payments = app.store.statistics().payers(&ids).await?;
        let users = members.into_iter().zip(referrals).zip(payments);
        let users = users.map(|((member, referrals), payments)| ListedUser { member, referrals, payments });
        Ok((users.filter(|user| filter.lets(user)).collect(), next))
    })
    .await
}

impl UserFilter {
    fn lets(&self, user: &ListedUser) -> bool {
        self.barred.is_none_or(|barred| user.member.is_barred() == barred)
            && (!self.customers || user.payments.get(Counter::Payments) > 0)
            && (!self.referrers || user.referrals.get(Counter::Recruits) > 0)
    }

    /// Returns the list that matches the filter best, if one exists.
    fn list(&self) -> Option<List> {
        match (&self.name, self.barred) {
            (Some(name), _) => List::names(name),
            (None, Some(true)) => Some(List::Barred),
            (None, _) if self.customers || self.referrers => None,
            (None, _) => Some(List::Members),
        }
    }
}

type Ids = (Vec<MemberId>, Option<UserPlace>);

async fn user_ids(
    app: &App,
    filter: &UserFilter,
    from: Option<UserPlace>,
    limit: i32,
) -> Result<Ids, AppError> {
    if let Some(telegram_id) = filter.telegram_id {
        return Ok((vec![app.member_id(telegram_id)], None));
    }
    let normal = UserFilter { name: filter.name.as_deref().map(searchable), ..filter.clone() };
    let Some(list) = normal.list() else {
        if normal.name.is_some() {
            return Ok((Vec::new(), None));
        }
        return registry(app, filter.customers, from, limit).await;
    };
    let after = match &from {
        Some(UserPlace::Line(line)) => Some(line.as_str()),
        _ => None,
    };
    let by_name = normal.name.is_some();
    let page = Page { after, prefix: normal.name.as_deref(), ascending: filter.ascending || by_name };
    let lines = app.store.lists().page(&[list], page, limit).await?;
    let next = next(&lines, limit).map(UserPlace::Line);
    let mut ids = lines.into_iter().map(|line| MemberId::parse(line.id)).collect::<Result<Vec<_>, _>>()?;
    // A member can have two names with the same start.
    let mut seen = std::collections::BTreeSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    Ok((ids, next))
}

/// Lists members who have paid, or who have referred another member, shard by shard, in no particular order.
async fn registry(app: &App, customers: bool, from: Option<UserPlace>, limit: i32) -> Result<Ids, AppError> {
    let (shard, after) = match from {
        Some(UserPlace::Registry(shard, after)) if shard < SHARDS => (shard, after),
        _ => (0, None),
    };
    let found = if customers {
        app.store.statistics().customers_after(shard, after.as_ref(), limit).await?
    } else {
        app.store.statistics().referrers(shard, after.as_ref(), limit).await?
    };
    let full = i32::try_from(found.len()).unwrap_or(i32::MAX) >= limit;
    let next = match found.last() {
        Some(last) if full => Some(UserPlace::Registry(shard, Some(last.clone()))),
        _ => (shard + 1 < SHARDS).then_some(UserPlace::Registry(shard + 1, None)),
    };
    Ok((found, next))
}

fn next(lines: &[Listed], limit: i32) -> Option<String> {
    let full = i32::try_from(lines.len()).unwrap_or(i32::MAX) >= limit;
    lines.last().filter(|_| full).map(Listed::cursor)
}

/// Lists a page of orders in one state or in all states, newest or oldest first.
pub async fn list_orders(
    app: &App,
    state: Option<OrderState>,
    (after, ascending): (Option<&str>, bool),
    limit: i32,
) -> Result<(Vec<Order>, Option<String>), AppError> {
    metered("list_orders", async {
        let limit = limit.clamp(1, LONGEST_PAGE);
        let states = state.map_or(OrderState::ALL.to_vec(), |state| vec![state]);
        let lists: Vec<_> = states.into_iter().map(List::Orders).collect();
        let lines = app.store.lists().page(&lists, Page { after, prefix: None, ascending }, limit).await?;
        let next = next(&lines, limit);
        let ids = lines.into_iter().map(|line| OrderId::parse(line.id)).collect::<Result<Vec<_>, _>>()?;
        let mut orders = app.store.orders().find_all(&ids).await?;
        // The list can lag behind and still contain an order that was just paid.
        orders.retain(|order| state.is_none_or(|state| order.state() == state));
        Ok((orders, next))
    })
    .await
}

/// Lists a page of withdrawals in one state or in all states, newest or oldest request first.
pub async fn list_withdrawals(
    app: &App,
    state: Option<WithdrawalState>,
    (after, ascending): (Option<&str>, bool),
    limit: i32,
) -> Result<(Vec<Withdrawal>, Option<String>), AppError> {
    metered("list_withdrawals", async {
        let limit = limit.clamp(1, LONGEST_PAGE);
        let states = state.map_or(WithdrawalState::ALL.to_vec(), |state| vec![state]);
        let lists: Vec<_> = states.into_iter().map(List::Withdrawals).collect();
        let lines = app.store.lists().page(&lists, Page { after, prefix: None, ascending }, limit).await?;
        let next = next(&lines, limit);
        let ids: Result<Vec<_>, _> = lines.into_iter().map(|line| WithdrawalId::parse(line.id)).collect();
        let mut found = app.store.withdrawals().find_all(&ids?).await?;
        found.retain(|withdrawal| state.is_none_or(|state| withdrawal.state() == state));
        Ok((found, next))
    })
    .await
}

/// A referrer in the operators' list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedReferrer {
    /// The member's profile; `None` after they deleted their data.
    pub member: Option<Member>,
    /// Conversions within the period.
    pub score: i64,
    /// The member's counters as a referrer, for all time.
    pub counters: Counters,
}

/// Lists a page of the referrers with a conversion in the period, highest score first.
pub async fn list_referrers(
    app: &App,
    period: Period,
    after: Option<&(MemberId, i64)>,
    limit: i32,
) -> Result<(Vec<ListedReferrer>, Option<(MemberId, i64)>), AppError> {
    metered("list_referrers", async {
        let limit = limit.clamp(1, LONGEST_PAGE);
        let after = after.map(|(member, score)| Ranked { member: member.clone(), score: *score });
        let ranked =
            app.store.statistics().ranking_after(&period.key(app.now()), after.as_ref(), limit).await?;
        let full = i32::try_from(ranked.len()).unwrap_or(i32::MAX) >= limit;
        let next = ranked.last().filter(|_| full).map(|last| (last.member.clone(), last.score));
        let ids: Vec<_> = ranked.iter().map(|ranked| ranked.member.clone()).collect();
        let members = app.store.members().find_all(&ids).await?;
        let counters = app.store.statistics().counters_of(&ids).await?;
        let rows = ranked.into_iter().zip(counters).map(|(ranked, counters)| ListedReferrer {
            member: members.iter().find(|member| member.id == ranked.member).cloned(),
            score: ranked.score,
            counters,
        });
        Ok((rows.collect(), next))
    })
    .await
}
