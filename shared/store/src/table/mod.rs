//! The table itself: client, transactions, items, keys, due queues, and the meter.
mod client;
mod connect;
mod due;
mod effect;
mod error;
pub(crate) mod item;
pub(crate) mod keys;
mod meter;
mod observe;
pub(crate) mod prefixes;
mod schema;
mod transaction;

pub use client::Store;
pub use connect::Connection;
pub(crate) use effect::Written;
pub use effect::{Effect, Guarded};
pub use error::{Reason, StoreError};
pub use keys::{SHARDS, posting_id, withdrawal_id};
pub use meter::{Cost, Meter, metered};
pub use observe::{METRICS, correlated, correlation};
pub use transaction::{CommitError, Fragment};

pub(crate) use client::{Range, Update, contention, is_conflict, none_if_empty, primary_key};
pub(crate) use error::from_sdk;
pub(crate) use meter::CallKind;
pub(crate) use observe::{ATTRIBUTE, count_conflict, stamp};

/// Makes a concern's handle: a view of the table that has the queries and writes of one concern.
macro_rules! handle {
    ($(#[$doc:meta])* $name:ident, $method:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name<'a> {
            pub(crate) store: &'a crate::table::Store,
        }

        impl crate::table::Store {
            $(#[$doc])*
            pub const fn $method(&self) -> $name<'_> {
                $name { store: self }
            }
        }
    };
}
pub(crate) use handle;
