//! Settings that operators changed: one item with all overrides, because they are checked together.

use std::collections::BTreeMap;

use guerdon_domain::{
    ids::PrincipalId,
    settings::{Overrides, SettingValue},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::table::{
    Fragment, Range, StoreError, Update, handle,
    item::{Key, Record, decode, number, string},
    keys,
    prefixes::Prefix,
};

/// The overrides that are in force.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSettings {
    /// The number of changes so far.
    pub version: u32,
    /// The overrides by key.
    pub overrides: BTreeMap<String, Override>,
}

/// A setting that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// The value; nothing after the shipped value was restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<SettingValue>,
    /// The instant of the latest change.
    pub at: Timestamp,
    /// The operator who made it.
    pub by: PrincipalId,
}

/// The overrides that were in force until a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupersededSettings {
    /// The instant of the change.
    pub until: Timestamp,
    /// The overrides before it.
    pub settings: StoredSettings,
}

impl Record for SupersededSettings {
    const TYPE: &'static str = "superseded_settings";
    fn key(&self) -> Key {
        let place = format!("{}#{:010}", keys::sortable(self.until), self.settings.version);
        Key::new(Prefix::Settings, Prefix::Until.with(place))
    }
}

impl StoredSettings {
    /// The instant of the latest change; none before the first.
    pub fn changed_at(&self) -> Option<Timestamp> {
        self.overrides.values().map(|known| known.at).max()
    }

    /// The values without their history.
    pub fn values(&self) -> Overrides {
        self.overrides.iter().filter_map(|(key, known)| Some((key.clone(), known.set?))).collect()
    }
}

fn key() -> Key {
    Key::new(Prefix::Settings, Prefix::Settings)
}

impl Record for StoredSettings {
    const TYPE: &'static str = "settings";
    fn key(&self) -> Key {
        key()
    }
}

handle! {
    /// The handle for settings that operators changed.
    Settings, settings
}

impl Settings<'_> {
    /// Reads the overrides; empty at first.
    pub async fn find(self) -> Result<StoredSettings, StoreError> {
        Ok(self.store.get(&key()).await?.unwrap_or_default())
    }

    /// Reads the overrides that were in force at `at`, if they were changed in a later second.
    pub async fn superseded(self, at: Timestamp) -> Result<Option<StoredSettings>, StoreError> {
        let next = keys::sortable(Timestamp::from_seconds(at.seconds().saturating_add(1)));
        let range = Range::partition(Prefix::Settings)
            .sort(
                "#sk BETWEEN :first AND :last",
                &[
                    (":first", string(Prefix::Until.with(next))),
                    (":last", string(Prefix::Until.with("9999999999999~"))),
                ],
            )
            .limit(1);
        let (items, _) = self.store.page(range).await?;
        let first: Option<SupersededSettings> = items.into_iter().next().map(decode).transpose()?;
        Ok(first.map(|superseded| superseded.settings))
    }

    /// Keeps the overrides that a change at `until` supersedes.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when they cannot be encoded.
    pub fn supersede<E>(
        self,
        before: &StoredSettings,
        until: Timestamp,
        changed_since: E,
    ) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(&SupersededSettings { until, settings: before.clone() }, changed_since)
    }

    /// Writes the changed overrides, if they have not changed since `before` was read.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when they cannot be encoded.
    pub fn replace<E>(
        self,
        before: &StoredSettings,
        after: &StoredSettings,
        changed_since: E,
    ) -> Result<Fragment<E>, StoreError> {
        if before.version == 0 {
            return Fragment::insert(after, changed_since);
        }
        let terms = Update::default().name("#version", "version").value(":version", number(before.version));
        Fragment::put(after, "#version = :version", &terms, changed_since)
    }
}
