//! What a payment says, free of the words of its rail.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{MemberId, PaymentKey},
    money::{Money, MoneyError},
    time::Timestamp,
};

/// What a payment is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Something bought with money that came in.
    #[default]
    Purchase,
    /// Money put into the member's wallet.
    Deposit,
    /// Something bought from the member's wallet.
    Spend,
}

impl Purpose {
    /// The default, which is not stored.
    pub fn is_purchase(&self) -> bool {
        *self == Self::Purchase
    }
}

/// One product's part of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentLine {
    /// The product, by our name for it or by the provider's.
    pub product: String,
    /// Its amount; negative for the credit half of a proration, which nets within its payment.
    pub amount: Money,
}

/// What a payment says, free of its rail's vocabulary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentFacts {
    /// The natural key.
    pub key: PaymentKey,
    /// Who paid.
    pub member: MemberId,
    /// What it is for.
    pub purpose: Purpose,
    /// Money that really settled, tax included. Zero for trials and invoices covered by credit.
    pub paid: Money,
    /// Tax within `paid`.
    pub tax: Money,
    /// List price of the tier that was paid for.
    pub tier: Money,
    /// What was bought, where the rail says so.
    pub lines: Vec<PaymentLine>,
    /// What it costs to make, for rules that share profit; zero where nobody knows.
    pub cost: Money,
    /// When it settled, by the provider's clock.
    pub paid_at: Timestamp,
    /// When we first heard of it, by our own clock.
    pub known_at: Timestamp,
}

impl PaymentFacts {
    /// A purchase of one thing at its list price, without tax, told as it settled.
    pub const fn purchase(key: PaymentKey, member: MemberId, paid: Money, at: Timestamp) -> Self {
        Self {
            key,
            member,
            purpose: Purpose::Purchase,
            paid,
            tax: Money::zero(paid.currency()),
            tier: paid,
            lines: Vec::new(),
            cost: Money::zero(paid.currency()),
            paid_at: at,
            known_at: at,
        }
    }

    /// What settled, net of tax: what every share is a share of.
    ///
    /// # Errors
    /// [`MoneyError`] when the tax is in another currency.
    pub fn net(&self) -> Result<Money, MoneyError> {
        self.paid.checked_sub(self.tax)
    }

    /// The part of the net payment that went to `products`. Lines net within the payment, so an upgrade
    /// counts with the difference; what a discount or credit took off is taken off all lines alike. A net
    /// below zero stays on the customer's balance at the provider, which lowers what they pay next time.
    ///
    /// # Errors
    /// [`MoneyError`] when amounts do not fit or combine.
    pub fn net_of(&self, products: &[String]) -> Result<Money, MoneyError> {
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
