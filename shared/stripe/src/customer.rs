//! Customers in `customer.created`, `customer.updated` and `customer.deleted` events.

use guerdon_domain::{
    ids::{CustomerId, TelegramId},
    money::Currency,
};

use crate::wire::{BadField, Node};

/// A customer: connects a member with Stripe's bills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// `cus_...`
    pub id: CustomerId,
    /// The balance in minor units of the customer's currency; negative is credit for the next invoice.
    pub balance: i64,
    /// The currency of the customer's bills; none before the first invoice or subscription.
    pub currency: Option<Currency>,
    /// True when it was deleted: credit can no longer be posted to it.
    pub deleted: bool,
    member_hint: Option<TelegramId>,
}

impl Customer {
    pub(crate) fn read(node: &Node<'_>) -> Result<Self, BadField> {
        // Before 2019-10-17 the balance was called `account_balance`.
        let balance = node.int("balance")?.or(node.int("account_balance")?);
        Ok(Self {
            id: node.own_id()?,
            balance: balance.unwrap_or_default(),
            currency: node.currency()?,
            deleted: node.flag("deleted")?,
            member_hint: node.member_hint(&["metadata"]),
        })
    }

    /// Reads the object of `customer.deleted`, which has the customer's last state without the flag.
    pub(crate) fn read_deleted(node: &Node<'_>) -> Result<Self, BadField> {
        Ok(Self { deleted: true, ..Self::read(node)? })
    }

    /// The member named by the metadata.
    pub const fn member_hint(&self) -> Option<TelegramId> {
        self.member_hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn reads_both_names_of_the_balance() {
        let check = |value: Value, balance: i64, currency: Option<Currency>, deleted: bool| {
            let customer = Customer::read(&Node::root(&value)).unwrap();
            assert_eq!((customer.balance, customer.currency, customer.deleted), (balance, currency, deleted));
        };
        check(json!({"id": "cus_A1"}), 0, None, false);
        check(
            json!({"id": "cus_A1", "balance": -1000, "currency": "usd"}),
            -1000,
            Some(Currency::USD),
            false,
        );
        check(json!({"id": "cus_A1", "account_balance": 250, "currency": null}), 250, None, false);
        check(json!({"id": "cus_A1", "object": "customer", "deleted": true}), 0, None, true);
    }

    #[test]
    fn keeps_no_personal_data() {
        let value = json!({"id": "cus_A1", "email": "alice@example.com", "name": "Alice", "phone": "+48600",
            "address": {"line1": "Street 1"}, "metadata": {"telegram_id": "7", "nickname": "Al"}});
        let shown = format!("{:?}", Customer::read(&Node::root(&value)).unwrap());
        for secret in ["alice", "Alice", "+48600", "Street", "Al\""] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
