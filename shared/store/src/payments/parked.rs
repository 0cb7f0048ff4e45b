//! Events of a provider that wait for a customer, a payment, another name of one, or a rule.

use guerdon_domain::{
    ids::{CustomerId, PaymentKey},
    stored::is_default,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::table::{
    Effect, Fragment, Range, StoreError, Update, handle,
    item::{Index, Key, Record, number, string},
    keys::{self, SHARDS},
    prefixes::Prefix,
};

/// The thing that a parked event waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "waits_for", rename_all = "snake_case")]
pub enum WaitsFor {
    /// The customer's link to a member. The event is replayed when it is made.
    Customer {
        /// The customer.
        customer: CustomerId,
    },
    /// The payment that it undoes. The event is replayed when it is recorded.
    Payment {
        /// The payment.
        payment: PaymentKey,
    },
    /// The tie of a provider's other name to its payment. The event is replayed when it is made.
    Reference {
        /// The other name, such as a payment intent.
        reference: PaymentKey,
    },
    /// A handler that this version does not have, or a decision that only a person can make. The event is kept so that a
    /// later version, or an operator, can replay it.
    Handler {
        /// The event's type.
        kind: String,
    },
}

/// A provider's event that could not be processed yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedEvent {
    /// The provider's id of the event.
    pub event_id: String,
    /// The thing that it waits for.
    #[serde(flatten)]
    pub waits_for: WaitsFor,
    /// The event's type.
    pub event_kind: String,
    /// The instant at which the provider made it. Replays keep this order.
    pub created: Timestamp,
    /// The instant at which it was parked.
    pub parked_at: Timestamp,
    /// The event's body, unchanged.
    pub body: String,
    /// The instant at which an operator requested a replay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_requested_at: Option<Timestamp>,
    /// The number of times it was replayed and parked again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub replays: u32,
}

impl ParkedEvent {
    /// The partition key and sort key, by which it is found again.
    pub fn place(&self) -> (String, String) {
        let Key { pk, sk } = self.key();
        (pk, sk)
    }

    /// The position among the parked events.
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
    /// The key of the item that it waits for, if it waits for an item.
    fn awaited(&self) -> Option<Key> {
        match self {
            Self::Customer { customer } => Some(keys::customer(customer)),
            Self::Payment { payment } => Some(keys::payment(payment)),
            Self::Reference { reference } => Some(keys::reference(reference)),
            Self::Handler { .. } => None,
        }
    }
}

impl ParkedEvent {
    /// True for Stripe's event about a payment intent that succeeded.
    pub fn is_of_an_intent(&self) -> bool {
        self.event_kind == "payment_intent.succeeded"
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

handle! {
    /// The handle for parked events.
    Parked, parked
}

impl Parked<'_> {
    /// Parks an event, unless the item that it waits for exists: then it is not parked and must be handled
    /// again. Both are one transaction, so no event can be parked after the item has appeared.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded, or waits for no item.
    pub fn park_until<E: Clone>(
        self,
        event: &ParkedEvent,
        appeared: E,
    ) -> Result<[Fragment<E>; 2], StoreError> {
        let awaited = event.waits_for.awaited();
        let awaited = awaited.ok_or_else(|| StoreError::Corrupt("nothing to wait for".into()))?;
        Ok([Fragment::absent(&awaited, appeared)?, Fragment::upsert(event)?])
    }

    /// Parks an event that waits for a handler. [`Effect::AlreadyApplied`] when it is parked.
    pub async fn park(self, event: &ParkedEvent) -> Result<Effect, StoreError> {
        Ok(self.store.insert(event).await?.effect())
    }

    /// Reads events that wait for the same thing, oldest first.
    pub async fn waiting_for(self, waits_for: &WaitsFor) -> Result<Vec<ParkedEvent>, StoreError> {
        self.store
            .all(Range::partition(ParkedEvent::partition(waits_for)).prefix(Prefix::ParkedEvent.as_str()))
            .await
    }

    /// Deletes a parked event that was processed.
    pub async fn remove(self, event: &ParkedEvent) -> Result<(), StoreError> {
        // A replayed event may have been parked again under the same key. That one must stay.
        let terms = if event.replays == 0 {
            Update::default().only_if("attribute_not_exists(replays)")
        } else {
            Update::default().only_if("replays = :replays").value(":replays", number(event.replays))
        };
        self.store.delete_if(&event.key(), &terms).await.map(|_| ())
    }

    /// Reads the parked event with this [`place`](ParkedEvent::place).
    pub async fn at(self, (pk, sk): &(String, String)) -> Result<Option<ParkedEvent>, StoreError> {
        if Prefix::ParkedEvent.strip(sk).is_none() {
            return Ok(None);
        }
        self.store.get(&Key::new(pk, sk)).await
    }

    /// Reads parked events after a [`waiting_place`](ParkedEvent::waiting_place), the longest waiting first,
    /// at most `limit`, and no more than 100 of each shard.
    pub async fn list(self, after: Option<&str>, limit: i32) -> Result<Vec<ParkedEvent>, StoreError> {
        let mut all: Vec<ParkedEvent> = Vec::new();
        for shard in 0..SHARDS {
            let range = Range::index("gsi1", keys::parked(shard)).limit(limit.min(100));
            let range = match after {
                Some(after) => range.sort("#sk > :after", &[(":after", string(after))]),
                None => range,
            };
            let (items, _) = self.store.page(range).await?;
            all.extend(self.store.get_all(&items.iter().map(keys::of_item).collect::<Vec<_>>()).await?);
        }
        all.sort_by_cached_key(ParkedEvent::waiting_place);
        all.truncate(usize::try_from(limit).unwrap_or_default());
        Ok(all)
    }

    /// Requests a replay of an event, if it is still parked.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn request_replay<E>(
        self,
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
