//! Names of payments at Stripe.

use guerdon_domain::ids::{ExternalPaymentId, PaymentKey, Rail};

pub(super) const fn stripe_key(id: ExternalPaymentId) -> PaymentKey {
    PaymentKey { rail: Rail::Stripe, id }
}
