//! Invoices in `invoice.*` events. Changes in `basil` (2025-03-31): the subscription moved under `parent`, a
//! line's kind under its own `parent`, its price under `pricing`, and `payment_intent`, `charge` and `paid`
//! were replaced by `payments` (<https://docs.stripe.com/changelog/basil>).

use guerdon_domain::{
    ids::{CustomerId, ExternalPaymentId, InvoiceId, TelegramId},
    money::{Currency, Money},
    time::Timestamp,
};

use crate::wire::{BadField, Node, member_hint};

/// The status of an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvoiceStatus {
    /// May still change; nothing is due yet.
    Draft,
    /// Finalized, awaiting payment.
    Open,
    /// Settled: by money, by customer credit, or marked as settled by staff.
    Paid,
    /// Cancelled; the credit that it had used is returned.
    Void,
    /// Written off.
    Uncollectible,
    /// A status this version does not know.
    Unknown,
}

/// The reason why an invoice was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BillingReason {
    /// The first invoice of a subscription. Finalized at once, so it is never seen as a draft.
    SubscriptionCreate,
    /// A renewal.
    SubscriptionCycle,
    /// A change of plan within a period; has proration lines.
    SubscriptionUpdate,
    /// Made by hand or through the API.
    Manual,
    /// Quotes, thresholds and all other reasons.
    Other,
}

/// One line of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceLine {
    /// The amount before discounts; negative on the credit half of a proration.
    pub amount: Money,
    /// The number of units; 1 where Stripe names none.
    pub quantity: u32,
    /// True when it corrects for a change within a period, so it is no purchase of a period.
    pub proration: bool,
    /// True for a period of a subscription, false for a one-off item.
    pub is_subscription: bool,
    /// `price_...`
    pub price: Option<String>,
    /// `prod_...`
    pub product: Option<String>,
    /// Beginning of the period this line pays for. The invoice's own period is the one before.
    pub period_start: Option<Timestamp>,
    /// End of that period.
    pub period_end: Option<Timestamp>,
}

/// An invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// `in_...`
    pub id: InvoiceId,
    /// The customer that is billed.
    pub customer: Option<CustomerId>,
    /// The status. An `invoice.created` may already be paid: never assume a draft.
    pub status: InvoiceStatus,
    /// The reason why it was made.
    pub billing_reason: BillingReason,
    /// Currency of every amount here.
    pub currency: Currency,
    /// The money received. Zero on trials and on invoices that credit covered.
    pub amount_paid: Money,
    /// The amount left to pay after customer credit.
    pub amount_due: Money,
    /// The amount after discounts and taxes, before customer credit.
    pub total: Money,
    /// The amount before discounts and exclusive taxes.
    pub subtotal: Money,
    /// All taxes in `total`, inclusive ones too.
    pub tax: Money,
    /// Customer balance before finalization; negative is credit.
    pub starting_balance: i64,
    /// Customer balance after finalization; none before it.
    pub ending_balance: Option<i64>,
    /// The instant of settlement, since 2019; before, only the event's own time tells it.
    pub paid_at: Option<Timestamp>,
    /// The `sub_...` that it bills.
    pub subscription: Option<String>,
    /// The `pi_...` that settled it. Since `basil` only present when `payments` is expanded; otherwise
    /// [`InvoicePayment`] reports it.
    ///
    /// [`InvoicePayment`]: crate::invoice_payment::InvoicePayment
    pub payment_intent: Option<ExternalPaymentId>,
    /// The `ch_...` that settled it, present under the same conditions.
    pub charge: Option<ExternalPaymentId>,
    /// Its first lines (Stripe sends ten at most).
    pub lines: Vec<InvoiceLine>,
    /// True when it has more lines.
    pub has_more_lines: bool,
    member_hint: Option<TelegramId>,
}

impl Invoice {
    pub(crate) fn read(node: &Node<'_>) -> Result<Self, BadField> {
        let currency = node.need_currency()?;
        let total = node.need_money("total", currency)?;
        let status = InvoiceStatus::read(node)?;
        let paid_at = node.time("status_transitions.paid_at")?;
        let (payment_intent, charge) = settled_with(node)?;
        let lines = node.items("lines")?;
        Ok(Self {
            id: node.own_id()?,
            customer: node.customer()?,
            status,
            billing_reason: BillingReason::read(node)?,
            currency,
            amount_paid: node.need_money("amount_paid", currency)?,
            amount_due: node.need_money("amount_due", currency)?,
            total,
            subtotal: node.int("subtotal")?.map_or(total, |minor| Money::new(minor, currency)),
            tax: tax(node, total)?,
            starting_balance: node.int("starting_balance")?.unwrap_or_default(),
            ending_balance: node.int("ending_balance")?,
            paid_at,
            subscription: node.id(&["parent.subscription_details.subscription", "subscription"])?,
            payment_intent,
            charge,
            has_more_lines: node.flag("lines.has_more")?,
            member_hint: merged_member_hint(node, &lines),
            lines: lines.iter().map(|line| InvoiceLine::read(line, currency)).collect::<Result<_, _>>()?,
        })
    }

    /// The member named by the metadata of the invoice, of its subscription, or of a line, in this order.
    pub const fn member_hint(&self) -> Option<TelegramId> {
        self.member_hint
    }

    /// The customer credit that this invoice used. Zero while it is a draft: the balance is applied at
    /// finalization (<https://docs.stripe.com/billing/customer/balance>).
    ///
    /// Only the credit side of the balance counts: an invoice below the minimum charge moves its amount onto
    /// the balance as a debit (`invoice_too_small`), which uses no credit.
    pub fn credit_applied(&self) -> Money {
        let consumed = match (self.status, self.ending_balance) {
            (InvoiceStatus::Draft, _) | (_, None) => 0,
            (_, Some(ending)) => ending.min(0).saturating_sub(self.starting_balance.min(0)).max(0),
        };
        Money::new(consumed, self.currency)
    }

