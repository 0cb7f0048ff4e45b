//! Fraud flags. Each is an item of its subject, and takes effect through two sets on the member's item.
//!
//! A raised or resolved flag and the member's sets are written in one transaction. So the flags in force are
//! known from the member alone: a release and a decision do not read flags.

use aws_sdk_dynamodb::types::AttributeValue;
use guerdon_domain::{
    fraud::{FraudAction, FraudFlag, FraudFlagState},
    ids::{FraudFlagId, MemberId},
    time::Timestamp,
};

use crate::table::{
    Fragment, Range, StoreError, Update, handle,
    item::{Index, Key, Record, decode, number, string},
    keys::{self, SHARDS},
    prefixes::Prefix,
};

impl Record for FraudFlag {
    const TYPE: &'static str = "flag";
    fn key(&self) -> Key {
        keys::flag(&self.subject, &self.id)
    }
    fn index(&self) -> Index {
        let shard = keys::shard(self.id.as_str());
        let listed = (keys::flags(self.state.as_str(), shard), keys::flag_at(self.raised_at, &self.id));
        Index { gsi1: Some(listed), ..Index::default() }
    }
}

/// The effect of changed flags on a member. A flag that rejects also holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Force {
    /// Flags that hold from now on.
    pub holds: Vec<FraudFlagId>,
    /// Flags that reject from now on.
    pub rejects: Vec<FraudFlagId>,
    /// Flags that no longer hold or reject.
    pub lifted: Vec<FraudFlagId>,
    /// True when the operators' own bar is lifted too.
    pub unbarred: bool,
}

impl Force {
    /// The effect of a flag in the state of `flag`.
    pub fn of(flag: &FraudFlag) -> Self {
        let id = || vec![flag.id.clone()];
        match flag.in_force() {
            FraudAction::Allow | FraudAction::Flag => Self { lifted: id(), ..Self::default() },
            FraudAction::Hold => Self { holds: id(), ..Self::default() },
            FraudAction::Reject => Self { rejects: id(), ..Self::default() },
        }
    }
}

fn set_of<'a>(ids: impl IntoIterator<Item = &'a FraudFlagId>) -> AttributeValue {
    AttributeValue::Ss(ids.into_iter().map(ToString::to_string).collect())
}

handle! {
    /// The handle for fraud flags.
    Flags, flags
}

