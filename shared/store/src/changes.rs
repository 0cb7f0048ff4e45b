//! The table's change stream as records, for the two stream consumers.

use guerdon_domain::{
    bill_credit::{BilledCustomers, InvoiceCredit, Posting},
    commissions::Commission,
    ids::MemberId,
    members::Member,
    payments::{Order, PaymentRecord},
    referrals::{Click, CodeRecord, Referral},
    wallets::Entry,
    withdrawals::Withdrawal,
};
use serde::de::DeserializeOwned;
use serde_dynamo::Item;

use crate::{
    payments::{CustomerLink, FailedPayment, ParkedEvent},
    statistics::Projection,
    table::{ATTRIBUTE, StoreError, item::Record, prefixes::Prefix},
};

/// A stored record that a stream consumer uses.
#[derive(Debug, Clone, PartialEq)]
pub enum Stored {
    /// A member.
    Member(Box<Member>),
    /// A code.
    Code(Box<CodeRecord>),
    /// A click on a shared link.
    Click(Box<Click>),
    /// An edge.
    Referral(Box<Referral>),
    /// An order.
    Order(Box<Order>),
    /// An attempt to pay that failed.
    FailedPayment(Box<FailedPayment>),
    /// A payment.
    Payment(Box<PaymentRecord>),
    /// A commission.
    Commission(Box<Commission>),
    /// A statement's line.
    Entry(Box<Entry>),
    /// A customer's link.
    Customer(Box<CustomerLink>),
    /// The customers of a member.
    Customers(Box<BilledCustomers>),
    /// A posting.
    Posting(Box<Posting>),
    /// The effect of an invoice on bill credit.
    InvoiceCredit(Box<InvoiceCredit>),
    /// A member's score in a ranking.
    Rank {
        /// The member.
        member: MemberId,
        /// The ranking's period.
        period: String,
        /// The score.
        score: i64,
    },
    /// A parked event of a provider.
    Parked(Box<ParkedEvent>),
    /// A withdrawal.
    Withdrawal(Box<Withdrawal>),
    /// Anything else.
    Other,
}

/// One change of one item.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The sequence number, which orders the changes of a shard.
    pub sequence: String,
    /// The item before, unless it is new.
    pub before: Option<Stored>,
    /// The item after, unless it was deleted.
    pub after: Option<Stored>,
    /// The correlation id that was in force when the item was written; see
    /// [`correlated`](crate::table::correlated).
    pub correlation_id: Option<String>,
}

impl Change {
    /// Reads a stream record.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when an item of a known type does not decode.
    pub fn from_images(
        sequence: impl Into<String>,
        before: Option<Item>,
        after: Option<Item>,
    ) -> Result<Self, StoreError> {
        let correlation_id = after.as_ref().map(|image| text(image, ATTRIBUTE)).filter(|id| !id.is_empty());
        Ok(Self {
            sequence: sequence.into(),
            before: before.map(Stored::from_image).transpose()?,
            after: after.map(Stored::from_image).transpose()?,
            correlation_id,
        })
    }
}

/// Reads a text attribute, empty when there is none.
fn text(image: &Item, name: &str) -> String {
    match image.get(name) {
        Some(serde_dynamo::AttributeValue::S(text)) => text.clone(),
        _ => String::new(),
    }
}

impl Stored {
    /// Reads a stream image.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when an item of a known type does not decode.
    fn from_image(image: Item) -> Result<Self, StoreError> {
        let kind = text(&image, "type");
        Ok(match kind.as_str() {
            Member::TYPE => Self::Member(read(image)?),
            CodeRecord::TYPE => Self::Code(read(image)?),
            Click::TYPE => Self::Click(read(image)?),
            Referral::TYPE => Self::Referral(read(image)?),
            Order::TYPE => Self::Order(read(image)?),
            FailedPayment::TYPE => Self::FailedPayment(read(image)?),
            PaymentRecord::TYPE => Self::Payment(read(image)?),
            Commission::TYPE => Self::Commission(read(image)?),
            Entry::TYPE => Self::Entry(read(image)?),
            CustomerLink::TYPE => Self::Customer(read(image)?),
            BilledCustomers::TYPE => Self::Customers(read(image)?),
            Posting::TYPE => Self::Posting(read(image)?),
            ParkedEvent::TYPE => Self::Parked(read(image)?),
            Withdrawal::TYPE => Self::Withdrawal(read(image)?),
            InvoiceCredit::TYPE => Self::InvoiceCredit(read(image)?),
            Projection::TYPE_OF_RANKS => {
                let score = match image.get("gsi2sk") {
                    Some(serde_dynamo::AttributeValue::N(score)) => score.parse().unwrap_or_default(),
                    _ => 0,
                };
                let member =
                    MemberId::parse(Prefix::Referrer.strip(&text(&image, "pk")).unwrap_or_default())?;
                Self::Rank {
                    member,
                    period: Prefix::Rank.strip(&text(&image, "sk")).unwrap_or_default().to_owned(),
                    score,
                }
            }
            _ => Self::Other,
        })
    }
}

fn read<T: DeserializeOwned>(image: Item) -> Result<Box<T>, StoreError> {
    Ok(Box::new(serde_dynamo::from_item(image)?))
}
