//! Disputes in `charge.dispute.*` events (<https://docs.stripe.com/disputes/how-disputes-work>).

use guerdon_domain::{
    ids::{ExternalPaymentId, InvoiceId},
    money::Money,
};

use crate::wire::{BadField, Node};

/// The status of a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisputeStatus {
    /// An inquiry that awaits our answer: no money has moved.
    WarningNeedsResponse,
    /// An inquiry that the bank is reviewing: no money has moved.
    WarningUnderReview,
    /// An inquiry that was closed without a dispute: no money has moved.
    WarningClosed,
    /// The money was taken; evidence may be sent.
    NeedsResponse,
    /// The money was taken; the bank decides.
    UnderReview,
    /// Decided in our favour: the money is returned.
    Won,
    /// Decided against us. No `charge.refunded` follows: the clawback happens now.
    Lost,
    /// Settled before it became a dispute.
    Prevented,
    /// A status this version does not know, appeals among them.
    Unknown,
}

/// A dispute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    /// `dp_...` or `du_...`
    pub id: String,
    /// The disputed amount; it may differ from the charged one.
    pub amount: Money,
    /// The disputed `ch_...`.
    pub charge: Option<ExternalPaymentId>,
    /// The disputed `pi_...`.
    pub payment_intent: Option<ExternalPaymentId>,
    /// The `in_...`, only when the charge or the intent is expanded and names it.
    pub invoice: Option<InvoiceId>,
    /// The status.
    pub status: DisputeStatus,
    /// `fraudulent`, `product_not_received`, ...
    pub reason: Option<String>,
}

impl Dispute {
    pub(crate) fn read(node: &Node<'_>) -> Result<Self, BadField> {
        let currency = node.need_currency()?;
        Ok(Self {
            id: own_id(node)?,
            amount: node.need_money("amount", currency)?,
            charge: node.id(&["charge"])?,
            payment_intent: node.id(&["payment_intent", "charge.payment_intent"])?,
            invoice: node.id(&["charge.invoice", "payment_intent.invoice"])?,
            status: DisputeStatus::read(node)?,
            reason: node.text("reason")?.map(str::to_owned),
        })
    }
}

/// Reads the dispute's id. One without an id has the name of its charge or payment intent, which then has no other.
fn own_id(node: &Node<'_>) -> Result<String, BadField> {
    node.id(&["id", "charge", "payment_intent"])?.ok_or_else(|| node.bad("id"))
}

impl DisputeStatus {
    /// True for an inquiry: no money is withdrawn, so nothing is clawed back.
    pub const fn is_inquiry(self) -> bool {
        matches!(self, Self::WarningNeedsResponse | Self::WarningUnderReview | Self::WarningClosed)
    }

    fn read(node: &Node<'_>) -> Result<Self, BadField> {
        Ok(match node.text("status")? {
            Some("warning_needs_response") => Self::WarningNeedsResponse,
            Some("warning_under_review") => Self::WarningUnderReview,
            Some("warning_closed") => Self::WarningClosed,
            Some("needs_response") => Self::NeedsResponse,
            Some("under_review") => Self::UnderReview,
            Some("won") => Self::Won,
            Some("lost") => Self::Lost,
            Some("prevented") => Self::Prevented,
            _ => Self::Unknown,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_a_warning_is_an_inquiry() {
        let check = |text: &str, expected: DisputeStatus, inquiry: bool| {
            let value =
                json!({"id": "dp_A1", "amount": 3900, "currency": "usd", "created": 1, "status": text});
            let status = Dispute::read(&Node::root(&value)).unwrap().status;
            assert_eq!((status, status.is_inquiry()), (expected, inquiry), "{text}");
        };
        check("warning_needs_response", DisputeStatus::WarningNeedsResponse, true);
        check("warning_under_review", DisputeStatus::WarningUnderReview, true);
        check("warning_closed", DisputeStatus::WarningClosed, true);
        check("needs_response", DisputeStatus::NeedsResponse, false);
        check("under_review", DisputeStatus::UnderReview, false);
        check("won", DisputeStatus::Won, false);
        check("lost", DisputeStatus::Lost, false);
        check("prevented", DisputeStatus::Prevented, false);
        check("appeal_needs_response", DisputeStatus::Unknown, false);
    }
}
