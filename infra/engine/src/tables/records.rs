//! The change stream of a table: one shard, with sequence numbers that count every change.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{
    key::KeySchema,
    value::{Attributes, Image, Value, size_of_item},
};
use crate::error::EngineError;

/// Prefix of a sequence number, which has 21 digits like the service's.
const FIRST: u128 = 100_000_000_000_000_000_000;

/// The stream's head; the storage holds its records.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) arn: String,
    pub(crate) shard_id: String,
    last: u64,
    only: Option<Only>,
}

/// The records that are kept: of items whose attribute has one of the values.
#[derive(Debug)]
struct Only {
    attribute: String,
    values: Vec<String>,
}

impl Only {
    fn wants(&self, new: Option<&Image>) -> bool {
        let value = new.and_then(|image| image.get(self.attribute.as_str()));
        matches!(value, Some(Value::S(text)) if self.values.iter().any(|wanted| wanted == text.as_str()))
    }
}

/// A change that was made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) sequence: u64,
    at: i64,
    keys: Attributes,
    old: Option<Image>,
    new: Option<Image>,
    by_ttl: bool,
}

impl Stream {
    pub(crate) fn new(table: &str, now: i64) -> Self {
        Self {
            arn: format!("arn:aws:dynamodb:local:000000000000:table/{table}/stream/{now}"),
            shard_id: format!("shardId-00000001-{table}"),
            last: 0,
            only: None,
        }
    }

    /// The number of the last record, including deleted ones.
    pub(crate) const fn last(&self) -> u64 {
        self.last
    }

    /// Restores the name and the count of a stream from the file.
    pub(crate) fn restore(&mut self, arn: String, last: u64) {
        (self.arn, self.last) = (arn, last);
    }

    /// Makes records only of items, from now on, whose new image has one of the values. Each change still takes a
    /// number, so the numbers do not depend on the filter.
    pub(crate) fn keep_only(&mut self, attribute: &str, values: &[&str]) {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        self.only = Some(Only { attribute: attribute.to_owned(), values });
    }

    /// Returns whether a record is one of those that are kept.
    pub(crate) fn wants(&self, record: &Record) -> bool {
        self.only.as_ref().is_none_or(|only| only.wants(record.new.as_ref()))
    }

    /// The record of a change, if it is kept.
    pub(crate) fn record(
        &mut self,
        schema: &KeySchema,
        old: Option<Image>,
        new: Option<Image>,
        now: i64,
        by_ttl: bool,
    ) -> Option<Record> {
        let keys = schema.key_of(new.as_ref().or(old.as_ref())?);
        self.last += 1;
        let record = Record { sequence: self.last, at: now, keys, old, new, by_ttl };
        self.wants(&record).then_some(record)
    }
}

/// The count in a sequence number.
pub(crate) fn number(text: &str) -> Result<u64, EngineError> {
    let number = text.parse::<u128>().ok().and_then(|number| number.checked_sub(FIRST));
    let number = number.and_then(|number| u64::try_from(number).ok());
    number.ok_or_else(|| EngineError::Database(format!("{text} is no sequence number")))
}

impl Record {
    pub(crate) fn sequence_number(&self) -> String {
        (FIRST + u128::from(self.sequence)).to_string()
    }

    /// The record in the format of a Lambda trigger.
    pub(crate) fn json(&self, arn: &str) -> Json {
        let name = match (&self.old, &self.new) {
            (None, _) => "INSERT",
            (_, None) => "REMOVE",
            _ => "MODIFY",
        };
        let images = [&self.old, &self.new].into_iter().flatten().map(|image| size_of_item(image));
        let size = size_of_item(&self.keys) + images.sum::<usize>();
        let sequence = self.sequence_number();
        let mut change = json!({
            "ApproximateCreationDateTime": self.at,
            "Keys": self.keys,
            "SequenceNumber": sequence,
            "SizeBytes": size,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        });
        for (image, name) in [(&self.old, "OldImage"), (&self.new, "NewImage")] {
            if let Some(image) = image {
                change[name] = json!(image);
            }
        }
        let mut record = json!({
            "eventID": sequence,
            "eventName": name,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "local",
            "dynamodb": change,
            "eventSourceARN": arn,
        });
        if self.by_ttl {
            record["userIdentity"] = json!({ "type": "Service", "principalId": "dynamodb.amazonaws.com" });
        }
        record
    }
}
