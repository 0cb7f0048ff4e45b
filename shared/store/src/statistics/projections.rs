//! Statistics: written by the stream's projector, read by pages. They are never on a payment's write path.
//!
//! Each record counts exactly once: a projected item stores, per stream shard, the last sequence number that
//! it has counted. Each write is conditional on its batch being later than that, so a redelivered or
//! regrouped batch is not counted twice.

use aws_sdk_dynamodb::types::AttributeValue;
use guerdon_domain::{
    ids::MemberId,
    statistics::{Counter, Counters},
    time::Timestamp,
};
use sha2::{Digest, Sha256};

use crate::table::{
    Range, StoreError, Update, Written, handle,
    item::{Attributes, Key, number, string},
    keys,
    prefixes::Prefix,
};

/// A projected item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Projection {
    /// Totals of the whole deployment.
    Totals,
    /// Totals of a UTC day, `2026-11-21`.
    Day(String),
    /// A member's counters as a referrer.
    Member(MemberId),
    /// A member's counters as a payer.
    Payer(MemberId),
    /// A member's score in a ranking: `all`, `week-2026-W47`, `month-2026-11`.
    Rank(MemberId, String),
    /// The number of members at each score of a ranking.
    Histogram(String),
}

/// One stream record's contribution to one projected item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution {
    /// The record's sequence number.
    pub sequence: String,
    /// The counters that it adds.
    pub adds: Counters,
}

/// A member's place in a ranking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranked {
    /// The member.
    pub member: MemberId,
    /// Their score.
    pub score: i64,
}

const SEEN: &str = "seen_";

/// The number of days after which the guard of a quiet shard is dropped. A shard lives for one day.
const SEEN_KEPT_DAYS: i64 = 2;

/// The number of guards in an item from which old ones are dropped.
const SEEN_CROWDED: usize = 12;

impl Projection {
    fn key(&self) -> Key {
        match self {
            Self::Totals => keys::totals(),
            Self::Day(day) => keys::day(day),
            Self::Member(member) => keys::member_stats(member),
            Self::Payer(member) => keys::payer(member),
            Self::Rank(member, period) => keys::rank(member, period),
            Self::Histogram(period) => keys::histogram(period),
        }
    }

    /// Attributes that place the item in an index. They are set at every write; unchanged, they cost nothing.
    fn placement(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Rank(_, period) => vec![("gsi2pk", keys::ranking(period))],
            Self::Member(member) => {
                vec![("gsi1pk", keys::registry(keys::shard(member.as_str()))), ("gsi1sk", member.to_string())]
            }
            Self::Payer(member) => vec![
                ("gsi1pk", keys::customers(keys::shard(member.as_str()))),
                ("gsi1sk", member.to_string()),
            ],
            Self::Totals | Self::Day(_) | Self::Histogram(_) => vec![],
        }
    }

    /// The type of a ranking's items.
    pub(crate) const TYPE_OF_RANKS: &'static str = "rank";

    const fn type_name(&self) -> &'static str {
        match self {
            Self::Totals => "totals",
            Self::Day(_) => "day",
            Self::Member(_) => "member_stats",
            Self::Payer(_) => "payer",
            Self::Rank(..) => Self::TYPE_OF_RANKS,
            Self::Histogram(_) => "histogram",
        }
    }
}

fn project_update(
    target: &Projection,
    shard: &str,
    (first, last): (&str, &str),
    adds: Counters,
    now: Timestamp,
) -> Update {
    let guard = format!("{}@{}", padded(last), now.millis());
    let mut sets = vec!["#guard = :guard".to_owned(), "#type = :type".to_owned()];
    let mut update = Update::default()
        .name("#guard", guard_name(shard))
        .name("#type", "type")
        .value(":guard", string(guard))
        .value(":type", string(target.type_name()))
        .value(":first", string(padded(first)))
        .only_if("attribute_not_exists(#guard) OR #guard < :first");
    for (attribute, value) in target.placement() {
        sets.push(format!("{attribute} = :{attribute}"));
        update = update.value(&format!(":{attribute}"), string(value));
    }
    let mut additions = Vec::new();
    for (n, (name, add)) in adds.into_iter().filter(|(_, add)| *add != 0).enumerate() {
        additions.push(format!("#c{n} :c{n}"));
        // A rank's score is also the index's sort key, so that `ADD` moves the item.
        let is_score = matches!(target, Projection::Rank(..)) && name == Counter::Score.name();
        update = update
            .name(&format!("#c{n}"), if is_score { "gsi2sk".to_owned() } else { format!("n_{name}") })
            .value(&format!(":c{n}"), number(add));
    }
    update.expression = format!("SET {}", sets.join(", "));
    if !additions.is_empty() {
        update.expression.push_str(&format!(" ADD {}", additions.join(", ")));
    }
    update
}

