//! Wallets and their statements, the postings of bill credit, and what invoices used up.

use guerdon_domain::{
    bill_credit::{InvoiceCredit, Posting},
    ids::{InvoiceId, MemberId},
    money::Currency,
    time::Timestamp,
    wallets::{Entry, Wallet, WalletKind},
};

use crate::{
    Fragment, Store, StoreError,
    item::{Key, Record, number, string},
    keys,
    prefixes::Prefix,
    table::{Range, Update, Written},
};

impl Record for Wallet {
    const TYPE: &'static str = "wallet";
    fn key(&self) -> Key {
        keys::wallet(&self.member, self.kind, self.currency)
    }
}

/// An entry, with its own kind under `wallet` and the statement line's under `kind`.
impl Record for Entry {
    const TYPE: &'static str = "entry";
    fn key(&self) -> Key {
        keys::entry(&self.member, self.wallet, self.currency, self.seq)
    }
}

impl Record for Posting {
    const TYPE: &'static str = "posting";
    fn key(&self) -> Key {
        keys::posting(&self.member, self.seq)
    }
}

impl Record for InvoiceCredit {
    const TYPE: &'static str = "invoice_credit";
    fn key(&self) -> Key {
        keys::invoice(&self.member, &self.invoice)
    }
}

impl Store {
    /// The wallet; an empty one when nothing was ever posted to it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn wallet(
        &self,
        member: &MemberId,
        kind: WalletKind,
        currency: Currency,
    ) -> Result<Wallet, StoreError> {
        let stored = self.get(&keys::wallet(member, kind, currency)).await?;
        Ok(stored.unwrap_or_else(|| Wallet::empty(member.clone(), kind, currency)))
    }

    /// The wallet after a change, conditional on nobody having changed it since, and the change's entry.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn post<E: Clone>(
        &self,
        wallet: &Wallet,
        entry: &Entry,
        changed: E,
    ) -> Result<Vec<Fragment<E>>, StoreError> {
        self.post_all(wallet, std::slice::from_ref(entry), changed)
    }

    /// The wallet after several changes at once, and an entry for each of them.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn post_all<E: Clone>(
        &self,
        wallet: &Wallet,
        entries: &[Entry],
        changed: E,
    ) -> Result<Vec<Fragment<E>>, StoreError> {
        let before = wallet.seq.saturating_sub(entries.len() as u64);
        let posted = if before == 0 {
            Fragment::put(wallet, "attribute_not_exists(pk)", &Update::default(), changed.clone())?
        } else {
            let terms = Update::default().value(":before", number(before));
            Fragment::put(wallet, "seq = :before", &terms, changed.clone())?
        };
        let mut fragments = vec![posted];
        for entry in entries {
            fragments.push(Fragment::insert(entry, changed.clone())?);
        }
        Ok(fragments)
    }

    /// A statement's lines, newest first, before `before_seq`, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn entries(
        &self,
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
        let (items, _) = self.page(range).await?;
        items.into_iter().map(crate::item::decode).collect()
    }

    /// One line of a statement.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn entry(&self, wallet: &Wallet, seq: u64) -> Result<Option<Entry>, StoreError> {
        self.get(&keys::entry(&wallet.member, wallet.kind, wallet.currency, seq)).await
    }

    /// A whole statement, oldest first. For verification, not for requests.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn statement(
        &self,
        member: &MemberId,
        kind: WalletKind,
        currency: Currency,
    ) -> Result<Vec<Entry>, StoreError> {
        self.all(Range::partition(keys::member_pk(member)).prefix(&keys::entries(kind, currency))).await
    }

    /// The member's latest posting. Only this one can still be claimed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn latest_posting(&self, member: &MemberId) -> Result<Option<Posting>, StoreError> {
        let range = Range::partition(keys::member_pk(member))
            .prefix(Prefix::Posting.as_str())
            .newest_first()
            .limit(1);
        let (items, _) = self.page(range).await?;
        items.into_iter().next().map(crate::item::decode).transpose()
    }

    /// A new posting.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn insert_posting<E>(&self, posting: &Posting, exists: E) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(posting, exists)
    }

    /// Stripe has the posting. False when that was recorded before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn posting_posted(
        &self,
        posting: &Posting,
        transaction: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = Update::new("SET #state = :posted, #transaction = :transaction, posted_at = :at")
            .only_if("#state = :claimed")
            .name("#state", "state")
            .name("#transaction", "transaction")
            .value(":posted", string("posted"))
            .value(":claimed", string("claimed"))
            .value(":transaction", string(transaction))
            .value(":at", number(at.millis()));
        Ok(self.update(&posting.key(), &update, false).await? != Written::Refused)
    }

    /// Stripe refused the posting for good.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn refuse_posting<E>(
        &self,
        posting: &Posting,
        code: &str,
        at: Timestamp,
        not_claimed: E,
    ) -> Result<Fragment<E>, StoreError> {
        let update = Update::new("SET #state = :refused, #code = :code, refused_at = :at")
            .only_if("#state = :claimed")
            .name("#state", "state")
            .name("#code", "code")
            .value(":refused", string("refused"))
            .value(":claimed", string("claimed"))
            .value(":code", string(code))
            .value(":at", number(at.millis()));
        Fragment::update(&posting.key(), &update, not_claimed)
    }

    /// What the invoice did to the member's credit, if that is recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn invoice_credit(
        &self,
        member: &MemberId,
        invoice: &InvoiceId,
    ) -> Result<Option<InvoiceCredit>, StoreError> {
        self.get(&keys::invoice(member, invoice)).await
    }

    /// Records what an invoice did, once.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn insert_invoice_credit<E>(
        &self,
        credit: &InvoiceCredit,
        recorded: E,
    ) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(credit, recorded)
    }

    /// The invoice gives its credit back, once.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn return_invoice_credit<E>(
        &self,
        returned: &InvoiceCredit,
        not_applied: E,
    ) -> Result<Fragment<E>, StoreError> {
        let terms = Update::default().name("#state", "state").value(":applied", string("applied"));
        Fragment::put(returned, "#state = :applied", &terms, not_applied)
    }
}
