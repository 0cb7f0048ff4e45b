//! The program's versions, and the use of its limits.

use guerdon_domain::{
    money::Money,
    programs::{Cap, Limit, ProgramVersion},
};
use serde::{Deserialize, Serialize};

use crate::table::{
    Fragment, Range, StoreError, Update, handle,
    item::{Key, Record, number},
    keys,
    prefixes::Prefix,
};

impl Record for ProgramVersion {
    const TYPE: &'static str = "program";
    fn key(&self) -> Key {
        keys::program(self.program.version)
    }
}

/// The amount that was released under a limit within one of its periods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitUse {
    pk: String,
    sk: String,
    /// The amount released so far, in minor units.
    pub used: i64,
}

impl Record for LimitUse {
    const TYPE: &'static str = "limit";
    fn key(&self) -> Key {
        Key::new(self.pk.clone(), self.sk.clone())
    }
}

impl LimitUse {
    /// The rule and the period of a member's limit; nothing for the program's budget.
    pub fn of_rule(&self) -> Option<(&str, &str)> {
        Prefix::Cap.strip(&self.sk)?.rsplit_once('#')
    }

    /// The amount that the limit still allows.
    pub fn left(&self, cap: Cap) -> i64 {
        cap.amount.minor().saturating_sub(self.used).max(0)
    }
}

handle! {
    /// The handle for versions of the program and the use of its limits.
    Programs, programs
}

impl Programs<'_> {
    /// Reads versions that operators have set, newest first, those before the version `before`, at most `limit`.
    pub async fn versions(self, before: Option<u32>, limit: i32) -> Result<Vec<ProgramVersion>, StoreError> {
        let range = Range::partition(Prefix::Program)
            .prefix(Prefix::Version.as_str())
            .newest_first()
            .limit(limit)
            .start_after(before.map(|version| keys::program(version).attributes()));
        let (items, _) = self.store.page(range).await?;
        items.into_iter().map(crate::table::item::decode).collect()
    }

    /// Inserts a new version, if its number is not taken.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn insert<E>(self, version: &ProgramVersion, taken: E) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(version, taken)
    }

    /// Reads the amount released under a limit in `period`.
    pub async fn limit_use(self, limit: &Limit, period: &str) -> Result<LimitUse, StoreError> {
        let key = match limit {
            Limit::Member(member, rule) => keys::cap(member, rule, period),
            Limit::Budget => keys::budget(period),
        };
        let stored = self.store.get(&key).await?;
        Ok(stored.unwrap_or(LimitUse { pk: key.pk, sk: key.sk, used: 0 }))
    }

    /// Adds to the use of a limit, if it has not changed since `before` was read.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn use_limit<E>(
        self,
        before: &LimitUse,
        amount: Money,
        used_since: E,
    ) -> Result<Fragment<E>, StoreError> {
        let after = LimitUse { used: before.used.saturating_add(amount.minor()), ..before.clone() };
        let terms = Update::default().value(":used", number(before.used));
        Fragment::put(&after, "attribute_not_exists(pk) OR used = :used", &terms, used_since)
    }
}
