//! Wallets, their statements, and adjustments.

use guerdon_domain::{
    ids::MemberId,
    money::Currency,
    wallets::{Adjustment, Entry, Wallet, WalletKind},
};

use crate::table::{
    Fragment, Range, StoreError, Update, handle,
    item::{Key, Record, number},
    keys,
    prefixes::Prefix,
};

impl Record for Adjustment {
    const TYPE: &'static str = "adjustment";
    fn key(&self) -> Key {
        Key::new(keys::member_pk(&self.member), Prefix::Adjustment.with(&self.id))
    }
}

impl Record for Wallet {
    const TYPE: &'static str = "wallet";
    fn key(&self) -> Key {
        keys::wallet(&self.member, self.kind, self.currency)
    }
}

/// Stored with the wallet's kind under `wallet` and the entry's under `kind`.
impl Record for Entry {
    const TYPE: &'static str = "entry";
    fn key(&self) -> Key {
        keys::entry(&self.member, self.wallet, self.currency, self.seq)
    }
}

/// The condition that the fence of a wallet has not moved.
fn fenced(fence: u32, terms: Update) -> (&'static str, Update) {
    match fence {
        0 => ("attribute_not_exists(fence)", terms),
        fence => ("fence = :fence", terms.value(":fence", number(fence))),
    }
}

handle! {
    /// The handle for wallets, their entries and adjustments.
    Wallets, wallets
}

impl Wallets<'_> {
    /// Reads the wallet; an empty one when nothing was ever posted to it.
    pub async fn find(
        self,
        member: &MemberId,
        kind: WalletKind,
        currency: Currency,
    ) -> Result<Wallet, StoreError> {
        let stored = self.store.get(&keys::wallet(member, kind, currency)).await?;
        Ok(stored.unwrap_or_else(|| Wallet::empty(member.clone(), kind, currency)))
    }

    /// Reads all wallets of a member.
    pub async fn of(self, member: &MemberId) -> Result<Vec<Wallet>, StoreError> {
        self.store.all(Range::partition(keys::member_pk(member)).prefix(Prefix::Wallet.as_str())).await
    }

    /// Writes the wallet after a change, if it has not changed since, and the change's entry.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn post<E: Clone>(
        self,
        wallet: &Wallet,
        entry: &Entry,
        changed: E,
    ) -> Result<Vec<Fragment<E>>, StoreError> {
        self.post_all(wallet, std::slice::from_ref(entry), changed)
    }

    /// Writes the wallet after several changes at once, and an entry for each of them.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn post_all<E: Clone>(
        self,
        wallet: &Wallet,
        entries: &[Entry],
        changed: E,
    ) -> Result<Vec<Fragment<E>>, StoreError> {
        let before = wallet.seq.saturating_sub(entries.len() as u64);
        let terms = Update::default();
        let posted = if before == 0 {
            Fragment::put(wallet, "attribute_not_exists(pk)", &terms, changed.clone())?
        } else {
            let (condition, terms) = fenced(wallet.fence, terms.value(":before", number(before)));
            Fragment::put(wallet, &format!("seq = :before AND {condition}"), &terms, changed.clone())?
        };
        let mut fragments = vec![posted];
        for entry in entries {
            fragments.push(Fragment::insert(entry, changed.clone())?);
        }
        Ok(fragments)
    }

    /// Lets no posting be claimed by what was known before, if nothing was posted to the wallet since `seen` was read.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn fence<E>(self, seen: &Wallet, changed: E) -> Result<Fragment<E>, StoreError> {
        if seen.seq == 0 {
            return Fragment::absent(&seen.key(), changed);
        }
        let update = Update::new("SET fence = :next")
            .value(":next", number(seen.fence.saturating_add(1)))
            .value(":before", number(seen.seq));
        let (condition, update) = fenced(seen.fence, update);
        Fragment::update(&seen.key(), &update.only_if(format!("seq = :before AND {condition}")), changed)
    }

    /// Reads a statement's lines, newest first, before `before_seq`, at most `limit`.
    pub async fn entries(
        self,
        wallet: (&MemberId, WalletKind, Currency),
        before_seq: Option<u64>,
        limit: i32,
    ) -> Result<Vec<Entry>, StoreError> {
        let (member, kind, currency) = wallet;
        let start = before_seq.map(|seq| keys::entry(member, kind, currency, seq).attributes());
        let range = Range::partition(keys::member_pk(member))
            .prefix(&keys::entries(kind, currency))
            .newest_first()
            .limit(limit)
            .start_after(start);
        let (items, _) = self.store.page(range).await?;
        items.into_iter().map(crate::table::item::decode).collect()
    }

    /// Reads one line of a statement.
    pub async fn entry(self, wallet: &Wallet, seq: u64) -> Result<Option<Entry>, StoreError> {
        self.store.get(&keys::entry(&wallet.member, wallet.kind, wallet.currency, seq)).await
    }

    /// Reads a whole statement, oldest first. For verification, not for requests.
    pub async fn statement(
        self,
        member: &MemberId,
        kind: WalletKind,
        currency: Currency,
    ) -> Result<Vec<Entry>, StoreError> {
        self.store.all(Range::partition(keys::member_pk(member)).prefix(&keys::entries(kind, currency))).await
    }

    /// Inserts a new adjustment.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn insert_adjustment<E>(self, adjustment: &Adjustment, exists: E) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(adjustment, exists)
    }
}
