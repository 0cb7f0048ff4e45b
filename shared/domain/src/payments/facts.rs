//! The facts of a payment, in the same form for every rail.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{MemberId, PaymentKey, ProductId},
    money::{Money, MoneyError},
    time::Timestamp,
};

/// The purpose of a payment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Something bought with money that was paid to us.
    #[default]
    Purchase,
    /// Money put into the member's wallet.
    Deposit,
    /// Something bought from the member's wallet.
    Spend,
}

impl Purpose {
    /// True for the default, which is not stored.
    pub fn is_purchase(&self) -> bool {
        *self == Self::Purchase
    }
}

/// One product's part of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentLine {
    /// The product, by our id or by the provider's.
    pub product: ProductId,
    /// The amount; negative for the credit half of a proration, which nets within its payment.
    pub amount: Money,
}

/// The facts of a payment, in the same form for every rail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentFacts {
    /// The natural key.
    pub key: PaymentKey,
    /// The payer.
    pub member: MemberId,
    /// The purpose.
    pub purpose: Purpose,
    /// Money that really settled, tax included. Zero for trials and invoices covered by credit.
    pub paid: Money,
    /// The same amount as the payer saw it, where that was in another currency. Its refunds are in that one.
    pub presented: Option<Money>,
    /// Tax within `paid`.
    pub tax: Money,
    /// List price of the tier that was paid for.
    pub tier: Money,
    /// The products that were bought, if the rail reports them.
    pub lines: Vec<PaymentLine>,
    /// The cost of making the product, for rules that share profit; zero if unknown.
    pub cost: Money,
    /// The instant of settlement, by the provider's clock.
    pub paid_at: Timestamp,
    /// The instant at which we first knew of it, by our own clock.
    pub known_at: Timestamp,
}

impl PaymentFacts {
    /// Makes a purchase of one thing at its list price, without tax, known at the moment it settled.
    pub const fn purchase(key: PaymentKey, member: MemberId, paid: Money, at: Timestamp) -> Self {
        Self {
            key,
            member,
            purpose: Purpose::Purchase,
            paid,
            presented: None,
            tax: Money::zero(paid.currency()),
            tier: paid,
            lines: Vec::new(),
            cost: Money::zero(paid.currency()),
            paid_at: at,
            known_at: at,
        }
    }

    /// The amount that settled, net of tax. Every share is a share of this. It is between zero and `paid`: an invoice
    /// that credits the customer has a negative tax, which is no money that settled.
    ///
    /// # Errors
    /// [`MoneyError`] when the tax is in another currency.
    pub fn net(&self) -> Result<Money, MoneyError> {
        let net = self.paid.checked_sub(self.tax)?;
        Ok(Money::new(net.minor().min(self.paid.minor()).max(0), net.currency()))
    }

    /// The part of the net payment that was paid for `products`. Lines net within the payment, so an upgrade
    /// counts with the difference; a discount or credit is taken off all lines in proportion. A net below
    /// zero stays on the customer's balance at the provider, which lowers their next payment.
    ///
    /// # Errors
    /// [`MoneyError`] when amounts do not fit or combine.
    pub fn net_of(&self, products: &[ProductId]) -> Result<Money, MoneyError> {
        let net = self.net()?;
        if products.is_empty() {
            return Ok(net);
        }
        let zero = Money::zero(net.currency());
        let add = |sum: Money, line: &PaymentLine| sum.checked_add(line.amount);
        let all = self.lines.iter().try_fold(zero, add)?;
        let wanted = |line: &&PaymentLine| products.contains(&line.product);
        let matching = self.lines.iter().filter(wanted).try_fold(zero, add)?;
        if !matching.is_positive() || !net.is_positive() {
            return Ok(zero);
        }
        if matching.minor() >= all.minor() {
            return Ok(net);
        }
        net.checked_share(matching.minor(), all.minor())
    }
}
