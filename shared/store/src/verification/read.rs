//! Reads of the verification. An item that cannot be read counts as missing; the scan finds it as a misfit.

use std::collections::{BTreeMap, HashMap};

use guerdon_domain::{
    bill_credit::BilledCustomers,
    commissions::Commission,
    ids::{CustomerId, MemberId, OrderId, PaymentKey},
    members::Member,
    money::Currency,
    payments::{Order, PaymentRecord},
    programs::ProgramVersion,
    referrals::Referral,
    wallets::{Wallet, WalletKind},
};

use super::{ScanCursor, Scanned};
use crate::{
    commissions::keys_of,
    payments::{CustomerLink, PaymentLink},
    referrals::referral_key,
    table::{
        Range, Store, StoreError,
        item::{Attributes, Key, Record, decode},
        keys,
        prefixes::Prefix,
    },
};

/// The handle for verification: the whole table, items by their keys, and its own notes.
#[derive(Debug, Clone, Copy)]
pub struct Verification<'a> {
    pub(super) store: &'a Store,
    consistent: bool,
}

impl Store {
    /// The handle for verification: the whole table, items by their keys, and its own notes.
    pub const fn verification(&self) -> Verification<'_> {
        Verification { store: self, consistent: true }
    }
}

impl Verification<'_> {
    /// The same, but reads by key may miss what was written a moment ago. They cost half as much.
    #[must_use]
    pub const fn lagging(self) -> Self {
        Self { consistent: false, ..self }
    }

    /// Reads the next page of the whole table. Only verification does this, because it must also find items
    /// that no list names.
    pub async fn scan(self, from: Option<&ScanCursor>, limit: i32) -> Result<Scanned, StoreError> {
        let start = from.map(|cursor| Key::new(&cursor.pk, &cursor.sk).attributes());
        let (items, next) = self.store.scan_page(start, limit).await?;
        let mut page = Scanned::default();
        items.into_iter().for_each(|item| page.take(item));
        page.next = next.map(|key| keys::of_item(&key)).map(|key| ScanCursor { pk: key.pk, sk: key.sk });
        Ok(page)
    }

    /// Reads everything of a member's own.
    pub async fn of_member(self, member: &MemberId) -> Result<Scanned, StoreError> {
        self.range(Range::partition(keys::member_pk(member))).await
    }

    /// Reads all commissions of a beneficiary.
    pub async fn commissions(self, member: &MemberId) -> Result<Vec<Commission>, StoreError> {
        let range = Range::partition(keys::referrer_pk(member)).prefix(Prefix::Commission.as_str());
        Ok(self.range(range).await?.commissions)
    }

    /// Reads all versions of the program.
    pub async fn versions(self) -> Result<Vec<ProgramVersion>, StoreError> {
        let range = Range::partition(Prefix::Program).prefix(Prefix::Version.as_str());
        Ok(self.range(range).await?.versions)
    }

    async fn range(self, range: Range) -> Result<Scanned, StoreError> {
        let (mut all, mut start) = (Scanned::default(), None);
        loop {
            let (items, next) = self.store.page(range.clone().limit(1000).start_after(start)).await?;
            items.into_iter().for_each(|item| all.take(item));
            match next {
                Some(key) => start = Some(key),
                None => return Ok(all),
            }
        }
    }

    /// Reads the commissions that a payment's trace names.
    pub async fn commissions_of(self, payment: &PaymentRecord) -> Result<Vec<Commission>, StoreError> {
        let keys = keys_of(payment)?;
        Ok(self.all(&keys).await?.into_values().collect())
    }

    /// Reads wallets, each if it exists.
    pub async fn wallets(
        self,
        of: &[(MemberId, WalletKind, Currency)],
    ) -> Result<Vec<Option<Wallet>>, StoreError> {
        self.each(of.iter().map(|(member, kind, currency)| keys::wallet(member, *kind, *currency))).await
    }

    /// Reads payments, each if it exists.
    pub async fn payments(self, of: &[PaymentKey]) -> Result<Vec<Option<PaymentRecord>>, StoreError> {
        self.each(of.iter().map(keys::payment)).await
    }

    /// Reads the lines of payments in their members' lists, each if it exists.
    pub async fn links(self, of: &[PaymentRecord]) -> Result<Vec<Option<PaymentLink>>, StoreError> {
        self.each(of.iter().map(|paid| keys::payment_of(&paid.member, paid.paid_at, &paid.payment))).await
    }

    /// Reads orders, each if it exists.
    pub async fn orders(self, of: &[OrderId]) -> Result<Vec<Option<Order>>, StoreError> {
        self.each(of.iter().map(keys::order)).await
    }

    /// Reads members, each if it exists.
    pub async fn members(self, of: &[MemberId]) -> Result<Vec<Option<Member>>, StoreError> {
        self.each(of.iter().map(keys::member)).await
    }

    /// Reads the customers of members, each if there are some.
    pub async fn customers(self, of: &[MemberId]) -> Result<Vec<Option<BilledCustomers>>, StoreError> {
        self.each(of.iter().map(keys::billed_customers)).await
    }

    /// Reads the links of customers, each if it exists.
    pub async fn customer_links(self, of: &[CustomerId]) -> Result<Vec<Option<CustomerLink>>, StoreError> {
        self.each(of.iter().map(keys::customer)).await
    }

    /// Reads the referrals by which members joined, by the referee. One that does not exist is left out.
    pub async fn referrals_of(
        self,
        members: impl IntoIterator<Item = &Member>,
    ) -> Result<BTreeMap<MemberId, Referral>, StoreError> {
        let keys: Vec<Key> = members.into_iter().filter_map(referral_key).collect();
        let found = self.all::<Referral>(&keys).await?.into_values();
        Ok(found.map(|referral| (referral.referee.clone(), referral)).collect())
    }

    /// Reads the commissions that convert referrals: the one of the present attempt, each if it exists.
    pub async fn conversions(self, of: &[Referral]) -> Result<Vec<Option<Commission>>, StoreError> {
        self.each(of.iter().map(|referral| {
            keys::conversion(&referral.referrer, (referral.joined_at, referral.undone), &referral.referee)
        }))
        .await
    }

    async fn each<R: Record + Clone>(
        self,
        keys: impl Iterator<Item = Key>,
    ) -> Result<Vec<Option<R>>, StoreError> {
        let keys: Vec<Key> = keys.collect();
        let found = self.all(&keys).await?;
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    /// Reads any number of items, each key once.
    async fn all<R: Record>(self, keys: &[Key]) -> Result<HashMap<Key, R>, StoreError> {
        let items = self.store.get_each_as(keys, self.consistent).await?;
        let read = |(key, item): (&Key, Option<Attributes>)| Some((key.clone(), decode(item?).ok()?));
        Ok(keys.iter().zip(items).filter_map(read).collect())
    }
}
