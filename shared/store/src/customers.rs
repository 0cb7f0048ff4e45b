//! Which Stripe customer is which member, and the events that wait for an answer.

use guerdon_domain::{
    ids::{CustomerId, MemberId, PaymentKey, TelegramId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{
    Fragment, SHARDS, Store, StoreError,
    item::{Index, Key, Record, number, string},
    keys,
    prefixes::Prefix,
    table::{Range, Update, Written},
};

/// A Stripe customer is this member, for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerLink {
    /// The customer.
    pub customer: CustomerId,
    /// The member.
    pub member: MemberId,
    /// When we learned it.
    pub linked_at: Timestamp,
}

/// What a parked event waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "waits_for", rename_all = "snake_case")]
pub enum WaitsFor {
    /// The customer's link to a member. Replayed when it is made.
    Customer {
        /// The customer.
        customer: CustomerId,
    },
    /// The payment that it undoes. Replayed when that is recorded.
    Payment {
        /// The payment.
        payment: PaymentKey,
    },
    /// The payment behind a provider's other name for it. Replayed when the two are tied.
    Reference {
        /// The other name, such as a payment intent.
        reference: PaymentKey,
    },
    /// A rule that this version does not have; kept so that a later one can replay it.
    Handler {
        /// The event's type.
        kind: String,
    },
}

/// A provider's event that could not be acted upon yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedEvent {
    /// The provider's id of the event.
    pub event_id: String,
    /// What it waits for.
    #[serde(flatten)]
    pub waits_for: WaitsFor,
    /// The event's type.
    pub event_kind: String,
    /// When the provider made it: replays keep that order.
    pub created: Timestamp,
    /// When it was parked.
    pub parked_at: Timestamp,
    /// The event as it came.
    pub body: String,
    /// When an operator asked for it to be played again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_requested_at: Option<Timestamp>,
    /// How often it was played again and parked anew.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub replays: u32,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Record for CustomerLink {
    const TYPE: &'static str = "customer";
    fn key(&self) -> Key {
        keys::customer(&self.customer)
    }
}

impl ParkedEvent {
    /// Its key, by which it is found again.
    pub fn place(&self) -> (String, String) {
        let Key { pk, sk } = self.key();
        (pk, sk)
    }

    /// Where it stands among those that wait.
    pub fn waiting_place(&self) -> String {
        self.index().gsi1.map(|(_, place)| place).unwrap_or_default()
    }

    fn partition(waits_for: &WaitsFor) -> String {
        match waits_for {
            WaitsFor::Handler { kind } => Prefix::ParkedKind.with(kind),
            known => known.awaited().map(|key| key.pk).unwrap_or_default(),
        }
    }
}

impl WaitsFor {
    /// The item whose appearance ends the waiting, if it is an item.
    fn awaited(&self) -> Option<Key> {
        match self {
            Self::Customer { customer } => Some(keys::customer(customer)),
            Self::Payment { payment } => Some(keys::payment(payment)),
            Self::Reference { reference } => Some(keys::reference(reference)),
            Self::Handler { .. } => None,
        }
    }
}

/// Another name of a payment at its provider is this payment, for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentReference {
    /// The other name: a payment intent or a charge.
    pub reference: PaymentKey,
    /// The payment.
    pub payment: PaymentKey,
}

impl Record for PaymentReference {
    const TYPE: &'static str = "reference";
    fn key(&self) -> Key {
        keys::reference(&self.reference)
    }
}

impl Record for ParkedEvent {
    const TYPE: &'static str = "parked";
    fn key(&self) -> Key {
        let place = format!("{}#{}", keys::sortable(self.created), self.event_id);
        Key::new(Self::partition(&self.waits_for), Prefix::ParkedEvent.with(place))
    }
    fn index(&self) -> Index {
        let shard = keys::shard(&self.event_id);
        let listed =
            (keys::parked(shard), format!("{:013}#{}", self.parked_at.millis().max(0), self.event_id));
        Index { gsi1: Some(listed), ..Index::default() }
    }
}

