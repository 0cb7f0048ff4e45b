//! Differences that operators acknowledged.

use guerdon_domain::{ids::PrincipalId, time::Timestamp};
use serde::{Deserialize, Serialize};

use super::Verification;
use crate::table::{
    Fragment, StoreError,
    item::{Key, Record},
    prefixes::Prefix,
};

/// A difference that an operator has acknowledged: the verification goes on behind it while it stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcknowledgedDifference {
    /// The id, which follows from subject and problem.
    pub id: String,
    /// The wallet, payment or other record.
    pub subject: String,
    /// The description.
    pub problem: String,
    /// The operator's reason.
    pub reason: String,
    /// The operator.
    pub by: PrincipalId,
    /// The instant.
    pub at: Timestamp,
}

impl Record for AcknowledgedDifference {
    const TYPE: &'static str = "acknowledged_difference";
    fn key(&self) -> Key {
        acknowledged(&self.id)
    }
}

fn acknowledged(id: &str) -> Key {
    Key::new(Prefix::Verification, Prefix::Acknowledged.with(id))
}

impl Verification<'_> {
    /// Inserts an acknowledged difference.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn acknowledge<E>(self, known: &AcknowledgedDifference, done: E) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(known, done)
    }

    /// Reads an acknowledged difference.
    pub async fn acknowledgement(self, id: &str) -> Result<Option<AcknowledgedDifference>, StoreError> {
        self.store.get(&acknowledged(id)).await
    }
}
