//! Links of Stripe customers to members, and ties of a provider's other names to payments.

use guerdon_domain::{
    ids::{CustomerId, MemberId, PaymentKey, TelegramId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::table::{
    Effect, Fragment, StoreError, Update, handle,
    item::{Key, Record, string},
    keys,
};

/// The link of a Stripe customer to a member. Only an operator changes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerLink {
    /// The customer.
    pub customer: CustomerId,
    /// The member.
    pub member: MemberId,
    /// The instant at which we learned of it.
    pub linked_at: Timestamp,
    /// The members whose customer it was before, the latest last: their invoices may still be voided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<MemberId>,
}

/// The most former members that a link remembers.
const MOST_FORMER: usize = 8;

impl CustomerLink {
    /// The members whose customer it was when it is linked to another one.
    pub fn former_and_present(&self) -> Vec<MemberId> {
        let mut all = self.former.clone();
        all.retain(|member| *member != self.member);
        all.push(self.member.clone());
        all.split_off(all.len().saturating_sub(MOST_FORMER))
    }
}

impl Record for CustomerLink {
    const TYPE: &'static str = "customer";
    fn key(&self) -> Key {
        keys::customer(&self.customer)
    }
}

/// A tie: another name of a payment at its provider, for ever.
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

handle! {
    /// The handle for Stripe customers and other names of payments.
    Customers, customers
}

impl Customers<'_> {
    /// Reads the link of a Stripe customer.
    pub async fn find(self, customer: &CustomerId) -> Result<Option<CustomerLink>, StoreError> {
        self.store.get(&keys::customer(customer)).await
    }

    /// Makes the fragments of a link: the link itself, unless the customer is linked already, and the member, who is
    /// created if Stripe knew them before the bot did, with the customer that gets their credit.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn link<E: Clone>(
        self,
        link: &CustomerLink,
        telegram_id: TelegramId,
        target: Option<&CustomerId>,
        known: E,
    ) -> Result<[Fragment<E>; 2], StoreError> {
        let update = Update::new(format!(
            "SET id = if_not_exists(id, :id), telegram_id = if_not_exists(telegram_id, :telegram), #type = :type{}",
            if target.is_some() { ", customer = :customer" } else { " REMOVE customer" }
        ))
        .name("#type", "type")
        .value(":id", string(link.member.as_str()))
        .value(":telegram", crate::table::item::number(telegram_id.get()))
        .value(":type", string(<guerdon_domain::members::Member as Record>::TYPE));
        let update = match target {
            Some(target) => update.value(":customer", string(target.as_str())),
            None => update,
        };
        Ok([
            Fragment::insert(link, known.clone())?,
            Fragment::update(&keys::member(&link.member), &update, known)?,
        ])
    }

    /// Writes a customer's link as an operator decided it, if it is still `before`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn set_link<E>(
        self,
        before: Option<&CustomerLink>,
        after: &CustomerLink,
        moved: E,
    ) -> Result<Fragment<E>, StoreError> {
        let Some(before) = before else { return Fragment::insert(after, moved) };
        let terms =
            Update::default().name("#member", "member").value(":before", string(before.member.as_str()));
        Fragment::put(after, "#member = :before", &terms, moved)
    }

    /// Writes a tie of a provider's other name to its payment, unless the name is tied already.
    pub async fn tie_reference(self, tie: &PaymentReference) -> Result<Effect, StoreError> {
        Ok(self.store.insert(tie).await?.effect())
    }

    /// Makes the fragment of a new tie.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn tie<E>(self, tie: &PaymentReference, tied: E) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(tie, tied)
    }

    /// Ties a name to `tie`'s payment that was a payment of its own until now.
    pub async fn retie(self, tie: &PaymentReference) -> Result<Effect, StoreError> {
        let own = PaymentReference { payment: tie.reference.clone(), ..tie.clone() };
        let terms = Update::default()
            .name("#payment", "payment")
            .value(":own", serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(&own.payment)?);
        Ok(self.store.put_under(tie, "#payment = :own", &terms).await?.effect())
    }

    /// Reads the payment that a provider's other name is tied to.
    pub async fn referenced(self, reference: &PaymentKey) -> Result<Option<PaymentKey>, StoreError> {
        let tie: Option<PaymentReference> = self.store.get(&keys::reference(reference)).await?;
        Ok(tie.map(|tie| tie.payment))
    }
}
