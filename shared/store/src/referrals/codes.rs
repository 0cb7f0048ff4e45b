//! Referral codes.

use guerdon_domain::{
    referrals::{Code, CodeRecord},
    time::Timestamp,
};

use crate::table::{
    Effect, Fragment, StoreError, Update, handle,
    item::{Index, Key, Record},
    keys,
};

impl Record for CodeRecord {
    const TYPE: &'static str = "code";
    fn key(&self) -> Key {
        keys::code(&self.code)
    }
    fn index(&self) -> Index {
        let due = (keys::code_due(keys::shard(self.code.as_str())), self.expires_at.millis());
        Index { gsi2: (!self.expired).then_some(due), ..Index::default() }
    }
}

handle! {
    /// The handle for referral codes.
    Codes, codes
}

impl Codes<'_> {
    /// Reads the code, valid or not.
    pub async fn find(self, code: &Code) -> Result<Option<CodeRecord>, StoreError> {
        self.store.get(&keys::code(code)).await
    }

    /// Inserts a new code.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn insert<E>(self, code: &CodeRecord, taken: E) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(code, taken)
    }

    /// Reads codes of one shard that expired by `now`, the longest due first.
    pub async fn due(self, shard: u8, now: Timestamp, limit: i32) -> Result<Vec<CodeRecord>, StoreError> {
        self.store.due(keys::code_due(shard), now, limit).await
    }

    /// Marks a code as expired and removes it from the queue. [`Effect::AlreadyApplied`] when it was
    /// marked before.
    pub async fn expire(self, code: &Code) -> Result<Effect, StoreError> {
        let update = Update::new("SET expired = :yes REMOVE gsi2pk, gsi2sk")
            .only_if("expired = :no")
            .value(":yes", aws_sdk_dynamodb::types::AttributeValue::Bool(true))
            .value(":no", aws_sdk_dynamodb::types::AttributeValue::Bool(false));
        Ok(self.store.update(&keys::code(code), &update, false).await?.effect())
    }
}
