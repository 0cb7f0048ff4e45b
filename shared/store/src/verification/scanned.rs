//! Items of the table, sorted by what their keys say they are.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use guerdon_domain::{
    bill_credit::{BilledCustomers, InvoiceCredit, Posting},
    commissions::Commission,
    fraud::FraudFlag,
    members::Member,
    payments::{Order, PaymentRecord},
    programs::ProgramVersion,
    referrals::Referral,
    wallets::{Adjustment, Entry, Wallet},
    withdrawals::Withdrawal,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    payments::{CustomerLink, PaymentLink},
    programs::LimitUse,
    table::{
        item::{Attributes, Index, Key, Record, decode},
        keys,
        prefixes::Prefix,
    },
};

/// The position of a reading of the whole table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanCursor {
    pub(super) pk: String,
    pub(super) sk: String,
}

/// An item that is not what its key says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The type of record that belongs at its key.
    pub kind: &'static str,
    /// Its key: the partition and the sort key.
    pub place: String,
    /// What does not fit, without anything of its content.
    pub problem: &'static str,
    /// A hash of its content.
    pub content: String,
}

/// Items of the table, by type.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scanned {
    /// Members.
    pub members: Vec<Member>,
    /// Wallets.
    pub wallets: Vec<Wallet>,
    /// Lines of statements.
    pub entries: Vec<Entry>,
    /// Adjustments.
    pub adjustments: Vec<Adjustment>,
    /// Withdrawals.
    pub withdrawals: Vec<Withdrawal>,
    /// Postings of bill credit.
    pub postings: Vec<Posting>,
    /// Effects of invoices on bill credit.
    pub invoice_credits: Vec<InvoiceCredit>,
    /// Customers of members.
    pub customers: Vec<BilledCustomers>,
    /// Links of customers.
    pub customer_links: Vec<CustomerLink>,
    /// Payments.
    pub payments: Vec<PaymentRecord>,
    /// Lines in the lists of payments.
    pub payment_links: Vec<PaymentLink>,
    /// Orders.
    pub orders: Vec<Order>,
    /// Commissions.
    pub commissions: Vec<Commission>,
    /// Uses of limits.
    pub limits: Vec<LimitUse>,
    /// Referrals.
    pub referrals: Vec<Referral>,
    /// Fraud flags.
    pub flags: Vec<FraudFlag>,
    /// Versions of the program.
    pub versions: Vec<ProgramVersion>,
    /// Items that are not what their keys say. They are in none of the other lists.
    pub misfits: Vec<Misfit>,
    /// The position to continue from; absent at the end.
    pub next: Option<ScanCursor>,
}

/// True when the item's key begins with these two texts.
fn is_at(key: &Key, partition: Prefix, sort: Prefix) -> bool {
    partition.strip(&key.pk).is_some() && sort.strip(&key.sk).is_some()
}

impl Scanned {
    /// Sorts an item in. An item of which no money depends is left out.
    pub(super) fn take(&mut self, item: Attributes) {
        let key = keys::of_item(&item);
        let at = |partition, sort| is_at(&key, partition, sort);
        let at_item = |prefix: Prefix| prefix.strip(&key.pk).is_some() && key.sk == prefix.word();
        match () {
            () if at(Prefix::Member, Prefix::Profile) => self.keep(item, |s| &mut s.members),
            () if at(Prefix::Member, Prefix::Wallet) => self.keep(item, |s| &mut s.wallets),
            () if at(Prefix::Member, Prefix::Entry) => self.keep(item, |s| &mut s.entries),
            () if at(Prefix::Member, Prefix::Adjustment) => self.keep(item, |s| &mut s.adjustments),
            () if at(Prefix::Member, Prefix::Withdrawal) => self.keep(item, |s| &mut s.withdrawals),
            () if at(Prefix::Member, Prefix::Posting) => self.keep(item, |s| &mut s.postings),
            () if at(Prefix::Member, Prefix::Invoice) => self.keep(item, |s| &mut s.invoice_credits),
            () if at(Prefix::Member, Prefix::BilledCustomers) => self.keep(item, |s| &mut s.customers),
            () if at(Prefix::Member, Prefix::PaymentLink) => self.keep(item, |s| &mut s.payment_links),
            () if at(Prefix::Member, Prefix::Cap) => self.keep(item, |s| &mut s.limits),
            () if at(Prefix::Member, Prefix::Flag) => self.keep(item, |s| &mut s.flags),
            () if at(Prefix::Referrer, Prefix::Referral) => self.keep(item, |s| &mut s.referrals),
            () if at(Prefix::Referrer, Prefix::Commission) => self.keep(item, |s| &mut s.commissions),
            () if at(Prefix::Program, Prefix::Version) => self.keep(item, |s| &mut s.versions),
            () if at_item(Prefix::Customer) => self.keep(item, |s| &mut s.customer_links),
            () if at_item(Prefix::Payment) => self.keep(item, |s| &mut s.payments),
            () if at_item(Prefix::Order) => self.keep(item, |s| &mut s.orders),
            () => {}
        }
    }

    fn keep<R: Record>(&mut self, item: Attributes, list: fn(&mut Self) -> &mut Vec<R>) {
        let key = keys::of_item(&item);
        match fitting(&item, &key) {
            Ok(record) => list(self).push(record),
            Err(problem) => self.misfits.push(Misfit {
                kind: R::TYPE,
                place: format!("{} {}", key.pk, key.sk),
                problem,
                content: content_hash(&item),
            }),
        }
    }
}

/// Reads an item that must be a `R` of this key, with the index entries that follow from its content.
fn fitting<R: Record>(item: &Attributes, key: &Key) -> Result<R, &'static str> {
    if item.get("type") != Some(&AttributeValue::S(R::TYPE.to_owned())) {
        return Err("it has another type than its key says");
    }
    let record: R = decode(item.clone()).map_err(|_| "it cannot be read")?;
    if record.key() != *key {
        return Err("its content belongs to another key");
    }
    if indexed(item) != expected(record.index()) {
        return Err("its index entries do not follow from its content");
    }
    Ok(record)
}

const INDEXED: [&str; 4] = ["gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk"];

fn indexed(item: &Attributes) -> [Option<AttributeValue>; 4] {
    INDEXED.map(|name| item.get(name).cloned())
}

fn expected(index: Index) -> [Option<AttributeValue>; 4] {
    let (pk1, sk1) = index.gsi1.unzip();
    let (pk2, sk2) = index.gsi2.unzip();
    [pk1, sk1, pk2]
        .map(|text| text.map(AttributeValue::S))
        .into_iter()
        .chain([sk2.map(|n| AttributeValue::N(n.to_string()))])
        .collect::<Vec<_>>()
        .try_into()
        .unwrap_or_default()
}

/// Hashes an item: equal for equal content.
fn content_hash(item: &Attributes) -> String {
    let digest = Sha256::digest(canonical(&AttributeValue::M(item.clone())).as_bytes());
    hex::encode(&digest[..6])
}

fn canonical(value: &AttributeValue) -> String {
    match value {
        AttributeValue::M(map) => {
            let sorted: BTreeMap<_, _> = map.iter().map(|(name, value)| (name, canonical(value))).collect();
            format!("{sorted:?}")
        }
        AttributeValue::L(list) => format!("{:?}", list.iter().map(canonical).collect::<Vec<_>>()),
        AttributeValue::Ss(set) => {
            let sorted: std::collections::BTreeSet<_> = set.iter().collect();
            format!("{sorted:?}")
        }
        other => format!("{other:?}"),
    }
}
