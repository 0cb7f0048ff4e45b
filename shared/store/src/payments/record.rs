//! Payments on record, and the lists of a member's and a day's payments. A payment touches no item that
//! another payment touches.

use aws_sdk_dynamodb::types::AttributeValue;
use guerdon_domain::{
    ids::{MemberId, OrderId, PaymentKey, Rail},
    members::Member,
    payments::{PaymentRecord, Reversals},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value;

use crate::table::{
    Effect, Fragment, Range, StoreError, Update, handle,
    item::{Index, Key, Record, decode, number, string},
    keys::{self, SHARDS},
    prefixes::Prefix,
};

/// A failed attempt to pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedPayment {
    /// The rail.
    pub rail: Rail,
    /// The id of the provider's event that reported it.
    pub event: String,
    /// The instant at which we received it.
    pub at: Timestamp,
}

impl Record for FailedPayment {
    const TYPE: &'static str = "failed_payment";
    fn key(&self) -> Key {
        Prefix::FailedPayment.item(format_args!("{}:{}", self.rail.as_str(), self.event))
    }
    fn index(&self) -> Index {
        // Longer than a provider redelivers an event.
        Index { ttl: Some(self.at.plus_days(35).seconds()), ..Index::default() }
    }
}

/// A payment's line in its member's and its day's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentLink {
    /// The payment.
    pub payment: PaymentKey,
    /// The payer.
    pub member: MemberId,
    /// The instant of settlement.
    pub paid_at: Timestamp,
    /// The digest of the payment's facts when it was listed. A line that an older version wrote has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

impl PaymentLink {
    /// The line of a payment.
    pub fn of(payment: &PaymentRecord) -> Self {
        Self {
            payment: payment.payment.clone(),
            member: payment.member.clone(),
            paid_at: payment.paid_at,
            digest: Some(payment.digest()),
        }
    }
}

impl Record for PaymentLink {
    const TYPE: &'static str = "payment_link";
    fn key(&self) -> Key {
        keys::payment_of(&self.member, self.paid_at, &self.payment)
    }
    fn index(&self) -> Index {
        let shard = keys::shard(&self.payment.to_string());
        let sort = format!("{:013}#{}", self.paid_at.millis().max(0), self.payment);
        Index { gsi1: Some((keys::payments_on(&self.paid_at.day(), shard), sort)), ..Index::default() }
    }
}

impl Record for PaymentRecord {
    const TYPE: &'static str = "payment";
    fn key(&self) -> Key {
        keys::payment(&self.payment)
    }
    fn index(&self) -> Index {
        Index { gsi1: self.is_undecided().then(|| undecided(self)), ..Index::default() }
    }
}

/// The place in the list of payments that wait for a decision.
fn undecided(payment: &PaymentRecord) -> (String, String) {
    let name = payment.payment.to_string();
    let place = format!("{}#{name}", keys::sortable(payment.paid_at));
    (Prefix::Undecided.with(keys::shard(&name)), place)
}

