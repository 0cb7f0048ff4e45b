//! The refunds of those whom a member brought, counted again from the items.

use std::{collections::BTreeMap, sync::Arc};

use guerdon_app::{context::App, fraud::refunds_of, settings::set_setting};
use guerdon_domain::{
    ids::{MemberId, Rail},
    payments::PaymentRecord,
};
use guerdon_store::table::Store;

use crate::{clock::VirtualClock, items::Items, world::World};

/// The most referees and the most payments of one of which all are counted.
const MOST: usize = 100;

/// Lets the fraud rules record and do nothing. Else a world with many refunds would hold commissions for ever.
#[expect(clippy::expect_used, reason = "a table that works")]
pub async fn watch_only(world: &World, calm: Store) {
    let app = world.elsewhere(calm, Arc::new(VirtualClock));
    let set = set_setting(&app, &"worlds".into(), "fraud.shadow", "true", None).await;
    set.expect("the setting is set");
}

/// Compares what the rule counts with the items: each payment of a referee once, and those undone to at least their half.
pub async fn check(app: &App, items: &Items) -> Result<(), String> {
    let mut expected: BTreeMap<&MemberId, (u64, u64)> = BTreeMap::new();
    let mut referees: BTreeMap<&MemberId, usize> = BTreeMap::new();
    for referral in &items.referrals {
        *referees.entry(&referral.referrer).or_default() += 1;
        let of = |paid: &&PaymentRecord| {
            // An intent counts with the invoice that it paid.
            paid.member == referral.referee
                && paid.paid_at.seconds() >= referral.joined_at.seconds()
                && !paid.payment.is_payment_intent()
        };
        let counts = expected.entry(&referral.referrer).or_default();
        for paid in items.payments.iter().filter(of).filter(|paid| paid.payment.rail != Rail::Manual) {
            let undone = paid.reversals.undone(paid.paid).minor();
            *counts = (counts.0 + 1, counts.1 + u64::from(undone > 0 && 2 * undone >= paid.paid.minor()));
        }
    }
    for (referrer, expected) in expected {
        if referees.get(referrer).is_some_and(|all| *all > MOST) || items.payments.len() > MOST {
            continue;
        }
        let counted = refunds_of(app, referrer).await.map_err(|error| error.to_string())?;
        if counted != expected {
            return Err(format!("{referrer}: the refund rate is of {counted:?}, there is {expected:?}"));
        }
    }
    Ok(())
}
