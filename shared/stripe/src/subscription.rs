//! Subscriptions in `customer.subscription.*` events. In `basil` the current period moved from the
//! subscription to its items
//! (<https://docs.stripe.com/changelog/basil/2025-03-31/deprecate-subscription-current-period-start-and-end>).

use guerdon_domain::{
    ids::{CustomerId, TelegramId},
    time::Timestamp,
};

use crate::wire::{BadField, Node};

/// The status of a subscription
/// (<https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionStatus {
    /// The first payment was not received yet.
    Incomplete,
    /// The first payment was not received in time: final.
    IncompleteExpired,
    /// In a trial.
    Trialing,
    /// Active and paid.
    Active,
    /// A renewal failed and is being retried.
    PastDue,
    /// Ended: final.
    Canceled,
    /// No more retries; invoices are only drafted.
    Unpaid,
    /// A trial ended without a payment method.
    Paused,
    /// A status this version does not know.
    Unknown,
}

/// A billing period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first instant of the period.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// `sub_...`
    pub id: String,
    /// The customer.
    pub customer: Option<CustomerId>,
    /// The status.
    pub status: SubscriptionStatus,
    /// The current period. With items of different intervals, the one that ends first.
    pub current_period: Option<Period>,
    /// The instant at which it ends without a renewal; the end of the period if Stripe gives no instant.
    pub cancel_at: Option<Timestamp>,
    /// The price of each item, `price_...`.
    pub prices: Vec<String>,
    member_hint: Option<TelegramId>,
}

impl Subscription {
    pub(crate) fn read(node: &Node<'_>) -> Result<Self, BadField> {
        let items = node.items("items")?;
        let current_period = current_period(node, &items)?;
        // The portal sets the flag, newer versions the instant: both mean that there is no renewal.
        let cancel_at = match (node.time("cancel_at")?, node.flag("cancel_at_period_end")?) {
            (None, true) => current_period.map(|period| period.end),
            (moment, _) => moment,
        };
        let prices = items.iter().map(|item| item.id(&["price", "plan"])).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            id: node.own_id()?,
            customer: node.customer()?,
            status: SubscriptionStatus::read(node)?,
            current_period,
            cancel_at,
            prices: prices.into_iter().flatten().collect(),
            member_hint: node.member_hint(&["metadata"]),
        })
    }

    /// The member named by the metadata.
    pub const fn member_hint(&self) -> Option<TelegramId> {
        self.member_hint
    }
}

impl SubscriptionStatus {
    fn read(node: &Node<'_>) -> Result<Self, BadField> {
        Ok(match node.text("status")? {
            Some("incomplete") => Self::Incomplete,
            Some("incomplete_expired") => Self::IncompleteExpired,
            Some("trialing") => Self::Trialing,
            Some("active") => Self::Active,
            Some("past_due") => Self::PastDue,
            Some("canceled") => Self::Canceled,
            Some("unpaid") => Self::Unpaid,
            Some("paused") => Self::Paused,
            _ => Self::Unknown,
        })
    }
}

fn current_period(node: &Node<'_>, items: &[Node<'_>]) -> Result<Option<Period>, BadField> {
    let holders = std::iter::once(node).chain(items);
    let periods = holders.map(|holder| {
        let bounds = (holder.time("current_period_start")?, holder.time("current_period_end")?);
        Ok(if let (Some(start), Some(end)) = bounds { Some(Period { start, end }) } else { None })
    });
    let periods = periods.collect::<Result<Vec<_>, _>>()?;
    Ok(periods.into_iter().flatten().min_by_key(|period| period.end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(mut fields: Value) -> Subscription {
        fields["id"] = json!("sub_A1");
        Subscription::read(&Node::root(&fields)).unwrap()
    }

    fn period(start: i64, end: i64) -> Option<Period> {
        Some(Period { start: Timestamp::from_seconds(start), end: Timestamp::from_seconds(end) })
    }

    #[test]
    fn finds_the_period_where_each_version_keeps_it() {
        let check = |fields: Value, expected: Option<Period>| {
            assert_eq!(read(fields.clone()).current_period, expected, "{fields}");
        };
        check(json!({}), None);
        check(json!({"current_period_start": 10, "current_period_end": 20}), period(10, 20));
        let item = |start: i64, end: i64| json!({"current_period_start": start, "current_period_end": end});
        check(json!({"items": {"object": "list", "data": [item(10, 20)]}}), period(10, 20));
        check(json!({"items": {"data": [item(10, 90), item(10, 20)]}}), period(10, 20));
        check(json!({"items": {"data": [{"id": "si_A1"}]}}), None);
    }

    #[test]
    fn a_cancellation_is_a_moment_or_the_end_of_the_period() {
        let check = |fields: Value, expected: Option<i64>| {
            assert_eq!(read(fields.clone()).cancel_at.map(Timestamp::seconds), expected, "{fields}");
        };
        let (start, end) = (10, 20);
        check(json!({"cancel_at_period_end": false, "cancel_at": null}), None);
        check(
            json!({"cancel_at_period_end": true, "current_period_start": start, "current_period_end": end}),
            Some(end),
        );
        check(json!({"cancel_at_period_end": true, "cancel_at": 15}), Some(15));
    }

    #[test]
    fn reads_every_status() {
        let check = |text: &str, expected: SubscriptionStatus| {
            assert_eq!(read(json!({"status": text})).status, expected);
        };
        check("incomplete", SubscriptionStatus::Incomplete);
        check("incomplete_expired", SubscriptionStatus::IncompleteExpired);
        check("trialing", SubscriptionStatus::Trialing);
        check("active", SubscriptionStatus::Active);
        check("past_due", SubscriptionStatus::PastDue);
        check("canceled", SubscriptionStatus::Canceled);
        check("unpaid", SubscriptionStatus::Unpaid);
        check("paused", SubscriptionStatus::Paused);
        check("hibernating", SubscriptionStatus::Unknown);
    }

    #[test]
    fn lists_prices_of_either_shape() {
        let items =
            json!({"items": {"data": [{"price": {"id": "price_A1"}}, {"plan": {"id": "plan_A1"}}, {}]}});
        assert_eq!(read(items).prices, ["price_A1", "plan_A1"]);
    }
}
