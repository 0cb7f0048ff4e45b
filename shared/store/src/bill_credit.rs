//! The customers that are billed, postings of bill credit, and the credit that invoices used.

use guerdon_domain::{
    bill_credit::{BilledCustomers, InvoiceCredit, Posting},
    ids::{InvoiceId, MemberId},
    time::Timestamp,
};

use crate::table::{
    Effect, Fragment, Range, StoreError, Update, handle,
    item::{Key, Record, number, string},
    keys,
    prefixes::Prefix,
};

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

impl Record for BilledCustomers {
    const TYPE: &'static str = "customers";
    fn key(&self) -> Key {
        keys::billed_customers(&self.member)
    }
}

handle! {
    /// The handle for postings of bill credit and the credit that invoices used.
    BillCredit, bill_credit
}

impl BillCredit<'_> {
    /// Reads the member's latest posting. Only this one can still be claimed.
    pub async fn latest_posting(self, member: &MemberId) -> Result<Option<Posting>, StoreError> {
        let range = Range::partition(keys::member_pk(member))
            .prefix(Prefix::Posting.as_str())
            .newest_first()
            .limit(1);
        let (items, _) = self.store.page(range).await?;
        items.into_iter().next().map(crate::table::item::decode).transpose()
    }

    /// Reads all postings of the member.
    pub async fn postings(self, member: &MemberId) -> Result<Vec<Posting>, StoreError> {
        self.store.all(Range::partition(keys::member_pk(member)).prefix(Prefix::Posting.as_str())).await
    }

    /// Reads the effects of all invoices on the member's credit.
    pub async fn invoice_credits(self, member: &MemberId) -> Result<Vec<InvoiceCredit>, StoreError> {
        self.store.all(Range::partition(keys::member_pk(member)).prefix(Prefix::Invoice.as_str())).await
    }

    /// Reads the customers of the member, if any was ever linked.
    pub async fn customers(self, member: &MemberId) -> Result<Option<BilledCustomers>, StoreError> {
        self.store.get(&keys::billed_customers(member)).await
    }

    /// Writes the customers of the member, if they are still as they were before `next`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when they cannot be encoded.
    pub fn replace_customers<E>(self, next: &BilledCustomers, moved: E) -> Result<Fragment<E>, StoreError> {
        match next.seq.saturating_sub(1) {
            0 => Fragment::insert(next, moved),
            before => {
                let terms = Update::default().value(":before", number(before));
                Fragment::put(next, "seq = :before", &terms, moved)
            }
        }
    }

    /// Requires that the customers of the member are still `seen`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn customers_are<E>(self, seen: &BilledCustomers, moved: E) -> Result<Fragment<E>, StoreError> {
        let key = keys::billed_customers(&seen.member);
        match seen.seq {
            0 => Fragment::absent(&key, moved),
            seq => Fragment::check(&key, "seq = :seen", &[(":seen", number(seq))], moved),
        }
    }

    /// Inserts a new posting.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn insert_posting<E>(self, posting: &Posting, exists: E) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(posting, exists)
    }

    /// Records that Stripe has the posting. [`Effect::AlreadyApplied`] when that was recorded before,
    /// or Stripe refused another call.
    pub async fn posted(
        self,
        posting: &Posting,
        transaction: &str,
        at: Timestamp,
    ) -> Result<Effect, StoreError> {
        let update = Update::new("SET #state = :posted, #transaction = :transaction, posted_at = :at")
            .only_if("#state = :claimed")
            .name("#state", "state")
            .name("#transaction", "transaction")
            .value(":posted", string("posted"))
            .value(":claimed", string("claimed"))
            .value(":transaction", string(transaction))
            .value(":at", number(at.millis()));
        Ok(self.store.update(&posting.key(), &update, false).await?.effect())
    }

    /// Records that Stripe refused the posting for good.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn refuse<E>(
        self,
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

    /// Reads the effect of the invoice on the member's credit, if it is recorded.
    pub async fn invoice_credit(
        self,
        member: &MemberId,
        invoice: &InvoiceId,
    ) -> Result<Option<InvoiceCredit>, StoreError> {
        self.store.get(&keys::invoice(member, invoice)).await
    }

    /// Inserts the effect of an invoice, once.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn insert_invoice_credit<E>(
        self,
        credit: &InvoiceCredit,
        recorded: E,
    ) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(credit, recorded)
    }

    /// Records that the invoice gave its credit back, once.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn return_invoice_credit<E>(
        self,
        returned: &InvoiceCredit,
        not_applied: E,
    ) -> Result<Fragment<E>, StoreError> {
        let terms = Update::default().name("#state", "state").value(":applied", string("applied"));
        Fragment::put(returned, "#state = :applied", &terms, not_applied)
    }
}
