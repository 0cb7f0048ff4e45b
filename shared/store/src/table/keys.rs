//! Every key of the table, in one place.

use guerdon_domain::{
    fraud::Fingerprint,
    ids::{
        CommissionId, CustomerId, FraudFlagId, InvoiceId, MemberId, OrderId, PaymentKey, PostingId, RuleId,
        WithdrawalId,
    },
    intents::ActionKind,
    money::Currency,
    payments::Place,
    referrals::Code,
    time::Timestamp,
    wallets::WalletKind,
    withdrawals::WithdrawalState,
};
use sha2::{Digest, Sha256};

use crate::table::{
    item::{Attributes, Key},
    prefixes::Prefix,
    primary_key,
};

/// Partitions of each due queue: one queue partition takes 1,000 writes a second.
pub const SHARDS: u8 = 4;

/// The shard of a due queue that `id` goes to.
pub(crate) fn shard(id: &str) -> u8 {
    Sha256::digest(id.as_bytes())[0] % SHARDS
}

/// Formats milliseconds as 13 digits, so that text sorts as time does (until the year 2286).
pub(crate) fn sortable(at: Timestamp) -> String {
    format!("{:013}", at.millis().max(0))
}

pub(crate) fn of_item(item: &Attributes) -> Key {
    let (pk, sk) = primary_key(item);
    Key { pk, sk }
}

/// A member's own partition: profile, wallets, statements, postings.
pub(crate) fn member_pk(member: &MemberId) -> String {
    Prefix::Member.with(member)
}

pub(crate) fn member(member: &MemberId) -> Key {
    Key::new(member_pk(member), Prefix::Profile)
}

/// A referrer's partition: edges, commissions, counters. It is separate from the member's own, because every
/// payment of every referee writes here.
pub(crate) fn referrer_pk(referrer: &MemberId) -> String {
    Prefix::Referrer.with(referrer)
}

pub(crate) fn code(code: &Code) -> Key {
    Prefix::Code.item(code)
}

pub(crate) fn code_due(shard: u8) -> String {
    Prefix::CodesDue.with(shard)
}

pub(crate) fn referral(referrer: &MemberId, joined_at: Timestamp, referee: &MemberId) -> Key {
    Key::new(referrer_pk(referrer), Prefix::Referral.with(format_args!("{}#{referee}", sortable(joined_at))))
}

pub(crate) fn referral_due(shard: u8) -> String {
    Prefix::ReferralsDue.with(shard)
}

pub(crate) fn customer(customer: &CustomerId) -> Key {
    Prefix::Customer.item(customer)
}

pub(crate) fn payment(key: &PaymentKey) -> Key {
    Prefix::Payment.item(key)
}

/// The referral or payment of a commission, as far as keys need it.
pub(crate) struct CommissionOf<'a> {
    pub(crate) referee: &'a MemberId,
    pub(crate) rule: &'a RuleId,
    pub(crate) level: u8,
}

/// A commission's place is its key, so that two commissions can never share one (ADR 12).
pub(crate) fn commission(
    beneficiary: &MemberId,
    place: Place,
    paid_at: Timestamp,
    id: &CommissionId,
    of: &CommissionOf<'_>,
) -> Key {
    let place = match place {
        Place::Conversion { joined_at, attempt } => {
            return conversion(beneficiary, (joined_at, attempt), of.referee);
        }
        Place::Once { joined_at, attempt } => return first(beneficiary, (joined_at, attempt), of),
        Place::Payment => format!("{}#{id}", sortable(paid_at)),
    };
    Key::new(referrer_pk(beneficiary), Prefix::Commission.with(place))
}

/// The own place of a rule that rewards a first payment.
pub(crate) fn first(
    beneficiary: &MemberId,
    (joined_at, attempt): (Timestamp, u32),
    of: &CommissionOf<'_>,
) -> Key {
    let (at, again) = (sortable(joined_at), again(attempt));
    let place = format!("{at}#{}-{}-{}{again}", of.referee, of.rule, of.level);
    Key::new(referrer_pk(beneficiary), Prefix::Commission.with(place))
}

/// The end of a place whose earlier attempts were undone; empty for the first.
fn again(attempt: u32) -> String {
    if attempt == 0 { String::new() } else { format!("+{attempt:04}") }
}