fn sum(contributions: &[&Contribution]) -> Counters {
    let mut total = Counters::default();
    for contribution in contributions {
        total.add_all(&contribution.adds);
    }
    total
}

/// Pads a sequence number. They are decimal digits of varying length; padded, they compare as text.
fn padded(sequence: &str) -> String {
    format!("{sequence:0>40}")
}

fn guard_name(shard: &str) -> String {
    format!("{SEEN}{}", &hex::encode(Sha256::digest(shard.as_bytes()))[..10])
}

fn day_of(item: &Attributes) -> String {
    Prefix::Day.strip(&keys::of_item(item).sk).unwrap_or_default().to_owned()
}

fn counters_of(item: &Attributes) -> Counters {
    item.iter()
        .filter_map(|(name, value)| Some((name.strip_prefix("n_")?.to_owned(), integer(Some(value)))))
        .collect()
}

pub(crate) fn integer(value: Option<&AttributeValue>) -> i64 {
    value.and_then(|v| v.as_n().ok()).and_then(|n| n.parse().ok()).unwrap_or_default()
}

handle! {
    /// The handle for projected counters and rankings.
    Statistics, statistics
}

impl Statistics<'_> {
    /// Adds `contributions` (in stream order) to a projected item, each exactly once.
    ///
    /// # Errors
    /// [`StoreError`]; then the batch must be delivered again.
    pub async fn project(
        self,
        target: &Projection,
        shard: &str,
        contributions: &[Contribution],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut rest: Vec<&Contribution> = contributions.iter().collect();
        while let Some((first, last)) = rest.first().zip(rest.last()) {
            let update = project_update(target, shard, (&first.sequence, &last.sequence), sum(&rest), now);
            match self.store.update(&target.key(), &update, true).await? {
                Written::Done(item) => return self.drop_old_guards(target, &item, now).await,
                // Some of these were counted before: continue with the others.
                Written::Refused => {
                    let seen = self.seen(target, shard).await?;
                    let before = rest.len();
                    rest.retain(|c| padded(&c.sequence) > seen);
                    if rest.len() == before {
                        return Err(StoreError::Corrupt(
                            "a projection's guard refuses what it has not seen".into(),
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds to the clicks that were not kept. The figure has no record of its own, and a repeated write counts twice.
    pub async fn add_clicks_not_kept(self, more: u64) -> Result<(), StoreError> {
        let update = Update::new("SET #type = :type ADD #clicks :more")
            .name("#type", "type")
            .name("#clicks", format!("n_{}", Counter::ClicksNotKept.name()))
            .value(":type", string(Projection::Totals.type_name()))
            .value(":more", number(more));
        self.store.update(&Projection::Totals.key(), &update, false).await.map(|_| ())
    }

    /// Reads a projected item's counters; empty when nothing was ever added.
    pub async fn counters(self, target: &Projection) -> Result<Counters, StoreError> {
        Ok(self.store.get_raw(&target.key()).await?.map(|item| counters_of(&item)).unwrap_or_default())
    }

    /// Reads counters of up to 100 members as referrers, in the given order; empty for members without any.
    pub async fn counters_of(self, members: &[MemberId]) -> Result<Vec<Counters>, StoreError> {
        self.counters_at(members.iter().map(keys::member_stats).collect()).await
    }

    /// Reads counters of up to 100 members as payers, in the given order; empty for members without any.
    pub async fn payers(self, members: &[MemberId]) -> Result<Vec<Counters>, StoreError> {
        self.counters_at(members.iter().map(keys::payer).collect()).await
    }

    /// Reads the daily totals from `first` to `last`, both included; days without activity are left out.
    pub async fn daily(self, first: &str, last: &str) -> Result<Vec<(String, Counters)>, StoreError> {
        let bounds = [(":first", string(Prefix::Day.with(first))), (":last", string(Prefix::Day.with(last)))];
        let range =
            Range::partition(keys::totals().pk).sort("#sk BETWEEN :first AND :last", &bounds).limit(400);
        let (items, _) = self.store.page(range).await?;
        Ok(items.iter().map(|item| (day_of(item), counters_of(item))).collect())
    }

    /// Reads the first members of a ranking, highest score first, at most `limit`.
    pub async fn ranking(self, period: &str, limit: i32) -> Result<Vec<Ranked>, StoreError> {
        self.ranking_after(period, None, limit).await
    }

    /// Reads the members of a ranking after `after`, highest score first, at most `limit`. Who has no score left has no place.
    pub async fn ranking_after(
        self,
        period: &str,
        after: Option<&Ranked>,
        limit: i32,
    ) -> Result<Vec<Ranked>, StoreError> {
        if after.is_some_and(|last| last.score <= 0) {
            return Ok(Vec::new());
        }
        let start = after.map(|ranked| {
            let mut key = keys::rank(&ranked.member, period).attributes();
            key.insert("gsi2pk".to_owned(), string(keys::ranking(period)));
            key.insert("gsi2sk".to_owned(), number(ranked.score));
            key
        });
        let range = Range::index("gsi2", keys::ranking(period)).sort("#sk > :zero", &[(":zero", number(0))]);
        self.ranked(range.newest_first().limit(limit).start_after(start)).await
    }

    /// Reads members of one shard who have paid, by id, after `after`, at most `limit`.
    pub async fn customers_after(
        self,
        shard: u8,
        after: Option<&MemberId>,
        limit: i32,
    ) -> Result<Vec<MemberId>, StoreError> {
        self.members_in(keys::customers(shard), after, limit).await
    }

    /// Reads a member's score in a ranking.
    pub async fn score(self, member: &MemberId, period: &str) -> Result<Option<i64>, StoreError> {
        let item = self.store.get_raw(&keys::rank(member, period)).await?;
        Ok(item.map(|item| integer(item.get("gsi2sk"))))
    }

    /// Reads members who have counters as a referrer, by shard and id, after `after`, at most `limit`.
    pub async fn referrers(
        self,
        shard: u8,
        after: Option<&MemberId>,
        limit: i32,
    ) -> Result<Vec<MemberId>, StoreError> {
        self.members_in(keys::registry(shard), after, limit).await
    }

    async fn seen(self, target: &Projection, shard: &str) -> Result<String, StoreError> {
        let item = self.store.get_raw(&target.key()).await?.unwrap_or_default();
        let guard = item.get(&guard_name(shard)).and_then(|v| v.as_s().ok()).cloned().unwrap_or_default();
        Ok(guard.split('@').next().unwrap_or_default().to_owned())
    }

    async fn drop_old_guards(
        self,
        target: &Projection,
        item: &Attributes,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let guards: Vec<_> = item.iter().filter(|(name, _)| name.starts_with(SEEN)).collect();
        if guards.len() < SEEN_CROWDED {
            return Ok(());
        }
        let oldest_kept = now.plus_days(-SEEN_KEPT_DAYS).millis();
        let stale = guards.into_iter().filter(|(_, value)| {
            let at = value.as_s().ok().and_then(|text| text.split('@').nth(1)).and_then(|ms| ms.parse().ok());
            at.is_some_and(|at: i64| at < oldest_kept)
        });
        for (name, value) in stale {
            let update = Update::new("REMOVE #guard")
                .only_if("#guard = :value")
                .name("#guard", name.clone())
                .value(":value", value.clone());
            self.store.update(&target.key(), &update, false).await?;
        }
        Ok(())
    }

    async fn counters_at(self, keys: Vec<Key>) -> Result<Vec<Counters>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.store.get_each(&keys).await?;
        Ok(found.into_iter().map(|item| item.map(|item| counters_of(&item)).unwrap_or_default()).collect())
    }

    async fn ranked(self, range: Range) -> Result<Vec<Ranked>, StoreError> {
        let (items, _) = self.store.page(range).await?;
        items
            .iter()
            .map(|item| {
                let pk = keys::of_item(item).pk;
                let member = MemberId::parse(Prefix::Referrer.strip(&pk).unwrap_or_default())?;
                Ok(Ranked { member, score: integer(item.get("gsi2sk")) })
            })
            .collect()
    }

    async fn members_in(
        self,
        registry: String,
        after: Option<&MemberId>,
        limit: i32,
    ) -> Result<Vec<MemberId>, StoreError> {
        let mut range = Range::index("gsi1", registry).limit(limit);
        if let Some(after) = after {
            range = range.sort("#sk > :after", &[(":after", string(after.as_str()))]);
        }
        let (items, _) = self.store.page(range).await?;
        items
            .iter()
            .map(|item| {
                let pk = keys::of_item(item).pk;
                Ok(MemberId::parse(pk.split_once('#').map_or("", |(_, member)| member))?)
            })
            .collect()
    }
}
