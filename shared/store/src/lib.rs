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
//! | [`Withdrawal`](guerdon_domain::Withdrawal) | `M#member` | `WITHDRAWAL#seq` | | `WITHDRAWALS#state` / `requested_at` until final | |
//! | [`PaymentLink`] | `M#member` | `PAYMENT#paid_at#rail:id` | `PAYMENTS#day#shard` / `paid_at#rail:id` | | |
//! | [`LimitUse`] | `M#member` or `BUDGET#period` | `CAP#rule#period` or `BUDGET` | | | |
//! | [`Referral`](guerdon_domain::Referral) | `R#referrer` | `REFERRAL#joined_at#referee` | | `DUE#REFERRAL#shard` / `expires_at` while pending | |
//! | [`Commission`](guerdon_domain::Commission) | `R#beneficiary` | `COMMISSION#place`, see below | `CLAIM#beneficiary` / end while to be claimed | `HELD#beneficiary` / `due_at` while held and not frozen, `DUE#CLAIM#shard` / end while to be claimed | |
//! | [`ReleaseDue`] | `R#beneficiary` | `DUE#hour` | | `DUE#RELEASE#shard` / `hour` | |
//! | member counters | `R#member` | `STATS` | `REFERRERS#shard` / `member` | | |
//! | member's score | `R#member` | `RANK#period` | | `RANKING#period` / score | |
//! | [`CodeRecord`] | `CODE#code` | `CODE` | | `DUE#CODE#shard` / `expires_at` until expired | |
//! | [`CustomerLink`] | `CUSTOMER#customer` | `CUSTOMER` | | | |
//! | [`ParkedEvent`] | of the item that it waits for, or `PARKED#kind` | `PARKED#created#event` | `PARKED#shard` / `parked_at#event` | | |
//! | [`PaymentRecord`] | `PAYMENT#rail:id` | `PAYMENT` | | | |
//! | [`Order`] | `ORDER#id` | `ORDER` | | | |
//! | [`Listed`] | `LIST#list#shard` | `place#id` | | | |
//! | member's payments, counted | `M#member` | `PAYER` | `CUSTOMERS#shard` / `member` | | |
//! | [`FailedPayment`] | `FAILED#rail:event` | `FAILED` | | | 35 days |
//! | [`Sighting`] | `PRINT#kind:hash` | `member` | `SEEN#member` / `kind:hash` | | |
//! | [`FraudFlag`](guerdon_domain::FraudFlag) | `M#subject` | `FLAG#id` | `FLAGS#state#shard` / `raised_at#id` | | |
//! | [`Click`](guerdon_domain::Click) | `CLICK#id` | `CLICK` | | | 400 days |
//! | [`PaymentReference`] | `REFERENCE#rail:id` | `REFERENCE` | | | |
//! | [`ProgramVersion`] | `PROGRAM` | `VERSION#version` | | | |
//! | totals, days | `STATS` | `TOTAL`, `DAY#date` | | | |
//! | scores' histogram | `RANKING#period` | `HISTOGRAM` | | | |
//! | [`StoredResponse`] | `IDEMPOTENCY#principal#key` | `RESPONSE` | | | |
//! | [`Operator`] | `OPERATOR#member` | `OPERATOR` | | | |
//! | [`Session`] | `OPERATOR#member` | `SESSION#id` | | | when it ends |
//! | [`SignInLink`] | `OPERATOR#member` | `LINK#id` | | | when it ends |
//! | [`ServiceKey`] | `SERVICES` | `KEY#id` | | | |
//! | [`StoredSettings`] | `SETTINGS` | `SETTINGS` | | | |
//! | [`AuditRecord`] | `AUDIT#month` | `at#id` | | | |
//! | seen update | `UPDATE#id` | `UPDATE` | | | 2 days |
//! | [`Notification`] | `NOTIFICATION#event` | `NOTIFICATION` | | | 30 days |
//! | where the verification stands | `VERIFICATION` | `CURSOR` | | | |
//! | [`JobRun`] | `JOB#function` | `started_at#id` | | | 90 days |
//! | rate counter | `RATE#principal` | minute | | | 1 hour |
//!
//! A commission's place is `joined_at#referee` for the one that converts a referral,
//! `joined_at#referee-rule-level` for what is granted once, and `paid_at#id` for all others. An event waits
//! in the partition of a customer, a payment or a reference.
//!
//! Both indexes project keys only: an index write costs one unit whatever the item holds, and what is
//! read through an index is read again, consistently, from the table.
//!
//! # Access patterns
//! | # | need | function |
//! |---|---|---|
//! | 1 | a member, several members | [`Store::member`], [`Store::members`] |
//! | 2 | who owns a code | [`Store::code`] |
//! | 3 | a member's referral | [`Store::referral_of`], [`Store::referral`] |
//! | 4 | those whom a member brought: newest first, or pending and soonest to expire first | [`Store::referrals_of`], [`Store::pending_referrals`] |
//! | 5 | what expires now: codes, referrals | [`Store::codes_due`], [`Store::referrals_due`] |
//! | 6 | a payment by its natural key | [`Store::payment`] |
//! | 7 | a referrer's due commissions | [`Store::due_commissions`] |
//! | 8 | a referrer's commissions, newest first, or all of them | [`Store::commissions`], [`Store::all_commissions`] |
//! | 9 | referrers with something due, for the sweep | [`Store::releases_due`] |
//! | 10 | a wallet, its statement's line, page, whole statement | [`Store::wallet`], [`Store::entry`], [`Store::entries`], [`Store::statement`] |
//! | 11 | the posting that may be under way | [`Store::latest_posting`] |
//! | 12 | what an invoice did to the credit | [`Store::invoice_credit`] |
//! | 13 | which member a customer is, and what waits for a customer, payment, reference or rule | [`Store::customer`], [`Store::parked_for`] |
//! | 14 | parked events of all shards, the longest waiting first | [`Store::parked`] |
//! | 15 | totals, days, a member's counters | [`Store::counters`], [`Store::daily`] |
//! | 16 | the best of a ranking, everybody's scores | [`Store::ranking`], [`Store::counters`] |
//! | 17 | every referrer, for exports | [`Store::referrers`] |
//! | 18 | the answer given to an idempotency key | [`Store::stored_response`] |
//! | 19 | the audit trail of a month | [`Store::audit_trail`] |
//! | 20 | the program's versions, newest first | [`Store::program_versions`] |
//! | 21 | the commission that converted a referral | [`Store::conversion`] |
//! | 22 | a payment's commissions | [`Store::commissions_of`] |
//! | 23 | a withdrawal by its id | [`Store::withdrawal`] |
//! | 24 | a member's withdrawals, newest first | [`Store::withdrawals_of`] |
//! | 25 | withdrawals with something left to do, the longest waiting first | [`Store::withdrawals_in`], [`Store::stuck_withdrawals`] |
//! | 26 | a member's payments, newest first | [`Store::payments_of`] |
//! | 27 | a day's payments | [`Store::payments_on`] |
//! | 28 | what a limit has let through | [`Store::limit_use`] |
//! | 29 | the payment behind another name of it | [`Store::referenced`] |
//! | 30 | an operator, and a session of theirs | [`Store::operator`], [`Store::operator_and_session`] |
//! | 31 | the whole table, for verification | [`Store::scan`] |
//! | 32 | a service's key, all of them | [`Store::service_key`], [`Store::service_keys`] |
//! | 33 | an order, several orders | [`Store::order`], [`Store::orders`] |
//! | 34 | who was seen with a fingerprint | [`Store::sighted`] |
//! | 35 | what nobody claimed in time, what a member may claim | [`Store::claims_due`], [`Store::to_claim`] |
//! | 36 | members by joining or name, orders by state | [`Store::listed`] |
//! | 37 | what members paid, those who paid | [`Store::payers`], [`Store::customers_after`] |
//! | 38 | the best of a ranking, page by page | [`Store::ranking_after`] |
//! | 39 | what a schedule did | [`Store::job_runs`] |
//! | 40 | what a member was seen with, and which of some members with one fingerprint | [`Store::prints_of`], [`Store::sighted_among`] |
//! | 41 | a flag, some of a member, all of a member | [`Store::flag`], [`Store::flags`], [`Store::flags_of`] |
//! | 42 | open or resolved flags, the latest first | [`Store::flags_in`] |
//! | 43 | how many a referrer has brought since | [`Store::referrals_since`] |
//! | 44 | a click | [`Store::click`] |
//! | 45 | what operators have set | [`Store::settings`] |
//!
//! # Writing
//! Writes that must hold together are [`Fragment`]s: each carries the error that its failed condition
//! means, and [`Store::commit`] writes all of them or none.
mod attempts;
mod changes;
mod clicks;
mod connect;
mod customers;
mod desk;
mod error;
mod flags;
mod history;
mod item;
mod jobs;
mod keys;
mod lists;
mod members;
mod meter;
mod observe;
mod operators;
mod orders;
mod payments;
mod prefixes;
mod programs;
mod projections;
mod schema;
mod services;
mod settings;
mod sightings;
mod table;
mod transaction;
mod wallets;
mod withdrawals;

pub use attempts::FailedPayment;
pub use changes::{Change, Stored};
pub use connect::Connection;
pub use customers::{CustomerLink, ParkedEvent, PaymentReference, WaitsFor};
pub use desk::{Claim, Notification, StoredResponse};
pub use error::StoreError;
pub use flags::Force;
pub use history::{PaymentLink, ScanCursor, ScannedPage};
pub use jobs::JobRun;
pub use keys::{SHARDS, posting_id, withdrawal_id};
pub use lists::{List, Listed, Page};
pub use meter::{Cost, Meter, metered};
pub use observe::{METRICS, correlated, correlation};
pub use payments::{DueCommissions, RELEASE_BATCH, ReleaseDue, commission_cursor};
pub use programs::LimitUse;
pub use projections::{Contribution, Counters, Projection, Ranked, SCORE};
pub use settings::{Override, StoredSettings};
pub use sightings::Sighting;
pub use table::Store;
pub use transaction::{CommitError, Fragment};
