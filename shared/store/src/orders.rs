//! Orders: what a service sells, from the offer to the money.

use guerdon_domain::{
    ids::OrderId,
    payments::{Order, OrderState},
};

use crate::{
    Fragment, Store, StoreError,
    item::{Key, Record},
    keys,
    table::{Update, Written},
};

impl Record for Order {
    const TYPE: &'static str = "order";
    fn key(&self) -> Key {
        keys::order(&self.id)
    }
}

impl Store {
    /// An order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn order(&self, id: &OrderId) -> Result<Option<Order>, StoreError> {
        self.get(&keys::order(id)).await
    }

    /// Up to 100 orders, in the order asked for; unknown ones are left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn orders(&self, ids: &[OrderId]) -> Result<Vec<Order>, StoreError> {
        self.get_all(&ids.iter().map(keys::order).collect::<Vec<_>>()).await
    }

    /// A new order. False when there is one with this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_order(&self, order: &Order) -> Result<bool, StoreError> {
        Ok(self.insert(order).await? != Written::Refused)
    }

    /// The order as `after` has it, if it is still open.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn move_order<E>(&self, after: &Order, moved: E) -> Result<Fragment<E>, StoreError> {
        let terms = Update::default()
            .name("#state", "state")
            .value(":pending", crate::item::string(OrderState::Pending.as_str()));
        Fragment::put(after, "#state = :pending", &terms, moved)
    }
}
