//! Payments that a provider says have failed: counted, and then forgotten.

use guerdon_domain::{ids::Rail, time::Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Store, StoreError,
    item::{Index, Key, Record},
    prefixes::Prefix,
    table::Written,
};

/// An attempt to pay that came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedPayment {
    /// Where.
    pub rail: Rail,
    /// The provider's event that said so.
    pub event: String,
    /// When we heard of it.
    pub at: Timestamp,
}

impl Record for FailedPayment {
    const TYPE: &'static str = "failed_payment";
    fn key(&self) -> Key {
        Prefix::FailedPayment.item(format_args!("{}:{}", self.rail.as_str(), self.event))
    }
    fn index(&self) -> Index {
        // Longer than a provider tells anything again.
        Index { ttl: Some(self.at.plus_days(35).seconds()), ..Index::default() }
    }
}

impl Store {
    /// Remembers a failed attempt. False when it was told before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_failed_payment(&self, failed: &FailedPayment) -> Result<bool, StoreError> {
        Ok(self.insert(failed).await? != Written::Refused)
    }
}