/// The condition that neither the decision nor the reversals of a payment have changed, with its values.
fn unchanged(before: &PaymentRecord) -> (String, Vec<(&'static str, AttributeValue)>) {
    let mut values = Vec::new();
    let reversals = if before.reversals.is_empty() {
        "attribute_exists(pk) AND attribute_not_exists(reversals)"
    } else {
        values.push((":seq", number(before.reversals.seq)));
        "reversals.seq = :seq"
    };
    let decisions = if before.decisions == 0 {
        "attribute_not_exists(decisions)"
    } else {
        values.push((":decisions", number(before.decisions)));
        "decisions = :decisions"
    };
    (format!("{reversals} AND {decisions}"), values)
}

handle! {
    /// The handle for payments on record.
    Payments, payments
}

impl Payments<'_> {
    /// Reads the payment.
    pub async fn find(self, key: &PaymentKey) -> Result<Option<PaymentRecord>, StoreError> {
        self.store.get(&keys::payment(key)).await
    }

    /// Reads the payments with these keys; unknown ones are left out.
    pub async fn find_all(self, keys: &[PaymentKey]) -> Result<Vec<PaymentRecord>, StoreError> {
        self.store.get_all(&keys.iter().map(keys::payment).collect::<Vec<_>>()).await
    }

    /// Like `find`, also reads the member who pays, in one request.
    pub async fn with_payer(
        self,
        key: &PaymentKey,
        payer: &MemberId,
    ) -> Result<(Option<PaymentRecord>, Option<Member>), StoreError> {
        let mut found = self.store.get_each(&[keys::payment(key), keys::member(payer)]).await?.into_iter();
        let [payment, payer] = [found.next().flatten(), found.next().flatten()];
        Ok((payment.map(decode).transpose()?, payer.map(decode).transpose()?))
    }

    /// Inserts a new payment.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn insert<E>(self, payment: &PaymentRecord, recorded: E) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(payment, recorded)
    }

    /// Assigns a payment without an order to `order`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn adopt<E>(
        self,
        payment: &PaymentRecord,
        order: &OrderId,
        adopted: E,
    ) -> Result<Fragment<E>, StoreError> {
        let update = Update::new("SET #order = :order")
            .only_if("attribute_exists(pk) AND attribute_not_exists(#order)")
            .name("#order", "order")
            .value(":order", string(order.as_str()));
        Fragment::update(&payment.key(), &update, adopted)
    }

    /// Writes more reversals of a payment, if they have not changed since.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn reverse<E>(
        self,
        before: &PaymentRecord,
        reversals: &Reversals,
        said_since: E,
    ) -> Result<Fragment<E>, StoreError> {
        let after = PaymentRecord { reversals: reversals.clone(), ..before.clone() };
        let value = to_attribute_value(reversals)?;
        let update = match (before.is_undecided(), after.is_undecided()) {
            (true, false) => Update::new("SET reversals = :reversals REMOVE gsi1pk, gsi1sk"),
            (false, true) => {
                let (pk, sk) = undecided(&after);
                Update::new("SET reversals = :reversals, gsi1pk = :pk, gsi1sk = :sk")
                    .value(":pk", string(pk))
                    .value(":sk", string(sk))
            }
            _ => Update::new("SET reversals = :reversals"),
        };
        let (condition, terms) = unchanged(before);
        let update = terms
            .into_iter()
            .fold(update.only_if(condition), |update, (name, value)| update.value(name, value));
        let update = update.value(":reversals", value);
        Fragment::update(&keys::payment(&before.payment), &update, said_since)
    }

    /// Writes a payment whose trace was decided again, if neither its decision nor its reversals have changed since. An
    /// order that adopts it meanwhile is kept.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn decide_again<E>(
        self,
        before: &PaymentRecord,
        after: &PaymentRecord,
        moved: E,
    ) -> Result<Fragment<E>, StoreError> {
        let mut set = "SET trace = :trace, decisions = :next, #lines = :lines".to_owned();
        if after.cost.is_some() {
            set.push_str(", cost = :cost");
        }
        set.push_str(if after.is_undecided() { "" } else { " REMOVE gsi1pk, gsi1sk" });
        let (condition, terms) = unchanged(before);
        let mut update = Update::new(set)
            .only_if(condition)
            .name("#lines", "lines")
            .value(":trace", to_attribute_value(&after.trace)?)
            .value(":lines", to_attribute_value(&after.lines)?)
            .value(":next", number(after.decisions));
        if let Some(cost) = after.cost {
            update = update.value(":cost", to_attribute_value(cost)?);
        }
        let update = terms.into_iter().fold(update, |update, (name, value)| update.value(name, value));
        Fragment::update(&before.key(), &update, moved)
    }

    /// Reads payments of one shard that wait for a decision, oldest first, after `after`, at most `limit`.
    pub async fn undecided(
        self,
        shard: u8,
        after: Option<&PaymentRecord>,
        limit: i32,
    ) -> Result<Vec<PaymentRecord>, StoreError> {
        let start = after.map(|payment| {
            let (pk, sk) = undecided(payment);
            let mut key = payment.key().attributes();
            key.insert("gsi1pk".to_owned(), string(pk));
            key.insert("gsi1sk".to_owned(), string(sk));
            key
        });
        let range = Range::index("gsi1", Prefix::Undecided.with(shard)).limit(limit).start_after(start);
        let (items, _) = self.store.page(range).await?;
        self.store.get_all(&items.iter().map(keys::of_item).collect::<Vec<_>>()).await
    }

    /// Lists a payment. Repeating it changes nothing.
    pub async fn list(self, link: &PaymentLink) -> Result<(), StoreError> {
        self.store.put(link).await
    }

    /// Reads a member's payments, newest first, after `before` in that order, at most `limit` and no more
    /// than 100.
    pub async fn of(
        self,
        member: &MemberId,
        before: Option<&PaymentRecord>,
        limit: i32,
    ) -> Result<Vec<PaymentRecord>, StoreError> {
        let start = before.map(|p| keys::payment_of(member, p.paid_at, &p.payment));
        self.listed(member, start, limit).await
    }

    /// Reads a member's payments that settled until `at`, newest first, at most `limit` and no more than 100.
    pub async fn until(
        self,
        member: &MemberId,
        at: Timestamp,
        limit: i32,
    ) -> Result<Vec<PaymentRecord>, StoreError> {
        self.listed(member, Some(keys::payments_after(member, at)), limit).await
    }

    async fn listed(
        self,
        member: &MemberId,
        start: Option<Key>,
        limit: i32,
    ) -> Result<Vec<PaymentRecord>, StoreError> {
        let range = Range::partition(keys::member_pk(member))
            .prefix(Prefix::PaymentLink.as_str())
            .newest_first()
            .limit(limit.min(100))
            .start_after(start.map(|key| key.attributes()));
        let (items, _) = self.store.page(range).await?;
        let links = items.into_iter().map(decode).collect::<Result<Vec<PaymentLink>, _>>()?;
        self.payments(&links).await
    }

    /// Reads all payments of a UTC day (`2026-11-21`), in no particular order.
    pub async fn on(self, day: &str) -> Result<Vec<PaymentRecord>, StoreError> {
        let mut found = Vec::new();
        for shard in 0..SHARDS {
            let range = Range::index("gsi1", keys::payments_on(day, shard));
            let mut start = None;
            loop {
                let (items, next) = self.store.page(range.clone().start_after(start)).await?;
                let listed: Vec<Key> = items.iter().map(keys::of_item).collect();
                let links: Vec<PaymentLink> = self.store.get_all(&listed).await?;
                found.extend(self.payments(&links).await?);
                match next {
                    Some(key) => start = Some(key),
                    None => break,
                }
            }
        }
        Ok(found)
    }

    /// Records a failed attempt. [`Effect::AlreadyApplied`] when it was recorded before.
    pub async fn insert_failed(self, failed: &FailedPayment) -> Result<Effect, StoreError> {
        Ok(self.store.insert(failed).await?.effect())
    }

    async fn payments(self, links: &[PaymentLink]) -> Result<Vec<PaymentRecord>, StoreError> {
        if links.is_empty() {
            return Ok(Vec::new());
        }
        self.store.get_all(&links.iter().map(|link| keys::payment(&link.payment)).collect::<Vec<_>>()).await
    }
}
