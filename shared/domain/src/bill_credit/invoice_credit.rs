//! Bill credit that an invoice used up.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{CustomerId, InvoiceId, MemberId},
    money::Money,
};

/// The state of the credit that an invoice used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceCreditState {
    /// The credit is used up.
    Applied,
    /// The invoice was voided: the credit is back on the customer balance.
    Returned,
}

/// The effect of an invoice on a member's bill credit. There is one for each invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceCredit {
    /// The invoice.
    pub invoice: InvoiceId,
    /// The member whose credit it is.
    pub member: MemberId,
    /// The customer that was billed. Its balance held the credit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// The amount taken from the wallet. Stripe may have applied more: credit that is not ours.
    pub taken: Money,
    /// The state.
    pub state: InvoiceCreditState,
}