impl Flags<'_> {
    /// Reads a flag.
    pub async fn find(self, subject: &MemberId, id: &FraudFlagId) -> Result<Option<FraudFlag>, StoreError> {
        self.store.get(&keys::flag(subject, id)).await
    }

    /// Reads up to 100 flags of a member; unknown ones are left out.
    pub async fn find_all(
        self,
        subject: &MemberId,
        ids: &[FraudFlagId],
    ) -> Result<Vec<FraudFlag>, StoreError> {
        match ids {
            [] => Ok(Vec::new()),
            ids => {
                self.store.get_all(&ids.iter().map(|id| keys::flag(subject, id)).collect::<Vec<_>>()).await
            }
        }
    }

    /// Reads a member's flags by id, after `after`, at most `limit`.
    pub async fn of(
        self,
        subject: &MemberId,
        after: Option<&FraudFlagId>,
        limit: i32,
    ) -> Result<Vec<FraudFlag>, StoreError> {
        let start = after.map(|id| keys::flag(subject, id).attributes());
        let range = Range::partition(keys::member_pk(subject)).prefix(Prefix::Flag.as_str()).limit(limit);
        let (items, _) = self.store.page(range.start_after(start)).await?;
        items.into_iter().map(decode).collect()
    }

    /// Reads the flags of all members that the index shows in `state` (`open` or `resolved`), the latest
    /// raised first, before the one at `before`, at most `limit` and no more than 100. A flag that was just
    /// resolved may still be among the open ones.
    pub async fn in_state(
        self,
        state: &str,
        before: Option<(Timestamp, &FraudFlagId)>,
        limit: i32,
    ) -> Result<Vec<FraudFlag>, StoreError> {
        let limit = limit.clamp(1, 100);
        let mut found: Vec<(String, Key)> = Vec::new();
        for shard in 0..SHARDS {
            let range = Range::index("gsi1", keys::flags(state, shard)).newest_first().limit(limit);
            let range = match before {
                Some((at, id)) => range.sort("#sk < :before", &[(":before", string(keys::flag_at(at, id)))]),
                None => range,
            };
            let (items, _) = self.store.page(range).await?;
            let place = |item: &crate::table::item::Attributes| {
                let sk = item.get("gsi1sk").and_then(|sk| sk.as_s().ok()).cloned();
                (sk.unwrap_or_default(), keys::of_item(item))
            };
            found.extend(items.iter().map(place));
        }
        // The shards were read one after the other, so the flags must be sorted.
        found.sort_by(|a, b| b.0.cmp(&a.0));
        found.truncate(usize::try_from(limit).unwrap_or_default());
        let keys: Vec<_> = found.into_iter().map(|(_, key)| key).collect();
        if keys.is_empty() { Ok(Vec::new()) } else { self.store.get_all(&keys).await }
    }

    /// Inserts a new flag.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn insert<E>(self, flag: &FraudFlag, exists: E) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(flag, exists)
    }

    /// Writes the flag `after`, if the stored one still equals `before`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn replace<E>(
        self,
        before: &FraudFlag,
        after: &FraudFlag,
        moved: E,
    ) -> Result<Fragment<E>, StoreError> {
        let mut terms = Update::default()
            .name("#state", "state")
            .value(":state", string(before.state.as_str()))
            .value(":enforced", string(before.enforced.as_str()));
        let mut unchanged = "#state = :state AND enforced = :enforced".to_owned();
        if let FraudFlagState::Resolved { at, .. } = before.state {
            terms = terms.name("#at", "at").value(":at", number(at.millis()));
            unchanged.push_str(" AND #at = :at");
        }
        Fragment::put(after, &unchanged, &terms, moved)
    }

    /// Applies flags to their member; nothing, when they change nothing.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn enforce<E>(
        self,
        subject: &MemberId,
        force: &Force,
        unknown: E,
    ) -> Result<Option<Fragment<E>>, StoreError> {
        let (mut adds, mut deletes) = (Vec::new(), Vec::new());
        let mut update = Update::default().only_if("attribute_exists(pk)");
        for (name, ids) in [("holds", &force.holds), ("rejects", &force.rejects)] {
            if !ids.is_empty() {
                adds.push(format!("{name} :{name}"));
                update = update.value(&format!(":{name}"), set_of(ids));
            } else if !force.lifted.is_empty() {
                deletes.push(format!("{name} :lifted"));
                update = update.value(":lifted", set_of(&force.lifted));
            }
        }
        let mut clauses = Vec::new();
        if !adds.is_empty() {
            clauses.push(format!("ADD {}", adds.join(", ")));
        }
        if !deletes.is_empty() {
            clauses.push(format!("DELETE {}", deletes.join(", ")));
        }
        if force.unbarred {
            clauses.push("SET barred = :no".to_owned());
            update = update.value(":no", AttributeValue::Bool(false));
        }
        if clauses.is_empty() {
            return Ok(None);
        }
        update.expression = clauses.join(" ");
        Fragment::update(&keys::member(subject), &update, unknown).map(Some)
    }

    /// Adds a check that no flag holds the member's commissions, as one that rejects the member does, too.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn not_on_hold<E>(self, member: &MemberId, held: E) -> Result<Fragment<E>, StoreError> {
        Fragment::check(
            &keys::member(member),
            "attribute_not_exists(holds) AND attribute_not_exists(rejects)",
            &[],
            held,
        )
    }
}
