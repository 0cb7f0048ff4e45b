//! Which Stripe customer is which member, and the events that wait for an answer.

use guerdon_domain::{CustomerId, MemberId, TelegramId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Fragment, Store, StoreError,
    item::{Index, Key, Record, string},
    keys,
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
}

impl Record for CustomerLink {
    const TYPE: &'static str = "customer";
    fn key(&self) -> Key {
        keys::customer(&self.customer)
    }
}

impl ParkedEvent {
    fn partition(waits_for: &WaitsFor) -> String {
        match waits_for {
            WaitsFor::Customer { customer } => keys::customer(customer).pk,
            WaitsFor::Handler { kind } => format!("PARKED#{kind}"),
        }
    }
}

impl Record for ParkedEvent {
    const TYPE: &'static str = "parked";
    fn key(&self) -> Key {
        let sk = format!("PARKED#{:013}#{}", self.created.millis().max(0), self.event_id);
        Key::new(Self::partition(&self.waits_for), sk)
    }
    fn index(&self) -> Index {
        let listed =
            ("PARKED".to_owned(), format!("{:013}#{}", self.parked_at.millis().max(0), self.event_id));
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
        .value(":type", string(<crate::Member as Record>::TYPE));
        Ok([
            Fragment::insert(link, known.clone())?,
            Fragment::update(&keys::member(&link.member), &update, known)?,
        ])
    }

    /// Parks an event that waits for a customer, unless the customer has become known: then the event is
    /// not parked and must be handled again. One transaction, so no event is parked behind a link's back.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn park_for_customer<E: Clone>(
        &self,
        event: &ParkedEvent,
        customer: &CustomerId,
        known: E,
    ) -> Result<[Fragment<E>; 2], StoreError> {
        Ok([Fragment::absent(&keys::customer(customer), known)?, Fragment::upsert(event)?])
    }

    /// Parks an event that waits for a rule. False when it is parked already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn park(&self, event: &ParkedEvent) -> Result<bool, StoreError> {
        Ok(self.insert(event).await? != Written::Refused)
    }

    /// Events that wait for `customer`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn parked_for(&self, customer: &CustomerId) -> Result<Vec<ParkedEvent>, StoreError> {
        self.all(Range::partition(keys::customer(customer).pk).prefix("PARKED#")).await
    }

    /// Forgets a parked event that was handed on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unpark(&self, event: &ParkedEvent) -> Result<(), StoreError> {
        self.delete(&event.key()).await
    }

    /// The keys of parked events, oldest first: `(waiting time's start and event id)`, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn parked(&self, limit: i32) -> Result<Vec<ParkedEvent>, StoreError> {
        let (items, _) = self.page(Range::index("gsi1", "PARKED").limit(limit)).await?;
        self.get_all(&items.iter().map(keys::of_item).collect::<Vec<_>>()).await
    }
}
