//! Requests: stored answers of idempotent ones, and the number of calls of a caller.

use guerdon_domain::{ids::PrincipalId, time::Timestamp};
use serde::{Deserialize, Serialize};

use crate::table::{
    Fragment, StoreError, Update, Written, handle,
    item::{Attributes, Key, Record, number, string},
    prefixes::Prefix,
};

/// The stored answer of a write that carried an `Idempotency-Key`. Permanent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredResponse {
    /// The principal who made the request.
    pub principal: PrincipalId,
    /// The idempotency key of the request.
    pub key: String,
    /// SHA-256 of route and body. A request with the same key and another input is refused.
    pub input_hash: String,
    /// The answer's JSON.
    pub body: String,
    /// The instant of the answer.
    pub at: Timestamp,
}

fn response_key(principal: &PrincipalId, key: &str) -> Key {
    Key::new(Prefix::Idempotency.with(format_args!("{principal}#{key}")), Prefix::Response)
}

impl Record for StoredResponse {
    const TYPE: &'static str = "response";
    fn key(&self) -> Key {
        response_key(&self.principal, &self.key)
    }
}

fn count(item: &Attributes, name: &str) -> u64 {
    item.get(name).and_then(|v| v.as_n().ok()).and_then(|n| n.parse().ok()).unwrap_or_default()
}

/// What an item counts.
#[derive(Clone, Copy)]
enum Counted {
    /// Calls of a principal.
    Calls,
    /// Attempts to sign in to a group of accounts.
    SignIns,
}

impl Counted {
    /// The item's type.
    const fn type_name(self) -> &'static str {
        match self {
            Self::Calls => "rate",
            Self::SignIns => "sign_ins",
        }
    }
}

/// A span of time in which calls are counted.
#[derive(Clone, Copy)]
struct Window {
    /// Its number since the epoch.
    number: i64,
    /// The seconds after which the item may expire.
    ends_after: i64,
    now: Timestamp,
}

handle! {
    /// The handle for stored answers and rate counters.
    Requests, requests
}

impl Requests<'_> {
    /// Reads the stored answer to `key` of `principal`.
    pub async fn answer(
        self,
        principal: &PrincipalId,
        key: &str,
    ) -> Result<Option<StoredResponse>, StoreError> {
        self.store.get(&response_key(principal, key)).await
    }

    /// Inserts a new answer under its key.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn insert<E>(self, response: &StoredResponse, repeated: E) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(response, repeated)
    }

    /// Counts an attempt to sign in to an account of `group` within the running hour and returns the number so far;
    /// `None` when there were `most` before it, and nothing is written.
    pub async fn count_sign_in(
        self,
        group: u16,
        most: u64,
        now: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        let window = Window { number: now.seconds().div_euclid(3600), ends_after: 2 * 3600, now };
        let key = Prefix::SignIns.item(format_args!("{group:04x}"));
        self.count_within(&key, Counted::SignIns, window, most).await
    }

    /// Counts one more in the item's window. The item is reused by the next window.
    async fn count_within(
        self,
        key: &Key,
        counted: Counted,
        window: Window,
        most: u64,
    ) -> Result<Option<u64>, StoreError> {
        let more = Update::new("ADD calls :one")
            .only_if("#window >= :window AND calls < :most")
            .name("#window", "window")
            .value(":window", number(window.number))
            .value(":most", number(most))
            .value(":one", number(1));
        let anew = Update::new("SET calls = :one, #window = :window, #ttl = :ttl, #type = :type")
            .only_if("attribute_not_exists(pk) OR attribute_not_exists(#window) OR #window < :window")
            .name("#window", "window")
            .name("#ttl", "ttl")
            .name("#type", "type")
            .value(":window", number(window.number))
            .value(":ttl", number(window.now.plus_seconds(window.ends_after).seconds()))
            .value(":type", string(counted.type_name()))
            .value(":one", number(1));
        // After another call began the window, this one is counted in it.
        for update in [&more, &anew, &more] {
            if let Written::Done(item) = self.store.update(key, update, true).await? {
                return Ok(Some(count(&item, "calls")));
            }
        }
        Ok(None)
    }

    /// Counts a call of `principal` within the running minute and returns the number so far; `None` when there were
    /// `most` before it, and nothing is written.
    pub async fn count_call(
        self,
        principal: &str,
        most: u64,
        now: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        let window = Window { number: now.seconds().div_euclid(60), ends_after: 3600, now };
        self.count_within(&Prefix::Rate.item(principal), Counted::Calls, window, most).await
    }
}
