//! The single table. This is the only crate that knows the DynamoDB SDK.
//!
//! # Items
//! | item | pk | sk | gsi1 | gsi2 (number-sorted) | ttl |
//! |---|---|---|---|---|---|
//! | [`Member`] | `M#member` | `MEMBER` | | | |
//! | [`Wallet`](guerdon_domain::Wallet) | `M#member` | `WALLET#kind#currency` | | | |
//! | [`Entry`](guerdon_domain::Entry) | `M#member` | `ENTRY#kind#currency#seq` | | | |
//! | [`Posting`] | `M#member` | `POSTING#seq` | | | |
//! | [`InvoiceCredit`] | `M#member` | `INVOICE#invoice` | | | |
//! | [`Adjustment`] | `M#member` | `ADJUSTMENT#id` | | | |
//! | [`Referral`](guerdon_domain::Referral) | `R#referrer` | `REFERRAL#joined_at#referee` | | `DUE#REFERRAL#shard` / `expires_at` while pending | |
//! | [`Commission`](guerdon_domain::Commission) | `R#beneficiary` | `COMMISSION#paid_at#id` | | `HELD#beneficiary` / `due_at` while held | |
//! | [`ReleaseDue`] | `R#beneficiary` | `DUE#hour` | | `DUE#RELEASE#shard` / `hour` | |
//! | member counters | `R#member` | `STATS` | `REFERRERS#shard` / `member` | | |
//! | member's score | `R#member` | `RANK#period` | | `RANKING#period` / score | |
//! | [`CodeRecord`] | `CODE#code` | `CODE` | | `DUE#CODE#shard` / `expires_at` until expired | |
//! | [`CustomerLink`] | `CUSTOMER#customer` | `CUSTOMER` | | | |
//! | [`ParkedEvent`] | `CUSTOMER#customer` or `PARKED#kind` | `PARKED#created#event` | `PARKED` / `parked_at` | | |
//! | [`PaymentRecord`] | `PAYMENT#rail:id` | `PAYMENT` | | | |
//! | totals, days | `STATS` | `TOTAL`, `DAY#date` | | | |
//! | scores' histogram | `RANKING#period` | `HISTOGRAM` | | | |
//! | [`StoredResponse`] | `IDEMPOTENCY#principal#key` | `RESPONSE` | | | |
//! | [`AuditRecord`] | `AUDIT#month` | `at#id` | | | |
//! | seen update | `UPDATE#id` | `UPDATE` | | | 2 days |
//! | [`Notification`] | `NOTIFICATION#event` | `NOTIFICATION` | | | 30 days |
//! | rate counter | `RATE#principal` | minute | | | 1 hour |
//!
//! Both indexes project keys only: an index write costs one unit whatever the item holds, and what is
//! read through an index is read again, consistently, from the table.
//!
//! # Access patterns
//! | # | need | function |
//! |---|---|---|
//! | 1 | a member, several members | [`Store::member`], [`Store::members`] |
//! | 2 | who owns a code | [`Store::code`] |
//! | 3 | a member's referral | [`Store::referral_of`] |
//! | 4 | pending referrals, soonest to expire first | [`Store::pending_referrals`] |
//! | 5 | what expires now: codes, referrals | [`Store::codes_due`], [`Store::referrals_due`] |
//! | 6 | a payment by its natural key | [`Store::payment`] |
//! | 7 | a referrer's due commissions | [`Store::due_commissions`] |
//! | 8 | a referrer's commissions, newest first | [`Store::commissions`] |
//! | 9 | referrers with something due, for the sweep | [`Store::releases_due`] |
//! | 10 | a wallet, its statement's page, its whole statement | [`Store::wallet`], [`Store::entries`], [`Store::statement`] |
//! | 11 | the posting that may be under way | [`Store::latest_posting`] |
//! | 12 | what an invoice did to the credit | [`Store::invoice_credit`] |
//! | 13 | which member a customer is, and what waits for the answer | [`Store::customer`], [`Store::parked_for`] |
//! | 14 | all parked events, oldest first | [`Store::parked`] |
//! | 15 | totals, days, a member's counters | [`Store::counters`], [`Store::daily`] |
//! | 16 | the best of a ranking, everybody's scores | [`Store::ranking`], [`Store::counters`] |
//! | 17 | every referrer, for exports | [`Store::referrers`] |
//! | 18 | the answer given to an idempotency key | [`Store::stored_response`] |
//! | 19 | the audit trail of a month | [`Store::audit_trail`] |
//!
//! # Writing
//! Writes that must hold together are [`Fragment`]s: each carries the error that its failed condition
//! means, and [`Store::commit`] writes all of them or none.
mod changes;
mod connect;
mod customers;
mod desk;
mod error;
mod item;
mod keys;
mod members;
mod meter;
mod payments;
mod projections;
mod schema;
mod table;
mod transaction;
mod wallets;

pub use changes::{Change, Stored};
pub use connect::Connection;
pub use customers::{CustomerLink, ParkedEvent, WaitsFor};
pub use desk::{Adjustment, AuditRecord, Claim, Notification, StoredResponse};
pub use error::StoreError;
pub use keys::{SHARDS, posting_id};
pub use members::{CodeRecord, Joined, Member, MemberCode};
pub use meter::{Cost, Meter, metered};
pub use payments::{DueCommissions, PaymentOutcome, PaymentRecord, RELEASE_BATCH, ReleaseDue};
pub use projections::{Contribution, Counters, Projection, Ranked, SCORE};
pub use table::Store;
pub use transaction::{CommitError, Fragment};
pub use wallets::{InvoiceCredit, InvoiceCreditState, Posting, PostingState};
