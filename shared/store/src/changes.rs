//! The table's change stream as records: what the two stream consumers read.

use guerdon_domain::{Commission, Entry, MemberId, Referral, Withdrawal};
use serde::de::DeserializeOwned;
use serde_dynamo::Item;

use crate::{InvoiceCredit, Member, PaymentRecord, Posting, StoreError, customers::CustomerLink};

/// A stored record that stream consumers care about.
#[derive(Debug, Clone, PartialEq)]
pub enum Stored {
    /// A member.
    Member(Box<Member>),
    /// An edge.
    Referral(Box<Referral>),
    /// A payment.
    Payment(Box<PaymentRecord>),
    /// A commission.
    Commission(Box<Commission>),
    /// A statement's line.
    Entry(Box<Entry>),
    /// A customer's link.
    Customer(Box<CustomerLink>),
    /// A posting.
    Posting(Box<Posting>),
    /// What an invoice did.
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
    /// A withdrawal.
    Withdrawal(Box<Withdrawal>),
    /// Anything else.
    Other,
}

/// One change of one item.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Orders the changes of a shard.
    pub sequence: String,
    /// The item before, unless it is new.
    pub before: Option<Stored>,
    /// The item after, unless it was deleted.
    pub after: Option<Stored>,
}

impl Stored {
    /// Reads a stream image.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when an item of a known type does not decode.
    pub fn from_image(image: Item) -> Result<Self, StoreError> {
        let text = |name: &str| match image.get(name) {
            Some(serde_dynamo::AttributeValue::S(text)) => text.clone(),
            _ => String::new(),
        };
        let kind = text("type");
        Ok(match kind.as_str() {
            "member" => Self::Member(read(image)?),
            "referral" => Self::Referral(read(image)?),
            "payment" => Self::Payment(read(image)?),
            "commission" => Self::Commission(read(image)?),
            "entry" => Self::Entry(read(image)?),
            "customer" => Self::Customer(read(image)?),
            "posting" => Self::Posting(read(image)?),
            "withdrawal" => Self::Withdrawal(read(image)?),
            "invoice_credit" => Self::InvoiceCredit(read(image)?),
            "rank" => {
                let score = match image.get("gsi2sk") {
                    Some(serde_dynamo::AttributeValue::N(score)) => score.parse().unwrap_or_default(),
                    _ => 0,
                };
                let member = MemberId::parse(text("pk").trim_start_matches("R#"))?;
                Self::Rank { member, period: text("sk").trim_start_matches("RANK#").to_owned(), score }
            }
            _ => Self::Other,
        })
    }
}

fn read<T: DeserializeOwned>(image: Item) -> Result<Box<T>, StoreError> {
    Ok(Box::new(serde_dynamo::from_item(image)?))
}
