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
    /// The purpose's name in digests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Purchase => "purchase",
            Self::Deposit => "deposit",
            Self::Spend => "spend",
        }
    }

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
    /// The amount before discounts; negative for the credit half of a proration, which nets within its payment.
    pub amount: Money,
    /// The number of units.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub quantity: u32,
    /// True when it corrects for a change within a period, so it is a part of a unit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub proration: bool,
    /// What all its units cost to make. Absent: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
}

const fn one() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_one(quantity: &u32) -> bool {
    *quantity == 1
}

impl PaymentLine {
    /// One unit of `product`, whose cost is not known.
    pub const fn unit(product: ProductId, amount: Money) -> Self {
        Self { product, amount, quantity: 1, proration: false, cost: None }
    }
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
    /// What all that was bought costs to make, where the lines do not say it. Absent: not known.
    pub cost: Option<Money>,
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
            cost: None,
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

    /// What `products` of the payment cost to make: the sum of their lines, or else their share of what the whole
    /// payment cost. Nothing when it is not known; it is never taken for zero.
    ///
    /// # Errors
    /// [`MoneyError`] when amounts do not fit or combine.
    pub fn cost_of(&self, products: &[ProductId]) -> Result<Option<Money>, MoneyError> {
        let wanted = |line: &&PaymentLine| products.is_empty() || products.contains(&line.product);
        let costs: Option<Vec<Money>> = self.lines.iter().filter(wanted).map(|line| line.cost).collect();
        match (costs.as_deref(), self.cost) {
            (Some([first, rest @ ..]), _) => {
                rest.iter().try_fold(*first, |sum, cost| sum.checked_add(*cost)).map(Some)
            }
            (_, None) => Ok(None),
            (_, Some(whole)) if products.is_empty() => Ok(Some(whole)),
            (_, Some(whole)) => {
                let net = self.net()?;
                if !net.is_positive() {
                    return Ok(Some(whole));
                }
                Ok(Some(whole.checked_share(self.net_of(products)?.minor(), net.minor())?))
            }
        }
    }
}
