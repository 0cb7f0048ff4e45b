//! Orders: what a service sells, from the offer to the money.

use guerdon_domain::{
    fraud::Fingerprint,
    ids::{MemberId, OrderId, PaymentKey},
    money::Money,
    payments::{OrderState, PaymentMethod},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{
    Fragment, Store, StoreError,
    item::{Key, Record},
    keys,
    table::{Update, Written},
};

/// A purchase order of one product. Its payment is a record of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The id.
    pub id: OrderId,
    /// Who buys.
    pub member: MemberId,
    /// What: a plan's id.
    pub product: String,
    /// What has to be paid.
    pub price: Money,
    /// How it is paid.
    pub method: PaymentMethod,
    /// What the payment system calls the transfer, as far as it was told when the order was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// A keyed hash of what it is paid from, such as a UPI id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<Fingerprint>,
    /// Which service made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// How far it has come.
    pub state: OrderState,
    /// What paid for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentKey>,
    /// When that was told, and by whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<guerdon_domain::operators::Stamp>,
}

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
