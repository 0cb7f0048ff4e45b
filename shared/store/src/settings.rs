//! What operators have set: one item with every override, so that what is checked together is written together.

use std::collections::BTreeMap;

use guerdon_domain::{
    settings::{Overrides, SettingValue},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::table::{
    Fragment, StoreError, Update, handle,
    item::{Key, Record, number},
    prefixes::Prefix,
};

/// The overrides that are in force.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSettings {
    /// Counts changes; 0 before the first one.
    pub version: u32,
    /// By key.
    pub overrides: BTreeMap<String, Override>,
}

/// A setting that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// To what; nothing once it was set back to what was shipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<SettingValue>,
    /// When last.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

impl StoredSettings {
    /// The values alone.
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
    /// The table's room of what operators have set.
    Settings, settings
}

impl Settings<'_> {
    /// What operators have set; nothing at first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find(self) -> Result<StoredSettings, StoreError> {
        Ok(self.store.get(&key()).await?.unwrap_or_default())
    }

    /// The settings as a change leaves them, if nobody has changed any since `before` was read.
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
