//! What an invoice used up of the credit on a balance.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{InvoiceId, MemberId},
    money::Money,
};

/// How an invoice stands towards the credit it used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceCreditState {
    /// The credit is used up.
    Applied,
    /// The invoice was voided: the credit is back on the customer balance.
    Returned,
}

/// What an invoice did to a member's bill credit, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceCredit {
    /// The invoice.
    pub invoice: InvoiceId,
    /// Whose credit.
    pub member: MemberId,
    /// What came out of the wallet. Stripe may have applied more: credit that is not ours.
    pub taken: Money,
    /// Where it stands.
    pub state: InvoiceCreditState,
}
