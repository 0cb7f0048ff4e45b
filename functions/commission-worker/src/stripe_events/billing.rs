//! What an event says about the customer that is billed.

use guerdon_domain::bill_credit::{BillingReport, SubscriptionState};
use guerdon_stripe::{
    checkout::{CheckoutMode, PaymentStatus},
    event::{EventObject, StripeEvent},
    subscription::SubscriptionStatus,
};

/// Reads the reports of an event about its customer's bills.
pub(super) fn reports(event: &StripeEvent) -> Vec<BillingReport> {
    let at = event.created;
    let live = |subscription: &Option<String>| {
        let subscription = subscription.clone()?;
        Some(BillingReport::Subscribed { subscription, state: SubscriptionState::Live, at })
    };
    match &event.object {
        EventObject::Invoice(invoice) => {
            let billed = BillingReport::Billed { at };
            // A bill shows that the subscription lives, also where its own event came before the customer was linked.
            let subscribed = live(&invoice.subscription).filter(|_| event.kind == "invoice.paid");
            [Some(billed), subscribed].into_iter().flatten().collect()
        }
        EventObject::Checkout(session) if session.mode == CheckoutMode::Subscription => {
            let settled = session.payment_status != PaymentStatus::Unpaid;
            live(&session.subscription).filter(|_| settled).into_iter().collect()
        }
        EventObject::Subscription(subscription) => {
            let state = match subscription.status {
                _ if event.kind == "customer.subscription.deleted" => SubscriptionState::Ended,
                SubscriptionStatus::Canceled | SubscriptionStatus::IncompleteExpired => {
                    SubscriptionState::Ended
                }
                SubscriptionStatus::Active | SubscriptionStatus::Trialing | SubscriptionStatus::PastDue => {
                    SubscriptionState::Live
                }
                _ => SubscriptionState::Dormant,
            };
            vec![BillingReport::Subscribed { subscription: subscription.id.clone(), state, at }]
        }
        EventObject::Customer(customer) if customer.deleted => vec![BillingReport::Deleted],
        _ => Vec::new(),
    }
}
