//! The single table. This is the only crate that knows the DynamoDB SDK.
//!
//! There is one module for each concern. It converts the concern's records to items, and has a handle with
//! its queries and writes, which the [`Store`] returns: `store.payments().find(&key)`. All of them use
//! [`table`].
//!
//! # Items
//! | item | pk | sk | gsi1 | gsi2 (number-sorted) | ttl |
//! |---|---|---|---|---|---|
//! | [`Member`] | `M#member` | `MEMBER` | | | |
//! | [`Wallet`] | `M#member` | `WALLET#kind#currency` | | | |
//! | [`Entry`] | `M#member` | `ENTRY#kind#currency#seq` | | | |
//! | [`BilledCustomers`] | `M#member` | `CUSTOMERS` | | | |
//! | [`Posting`] | `M#member` | `POSTING#seq` | | | |
//! | [`InvoiceCredit`] | `M#member` | `INVOICE#invoice` | | | |
//! | [`Adjustment`] | `M#member` | `ADJUSTMENT#id` | | | |
//! | [`Withdrawal`](guerdon_domain::withdrawals::Withdrawal) | `M#member` | `WITHDRAWAL#seq` | | `WITHDRAWALS#state` / `requested_at` until final | |
//! | [`Intent`](guerdon_domain::intents::Intent) | `M#member` | `INTENT#kind` | | | 2 days after its end |
//! | [`PaymentLink`] | `M#member` | `PAYMENT#paid_at#rail:id` | `PAYMENTS#day#shard` / `paid_at#rail:id` | | |
//! | [`LimitUse`] | `M#member` or `BUDGET#period` | `CAP#rule#period` or `BUDGET` | | | |
//! | [`Referral`] | `R#referrer` | `REFERRAL#joined_at#referee` | | `DUE#REFERRAL#shard` / `expires_at` while pending | |
//! | [`Commission`](guerdon_domain::commissions::Commission) | `R#beneficiary` | `COMMISSION#place`, see below | `CLAIM#beneficiary` / end while to be claimed | `HELD#beneficiary` / `due_at` while held and not frozen, `DUE#CLAIM#shard` / end while to be claimed | |
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
//! | [`FraudFlag`](guerdon_domain::fraud::FraudFlag) | `M#subject` | `FLAG#id` | `FLAGS#state#shard` / `raised_at#id` | | |
//! | [`Click`] | `CLICK#id` | `CLICK` | | | 30 days, 400 once a member joined by it |
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
//! | [`SupersededSettings`] | `SETTINGS` | `UNTIL#until#version` | | | |
//! | [`AuditRecord`] | `AUDIT#month` | `at#id` | | | |
//! | answered update | `UPDATE#id` | `UPDATE` | | | 2 days |
//! | [`Notification`] | `NOTIFICATION#event` | `NOTIFICATION` | | | 30 days |
//! | cursor of the verification | `VERIFICATION` | `CURSOR` | | | |
//! | [`AcknowledgedDifference`] | `VERIFICATION` | `ACKNOWLEDGED#id` | | | |
//! | [`KnownProgram`] | `VERIFICATION` | `PRESET#digest` | | | |
//! | [`JobRun`] | `JOB#function` | `started_at#id` | | | 90 days |
//! | rate counter | `RATE#principal` | `RATE` | | | 1 hour |
//! | attempts to sign in | `SIGNINS#group` | `SIGNINS` | | | 2 hours |
//!
//! A commission's place is `joined_at#referee` for the one that converts a referral,
//! `joined_at#referee-rule-level` for those that are granted once, and `paid_at#id` for all others. The first
//! two end in `+attempt` after an attempt whose payment was undone as a whole. An event waits in the partition of
//! a customer, a payment or a reference.
//!
//! Both indexes project keys only: an index write costs one unit whatever the item holds, and records found
//! through an index are read again, consistently, from the table.
//!
//! # Access patterns
//! | # | need | function |
//! |---|---|---|
//! | 1 | a member, several members | [`Members::find`], [`Members::find_all`] |
//! | 2 | the owner of a code | [`Codes::find`] |
//! | 3 | a member's referral | [`Referrals::of`], [`Referrals::find`] |
//! | 4 | a member's referrals: newest first, or pending and soonest to expire first | [`Referrals::brought_by`], [`Referrals::pending`] |
//! | 5 | codes and referrals that expire now | [`Codes::due`], [`Referrals::due`] |
//! | 6 | a payment by its natural key | [`Payments::find`] |
//! | 7 | a referrer's due commissions | [`Commissions::due`] |
//! | 8 | a referrer's commissions, newest first, or all of them | [`Commissions::list`], [`Commissions::all`] |
//! | 9 | referrers with due commissions, for the sweep | [`Commissions::marked`] |
//! | 10 | a wallet, all of a member, its statement's line, page, whole statement | [`Wallets::find`], [`Wallets::of`], [`Wallets::entry`], [`Wallets::entries`], [`Wallets::statement`] |
//! | 11 | the posting that may still be open | [`BillCredit::latest_posting`] |
//! | 12 | the effect of an invoice on the credit | [`BillCredit::invoice_credit`] |
//! | 13 | the member of a customer, and the events that wait for a customer, payment, reference or rule | [`Customers::find`], [`Parked::waiting_for`] |
//! | 14 | parked events of all shards, the longest waiting first | [`Parked::list`] |
//! | 15 | totals, days, a member's counters | [`Statistics::counters`], [`Statistics::daily`] |
//! | 16 | the first of a ranking, all members' scores | [`Statistics::ranking`], [`Statistics::counters`] |
//! | 17 | every referrer, for exports | [`Statistics::referrers`] |
//! | 18 | the answer given to an idempotency key | [`Requests::answer`] |
//! | 19 | the audit trail of a month | [`Audit::trail`] |
//! | 20 | the program's versions, newest first | [`Programs::versions`] |
//! | 21 | the commission that converted a referral | [`Commissions::conversion`] |
//! | 22 | a payment's commissions | [`Commissions::of`] |
//! | 23 | a withdrawal by its id | [`Withdrawals::find`] |
//! | 24 | a member's withdrawals, newest first | [`Withdrawals::of`] |
//! | 25 | withdrawals that are not final, the longest waiting first | [`Withdrawals::in_state`], [`Withdrawals::stuck`] |
//! | 26 | a member's payments, newest first | [`Payments::of`] |
//! | 27 | a day's payments | [`Payments::on`] |
//! | 28 | the amount released under a limit | [`Programs::limit_use`] |
//! | 29 | a payment by another name of it | [`Customers::referenced`] |
//! | 30 | an operator, and a session of theirs | [`Operators::find`], [`Operators::with_session`] |
//! | 31 | the whole table, a member's own items, any items by their keys, for verification | [`Verification::scan`], [`Verification::of_member`], [`Verification::payments`] |
//! | 32 | a service's key, all of them | [`ServiceKeys::find`], [`ServiceKeys::list`] |
//! | 33 | an order, several orders | [`Orders::find`], [`Orders::find_all`] |
//! | 34 | members who were seen with a fingerprint | [`Sightings::with`] |
//! | 35 | commissions that were not claimed in time, those that a member may claim | [`Commissions::unredeemed`], [`Commissions::redeemable`] |
//! | 36 | members by joining or name, orders by state | [`Lists::page`] |
//! | 37 | the payment counters of members, those who have paid | [`Statistics::payers`], [`Statistics::customers_after`] |
//! | 38 | the first of a ranking, page by page | [`Statistics::ranking_after`] |
//! | 39 | the runs of a scheduled job | [`Jobs::list`] |
//! | 40 | a member's fingerprints, and which of some members were seen with one | [`Sightings::of`], [`Sightings::among`] |
//! | 41 | a flag, some of a member, all of a member | [`Flags::find`], [`Flags::find_all`], [`Flags::of`] |
//! | 42 | open or resolved flags, the latest first | [`Flags::in_state`] |
//! | 43 | the number of a referrer's referrals since an instant, those before one | [`Referrals::count_since`], [`Referrals::made_before`] |
//! | 44 | a click | [`Clicks::find`] |
//! | 45 | settings that operators changed | [`Settings::find`] |
//! | 46 | the customers of a member | [`BillCredit::customers`] |
//! | 47 | all postings, and all effects of invoices, of a member | [`BillCredit::postings`], [`BillCredit::invoice_credits`] |
//! | 48 | a member's latest intent of a kind | [`Intents::find`] |
//! | 49 | a member's payments until an instant, newest first | [`Payments::until`] |
//! | 50 | settings that were in force at an instant | [`Settings::superseded`] |
//! | 51 | payments that wait for a decision, oldest first | [`Payments::undecided`] |
//! | 52 | the commission of a rule that rewards a first payment | [`Commissions::first`] |
//! | 53 | what the verification found, acknowledged differences, programs of the preset | [`Verification::found`], [`Verification::acknowledged`], [`Verification::known_programs`] |
//!
//! # Writing
//! Writes that must hold together are [`Fragment`]s: each carries the error that its failed condition
//! means, and [`Store::commit`] writes all of them or none.
#[cfg(doc)]
use crate::{
    bill_credit::*, commissions::*, fraud::*, intents::*, jobs::*, members::*, messages::*, operators::*,
    payments::*, programs::*, referrals::*, requests::*, settings::*, statistics::*, table::*,
    verification::*, wallets::*, withdrawals::*,
};
#[cfg(doc)]
use guerdon_domain::{
    bill_credit::*, members::*, operators::*, payments::*, programs::*, referrals::*, wallets::*,
};

pub mod bill_credit;
pub mod changes;
pub mod commissions;
pub mod fraud;
pub mod intents;
pub mod jobs;
pub mod members;
pub mod messages;
pub mod operators;
pub mod payments;
pub mod programs;
pub mod referrals;
pub mod requests;
pub mod settings;
pub mod statistics;
pub mod table;
pub mod verification;
pub mod wallets;
pub mod withdrawals;