/// The place of the commission that converts the referral of `referee`.
pub(crate) fn conversion(
    referrer: &MemberId,
    (joined_at, attempt): (Timestamp, u32),
    referee: &MemberId,
) -> Key {
    let place = format!("{}#{referee}{}", sortable(joined_at), again(attempt));
    Key::new(referrer_pk(referrer), Prefix::Commission.with(place))
}

/// One payment in the list of its member's payments.
pub(crate) fn payment_of(member: &MemberId, paid_at: Timestamp, payment: &PaymentKey) -> Key {
    let place = format!("{}#{payment}", sortable(paid_at));
    Key::new(member_pk(member), Prefix::PaymentLink.with(place))
}

/// The place in the list of a member's payments behind all that settled until `at`.
pub(crate) fn payments_after(member: &MemberId, at: Timestamp) -> Key {
    let next = Timestamp::from_millis(at.millis().saturating_add(1));
    Key::new(member_pk(member), Prefix::PaymentLink.with(sortable(next)))
}

/// The payments of a UTC day, in shards.
pub(crate) fn payments_on(day: &str, shard: u8) -> String {
    Prefix::Payments.with(format_args!("{day}#{shard}"))
}

/// Another name of a payment at its provider, such as its payment intent.
pub(crate) fn reference(reference: &PaymentKey) -> Key {
    Prefix::Reference.item(reference)
}

pub(crate) fn program(version: u32) -> Key {
    Key::new(Prefix::Program, Prefix::Version.with(format_args!("{version:010}")))
}

/// The amount released to a member under a rule's cap within a period.
pub(crate) fn cap(member: &MemberId, rule: &RuleId, period: &str) -> Key {
    Key::new(member_pk(member), Prefix::Cap.with(format_args!("{rule}#{period}")))
}

/// The amount released by the program within a period of its budget.
pub(crate) fn budget(period: &str) -> Key {
    Prefix::Budget.item(period)
}

/// The cursor of the scheduled verification of the ledger.
pub(crate) fn verification() -> Key {
    Key::new(Prefix::Verification, Prefix::Cursor)
}

pub(crate) fn withdrawal(member: &MemberId, seq: u64) -> Key {
    Key::new(member_pk(member), Prefix::Withdrawal.with(format_args!("{seq:010}")))
}

/// A member's intent of one kind of action.
pub(crate) fn intent(member: &MemberId, kind: ActionKind) -> Key {
    Key::new(member_pk(member), Prefix::Intent.with(kind.as_str()))
}

pub(crate) fn withdrawals(state: WithdrawalState) -> String {
    Prefix::Withdrawals.with(state.as_str())
}

pub(crate) fn parked(shard: u8) -> String {
    Prefix::Parked.with(shard)
}

pub(crate) fn held(beneficiary: &MemberId) -> String {
    Prefix::Held.with(beneficiary)
}

/// A member's rewards that can be claimed.
pub(crate) fn to_claim(beneficiary: &MemberId) -> String {
    Prefix::ToClaim.with(beneficiary)
}

pub(crate) fn claim_due(shard: u8) -> String {
    Prefix::ClaimsDue.with(shard)
}

pub(crate) fn order(id: &OrderId) -> Key {
    Prefix::Order.item(id)
}

/// A member who was seen with a fingerprint.
pub(crate) fn sighting(print: &Fingerprint, member: &MemberId) -> Key {
    Key::new(sightings(print), member.as_str())
}

pub(crate) fn sightings(print: &Fingerprint) -> String {
    Prefix::Print.with(print)
}

/// The fingerprints that a member was seen with, in the index.
pub(crate) fn seen(member: &MemberId) -> String {
    Prefix::Seen.with(member)
}

pub(crate) fn flag(subject: &MemberId, id: &FraudFlagId) -> Key {
    Key::new(member_pk(subject), Prefix::Flag.with(id))
}

/// Flags in a state, in shards.
pub(crate) fn flags(state: &str, shard: u8) -> String {
    Prefix::Flags.with(format_args!("{state}#{shard}"))
}

/// The position of a flag among those of its state.
pub(crate) fn flag_at(raised_at: Timestamp, id: &FraudFlagId) -> String {
    format!("{}#{id}", sortable(raised_at))
}

