//! Checkout sessions in `checkout.session.*` events.

use guerdon_domain::{
    ids::{CustomerId, ExternalPaymentId, InvoiceId, TelegramId},
    money::{Currency, Money},
};

use crate::wire::{BadField, Node};

/// The mode of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckoutMode {
    /// A one-off purchase. The session itself is the payment.
    Payment,
    /// The start of a subscription. The payment is its first invoice, which has events of its own.
    Subscription,
    /// Setup of a payment method for later: no money moves.
    Setup,
    /// A mode this version does not know.
    Unknown,
}

/// The status of the money. A completed session may still be unpaid: BLIK, SEPA and bank debits settle later
/// (<https://docs.stripe.com/checkout/fulfillment>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentStatus {
    /// The money was received.
    Paid,
    /// Not received yet: wait for `checkout.session.async_payment_succeeded`.
    Unpaid,
    /// No money is due: a trial, a full discount, or setup.
    NoPaymentRequired,
    /// A status this version does not know.
    Unknown,
}

/// A checkout session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutSession {
    /// `cs_...`: the natural key of a one-off payment.
    pub id: ExternalPaymentId,
    /// The mode.
    pub mode: CheckoutMode,
    /// The status of the money.
    pub payment_status: PaymentStatus,
    /// The customer; none for guests.
    pub customer: Option<CustomerId>,
    /// Our own reference. A text that looks like an e-mail address is not kept.
    pub client_reference_id: Option<String>,
    /// The total after discounts, taxes and shipping, in the currency of the business. None in setup mode.
    pub amount_total: Option<Money>,
    /// The total as the payer saw it, where that was in another currency (Adaptive Pricing until 2025-03-30:
    /// <https://docs.stripe.com/changelog/basil/2025-03-31/add_presentment_details>). Its refunds are in that currency.
    pub presented: Option<Money>,
    /// The taxes in `amount_total`, inclusive ones too; zero if the session has no figure.
    pub amount_tax: Option<Money>,
    /// The `pi_...`; none before completion and in other modes.
    pub payment_intent: Option<ExternalPaymentId>,
    /// The `sub_...`, in subscription mode.
    pub subscription: Option<String>,
    /// The `in_...`, if the session made an invoice.
    pub invoice: Option<InvoiceId>,
    member_hint: Option<TelegramId>,
}

impl CheckoutSession {
    pub(crate) fn read(node: &Node<'_>) -> Result<Self, BadField> {
        let reference = node.text("client_reference_id")?.filter(|text| !text.is_empty());
        let Totals { total: amount_total, tax: amount_tax, presented } = Totals::read(node)?;
        Ok(Self {
            id: node.own_id()?,
            mode: CheckoutMode::read(node)?,
            payment_status: PaymentStatus::read(node)?,
            customer: node.customer()?,
            client_reference_id: reference.filter(|text| !text.contains('@')).map(str::to_owned),
            amount_total,
            presented,
            amount_tax,
            payment_intent: node.id(&["payment_intent"])?,
            subscription: node.id(&["subscription"])?,
            invoice: node.id(&["invoice"])?,
            member_hint: reference
                .and_then(|text| TelegramId::parse(text).ok())
                .or_else(|| node.member_hint(&["metadata"])),
        })
    }

    /// The member: `client_reference_id` when it is a Telegram id, else the metadata's `telegram_id`, else
    /// its `user_id`.
    pub const fn member_hint(&self) -> Option<TelegramId> {
        self.member_hint
    }
}

/// The sums of a session.
struct Totals {
    total: Option<Money>,
    tax: Option<Money>,
    presented: Option<Money>,
}

impl Totals {
    /// Reads the sums in the currency of the business. With `currency_conversion` the session's own are the payer's,
    /// and only the total is told in both currencies: the tax is converted at the same rate.
    fn read(node: &Node<'_>) -> Result<Self, BadField> {
        let Some(total) = node.int("amount_total")? else {
            return Ok(Self { total: None, tax: None, presented: None });
        };
        let total = Money::new(total, node.need_currency()?);
        let tax = Money::new(node.int("total_details.amount_tax")?.unwrap_or(0), total.currency());
        let Some(source) = node.text("currency_conversion.source_currency")? else {
            return Ok(Self { total: Some(total), tax: Some(tax), presented: None });
        };
        let source = Currency::parse(source).map_err(|_| node.bad("currency_conversion.source_currency"))?;
        let booked = node.need_money("currency_conversion.amount_total", source)?;
        let converted = Money::new(tax.minor(), source).checked_share(booked.minor(), total.minor());
        let tax = if tax.is_zero() { Ok(Money::zero(source)) } else { converted };
        let tax = tax.map_err(|_| node.bad("total_details.amount_tax"))?;
        Ok(Self { total: Some(booked), tax: Some(tax), presented: Some(total) })
    }
}

impl CheckoutMode {
    fn read(node: &Node<'_>) -> Result<Self, BadField> {
        Ok(match node.text("mode")? {
            Some("payment") => Self::Payment,
            Some("subscription") => Self::Subscription,
            Some("setup") => Self::Setup,
            _ => Self::Unknown,
        })
    }
}

impl PaymentStatus {
    fn read(node: &Node<'_>) -> Result<Self, BadField> {
        Ok(match node.text("payment_status")? {
            Some("paid") => Self::Paid,
            Some("unpaid") => Self::Unpaid,
            Some("no_payment_required") => Self::NoPaymentRequired,
            _ => Self::Unknown,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn session(fields: Value) -> Result<CheckoutSession, BadField> {
        let mut value = json!({"id": "cs_A1", "mode": "payment", "payment_status": "paid", "created": 1,
            "amount_total": 1999, "currency": "usd"});
        value.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        CheckoutSession::read(&Node::root(&value))
    }

    #[test]
    fn finds_the_member() {
        let check = |fields: Value, reference: Option<&str>, member: Option<i64>| {
            let session = session(fields).unwrap();
            assert_eq!(session.client_reference_id.as_deref(), reference);
            assert_eq!(session.member_hint().map(TelegramId::get), member);
        };
        let metadata = json!({"telegram_id": "2", "user_id": "3"});
        check(json!({"client_reference_id": "1", "metadata": metadata}), Some("1"), Some(1));
        check(json!({"client_reference_id": "top-up-9", "metadata": metadata}), Some("top-up-9"), Some(2));
        check(json!({"client_reference_id": null, "metadata": {"user_id": "3"}}), None, Some(3));
        check(json!({"client_reference_id": "alice@example.com"}), None, None);
        check(json!({}), None, None);
    }

    #[test]
    fn reads_the_states_and_the_amount() {
        let free = json!({"mode": "setup", "payment_status": "no_payment_required", "amount_total": null,
            "currency": null});
        for (fields, mode, status, amount) in [
            (json!({}), CheckoutMode::Payment, PaymentStatus::Paid, Some(1999)),
            (
                json!({"mode": "subscription", "payment_status": "unpaid"}),
                CheckoutMode::Subscription,
                PaymentStatus::Unpaid,
                Some(1999),
            ),
            (free, CheckoutMode::Setup, PaymentStatus::NoPaymentRequired, None),
            (
                json!({"mode": "new", "payment_status": "new"}),
                CheckoutMode::Unknown,
                PaymentStatus::Unknown,
                Some(1999),
            ),
        ] {
            let session = session(fields).unwrap();
            assert_eq!((session.mode, session.payment_status), (mode, status));
            assert_eq!(session.amount_total.map(Money::minor), amount);
        }
        assert_eq!(session(json!({"currency": null})).unwrap_err().path, "currency");
    }
}