    /// The price of the tier that this invoice is for: its largest subscription line that is not a proration,
    /// before discounts. Without such a line, the paid amount.
    pub fn tier_amount(&self) -> Money {
        let periods = self.lines.iter().filter(|line| line.is_subscription && !line.proration);
        let largest = periods.map(|line| line.amount).filter(|amount| amount.currency() == self.currency);
        largest.max_by_key(|amount| amount.minor()).unwrap_or(self.amount_paid)
    }

    /// The amount of the lines that the event does not show, if there are any.
    pub fn unlisted(&self) -> Option<Money> {
        let listed =
            self.lines.iter().try_fold(Money::zero(self.currency), |sum, line| sum.checked_add(line.amount));
        self.has_more_lines.then(|| self.subtotal.checked_sub(listed.ok()?).ok()).flatten()
    }

    /// The tax within `amount_paid`. If credit paid a part, it paid the same part of the tax.
    pub fn tax_paid(&self) -> Money {
        if !self.amount_paid.is_positive() {
            return Money::zero(self.currency);
        }
        if self.amount_paid.minor() >= self.total.minor() {
            return self.tax;
        }
        let share = self.tax.checked_share(self.amount_paid.minor(), self.total.minor());
        share.unwrap_or(Money::zero(self.currency))
    }
}

impl InvoiceStatus {
    fn read(node: &Node<'_>) -> Result<Self, BadField> {
        Ok(match node.text("status")? {
            Some("draft") => Self::Draft,
            Some("open") => Self::Open,
            Some("paid") => Self::Paid,
            Some("void") => Self::Void,
            Some("uncollectible") => Self::Uncollectible,
            // Before 2018-11-08 there was only this flag.
            None if node.flag("paid")? => Self::Paid,
            _ => Self::Unknown,
        })
    }
}

impl BillingReason {
    fn read(node: &Node<'_>) -> Result<Self, BadField> {
        Ok(match node.text("billing_reason")? {
            Some("subscription_create") => Self::SubscriptionCreate,
            Some("subscription_cycle") => Self::SubscriptionCycle,
            Some("subscription_update") => Self::SubscriptionUpdate,
            Some("manual") => Self::Manual,
            _ => Self::Other,
        })
    }
}

impl InvoiceLine {
    fn read(node: &Node<'_>, invoice_currency: Currency) -> Result<Self, BadField> {
        let currency = node.currency()?.unwrap_or(invoice_currency);
        let kind = node.text("parent.type")?.or(node.text("type")?);
        Ok(Self {
            amount: node.need_money("amount", currency)?,
            quantity: node.int("quantity")?.and_then(|units| u32::try_from(units).ok()).unwrap_or(1),
            proration: node.flag("proration")?
                || node.flag("parent.subscription_item_details.proration")?
                || node.flag("parent.invoice_item_details.proration")?,
            is_subscription: matches!(kind, Some("subscription_item_details" | "subscription")),
            price: node.id(&["pricing.price_details.price", "price", "plan"])?,
            product: node.id(&["pricing.price_details.product", "price.product", "plan.product"])?,
            period_start: node.time("period.start")?,
            period_end: node.time("period.end")?,
        })
    }
}

/// Reads `tax` until `acacia`; then only lists, `total_tax_amounts` and, since `basil`, `total_taxes`.
fn tax(node: &Node<'_>, total: Money) -> Result<Money, BadField> {
    if let Some(minor) = node.int("tax")? {
        return Ok(Money::new(minor, total.currency()));
    }
    for list in ["total_taxes", "total_tax_amounts"] {
        if node.has(list) {
            let zero = Money::zero(total.currency());
            return node.items(list)?.iter().try_fold(zero, |sum, tax| {
                let amount = tax.need_money("amount", total.currency())?;
                sum.checked_add(amount).map_err(|_| tax.bad("amount"))
            });
        }
    }
    let without_tax = node.int("total_excluding_tax")?.unwrap_or(total.minor());
    let without_tax = Money::new(without_tax, total.currency());
    total.checked_sub(without_tax).map_err(|_| node.bad("total_excluding_tax"))
}

type Settlement = (Option<ExternalPaymentId>, Option<ExternalPaymentId>);

/// The payment intent and the charge: the invoice's own fields, or else the paid one of `payments`.
fn settled_with(node: &Node<'_>) -> Result<Settlement, BadField> {
    let mut payment_intent = node.id(&["payment_intent"])?;
    let mut charge = node.id(&["charge", "payment_intent.latest_charge"])?;
    let payments = node.items("payments")?;
    let is_paid = |payment: &&Node<'_>| matches!(payment.text("status"), Ok(Some("paid")));
    if let Some(payment) = payments.iter().find(is_paid).or(payments.first()) {
        payment_intent = payment_intent.or(payment.id(&["payment.payment_intent"])?);
        charge = charge.or(payment.id(&["payment.charge", "payment.payment_intent.latest_charge"])?);
    }
    Ok((payment_intent, charge))
}

fn merged_member_hint(node: &Node<'_>, lines: &[Node<'_>]) -> Option<TelegramId> {
    // `subscription_details` was at the top level in 2023 and 2024.
    let places = ["metadata", "parent.subscription_details.metadata", "subscription_details.metadata"];
    let own = places.iter().filter_map(|path| node.metadata(path));
    let metadata: Vec<_> = own.chain(lines.iter().filter_map(|line| line.metadata("metadata"))).collect();
    member_hint(&metadata)
}

#[cfg(test)]
mod tests;