/// The first and the last key of the referrals from `since` on.
pub(crate) fn referrals_since(since: Timestamp) -> [String; 2] {
    // `:` sorts after `9`, so this bounds every timestamp.
    [Prefix::Referral.with(sortable(since)), Prefix::Referral.with(':')]
}

pub(crate) fn referrals_before(before: Timestamp) -> [String; 2] {
    // `#` follows a timestamp in a key, so the instant itself is outside.
    [Prefix::Referral.with(""), Prefix::Referral.with(sortable(before))]
}

pub(crate) fn release_due(shard: u8) -> String {
    Prefix::ReleasesDue.with(shard)
}

pub(crate) fn wallet(member: &MemberId, kind: WalletKind, currency: Currency) -> Key {
    Key::new(member_pk(member), Prefix::Wallet.with(format_args!("{}#{currency}", kind.as_str())))
}

pub(crate) fn entries(kind: WalletKind, currency: Currency) -> String {
    Prefix::Entry.with(format_args!("{}#{currency}#", kind.as_str()))
}

pub(crate) fn entry(member: &MemberId, kind: WalletKind, currency: Currency, seq: u64) -> Key {
    Key::new(member_pk(member), format!("{}{seq:010}", entries(kind, currency)))
}

pub(crate) fn posting(member: &MemberId, seq: u64) -> Key {
    Key::new(member_pk(member), Prefix::Posting.with(format_args!("{seq:010}")))
}

pub(crate) fn billed_customers(member: &MemberId) -> Key {
    Key::new(member_pk(member), Prefix::BilledCustomers)
}

/// Names a posting after the entry that claims it: no two claims of a wallet have the same `seq`.
///
/// # Errors
/// [`guerdon_domain::ids::IdError`] never, for a well-formed member.
pub fn posting_id(member: &MemberId, seq: u64) -> Result<PostingId, guerdon_domain::ids::IdError> {
    PostingId::parse(format!("{member}-{seq}"))
}

/// Names a withdrawal after the entry that holds its money.
///
/// # Errors
/// [`guerdon_domain::ids::IdError`] never, for a well-formed member.
pub fn withdrawal_id(member: &MemberId, seq: u64) -> Result<WithdrawalId, guerdon_domain::ids::IdError> {
    WithdrawalId::parse(format!("{member}-{seq}"))
}

/// Reads the member and the entry from a withdrawal's id; nothing when it is not such an id.
pub(crate) fn withdrawal_key(id: &WithdrawalId) -> Option<Key> {
    let (member, seq) = id.as_str().rsplit_once('-')?;
    let member = MemberId::parse(member).ok()?;
    let seq: u64 = seq.parse().ok()?;
    (withdrawal_id(&member, seq).ok()? == *id).then(|| withdrawal(&member, seq))
}

pub(crate) fn invoice(member: &MemberId, invoice: &InvoiceId) -> Key {
    Key::new(member_pk(member), Prefix::Invoice.with(invoice))
}

/// Totals of the whole deployment.
pub(crate) fn totals() -> Key {
    Key::new(Prefix::Stats, Prefix::Total)
}

pub(crate) fn day(day: &str) -> Key {
    Key::new(Prefix::Stats, Prefix::Day.with(day))
}

pub(crate) fn member_stats(member: &MemberId) -> Key {
    Key::new(referrer_pk(member), Prefix::ReferrerStats)
}

/// A member's counters as a payer.
pub(crate) fn payer(member: &MemberId) -> Key {
    Key::new(member_pk(member), Prefix::Payer)
}

pub(crate) fn customers(shard: u8) -> String {
    Prefix::Payers.with(shard)
}

pub(crate) fn rank(member: &MemberId, period: &str) -> Key {
    Key::new(referrer_pk(member), Prefix::Rank.with(period))
}

pub(crate) fn ranking(period: &str) -> String {
    Prefix::Ranking.with(period)
}

pub(crate) fn histogram(period: &str) -> Key {
    Key::new(Prefix::Histograms.with(period), Prefix::Histogram)
}

pub(crate) fn registry(shard: u8) -> String {
    Prefix::Referrers.with(shard)
}