impl Store {
    /// Who a Stripe customer is, if we know.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn customer(&self, customer: &CustomerId) -> Result<Option<CustomerLink>, StoreError> {
        self.get(&keys::customer(customer)).await
    }

    /// The fragments that make a link: the link itself, unless the customer is known already, and the
    /// customer on the member, who is made if Stripe knew them before the bot did.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn link_customer<E: Clone>(
        &self,
        link: &CustomerLink,
        telegram_id: TelegramId,
        known: E,
    ) -> Result<[Fragment<E>; 2], StoreError> {
        let update = Update::new(
            "SET customer = :customer, id = if_not_exists(id, :id), \
             telegram_id = if_not_exists(telegram_id, :telegram), #type = :type",
        )
        .name("#type", "type")
        .value(":customer", string(link.customer.as_str()))
        .value(":id", string(link.member.as_str()))
        .value(":telegram", crate::item::number(telegram_id.get()))
        .value(":type", string(<guerdon_domain::members::Member as Record>::TYPE));
        Ok([
            Fragment::insert(link, known.clone())?,
            Fragment::update(&keys::member(&link.member), &update, known)?,
        ])
    }

    /// Parks an event, unless what it waits for has appeared: then it is not parked and must be handled
    /// again. One transaction, so no event is parked behind the back of what it waits for.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded, or waits for no item.
    pub fn park_until<E: Clone>(
        &self,
        event: &ParkedEvent,
        appeared: E,
    ) -> Result<[Fragment<E>; 2], StoreError> {
        let awaited = event.waits_for.awaited();
        let awaited = awaited.ok_or_else(|| StoreError::Corrupt("nothing to wait for".to_owned()))?;
        Ok([Fragment::absent(&awaited, appeared)?, Fragment::upsert(event)?])
    }

    /// Ties a provider's other name to its payment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tie_reference(&self, tie: &PaymentReference) -> Result<(), StoreError> {
        self.insert(tie).await.map(|_| ())
    }

    /// The payment behind a provider's other name, if that is known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn referenced(&self, reference: &PaymentKey) -> Result<Option<PaymentKey>, StoreError> {
        let tie: Option<PaymentReference> = self.get(&keys::reference(reference)).await?;
        Ok(tie.map(|tie| tie.payment))
    }

    /// Parks an event that waits for a rule. False when it is parked already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn park(&self, event: &ParkedEvent) -> Result<bool, StoreError> {
        Ok(self.insert(event).await? != Written::Refused)
    }

    /// Events that wait for the same thing, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn parked_for(&self, waits_for: &WaitsFor) -> Result<Vec<ParkedEvent>, StoreError> {
        self.all(Range::partition(ParkedEvent::partition(waits_for)).prefix(Prefix::ParkedEvent.as_str()))
            .await
    }

    /// Forgets a parked event that was handed on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unpark(&self, event: &ParkedEvent) -> Result<(), StoreError> {
        // One that was played again may be parked anew by now, under the same key: that one stays.
        let terms = if event.replays == 0 {
            Update::default().only_if("attribute_not_exists(replays)")
        } else {
            Update::default().only_if("replays = :replays").value(":replays", number(event.replays))
        };
        self.delete_if(&event.key(), &terms).await.map(|_| ())
    }

    /// The parked event with this [`place`](ParkedEvent::place), if it is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn parked_at(&self, (pk, sk): &(String, String)) -> Result<Option<ParkedEvent>, StoreError> {
        if Prefix::ParkedEvent.strip(sk).is_none() {
            return Ok(None);
        }
        self.get(&Key::new(pk, sk)).await
    }

    /// Parked events after a [`waiting_place`](ParkedEvent::waiting_place), the longest waiting first, at most `limit`, and
    /// no more than 100 of each shard.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn parked(&self, after: Option<&str>, limit: i32) -> Result<Vec<ParkedEvent>, StoreError> {
        let mut all: Vec<ParkedEvent> = Vec::new();
        for shard in 0..SHARDS {
            let range = Range::index("gsi1", keys::parked(shard)).limit(limit.min(100));
            let range = match after {
                Some(after) => range.sort("#sk > :after", &[(":after", string(after))]),
                None => range,
            };
            let (items, _) = self.page(range).await?;
            all.extend(self.get_all(&items.iter().map(keys::of_item).collect::<Vec<_>>()).await?);
        }
        all.sort_by_cached_key(ParkedEvent::waiting_place);
        all.truncate(usize::try_from(limit).unwrap_or_default());
        Ok(all)
    }

    /// Marks an event as to be played again, while it is parked.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn request_replay<E>(
        &self,
        event: &ParkedEvent,
        at: Timestamp,
        gone: E,
    ) -> Result<Fragment<E>, StoreError> {
        let update = Update::new("SET replay_requested_at = :at")
            .only_if("attribute_exists(pk)")
            .value(":at", number(at.millis()));
        Fragment::update(&event.key(), &update, gone)
    }
}
