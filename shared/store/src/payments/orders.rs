//! Orders: sales of a service, from the offer to the payment.

use guerdon_domain::{
    ids::OrderId,
    payments::{Order, OrderState},
};

use crate::table::{
    Effect, Fragment, StoreError, Update, handle,
    item::{Key, Record},
    keys,
};

impl Record for Order {
    const TYPE: &'static str = "order";
    fn key(&self) -> Key {
        keys::order(&self.id)
    }
}

handle! {
    /// The handle for orders of services.
    Orders, orders
}

impl Orders<'_> {
    /// Reads an order.
    pub async fn find(self, id: &OrderId) -> Result<Option<Order>, StoreError> {
        self.store.get(&keys::order(id)).await
    }

    /// Reads up to 100 orders, in the order of `ids`; unknown ones are left out.
    pub async fn find_all(self, ids: &[OrderId]) -> Result<Vec<Order>, StoreError> {
        self.store.get_all(&ids.iter().map(keys::order).collect::<Vec<_>>()).await
    }

    /// Inserts a new order. [`Effect::AlreadyApplied`] when there is one with this id.
    pub async fn insert(self, order: &Order) -> Result<Effect, StoreError> {
        Ok(self.store.insert(order).await?.effect())
    }

    /// Writes the order `after`, if the stored one is still open.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn replace<E>(self, after: &Order, moved: E) -> Result<Fragment<E>, StoreError> {
        let terms = Update::default()
            .name("#state", "state")
            .value(":pending", crate::table::item::string(OrderState::Pending.as_str()));
        Fragment::put(after, "#state = :pending", &terms, moved)
    }
}
