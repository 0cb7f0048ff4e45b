//! The projector. It updates counters, rankings, lists and the sweep's markers from the table's change
//! stream.
//!
//! This module only dispatches a change to its concern. Each concern has its own file, which adds the effects
//! of a change to the batch's [`Plan`].
mod commissions;
mod lines;
mod members;
mod orders;
mod payments;
mod plan;
mod rankings;
mod referrals;
mod wallets;
mod withdrawals;

use guerdon_store::{
    changes::{Change, Stored},
    table::metered,
};

use crate::{context::App, error::AppError};

use plan::Plan;

pub(crate) use members::searchable;

/// Types of items whose changes are projected. The trigger's filter passes only these types.
pub const PROJECTED: [&str; 11] = [
    "member",
    "code",
    "click",
    "referral",
    "order",
    "payment",
    "failed_payment",
    "commission",
    "entry",
    "rank",
    "withdrawal",
];

/// Projects a batch of a shard's changes, each exactly once.
///
/// # Errors
/// [`AppError`] when the table fails. The batch must then be delivered again.
pub async fn project(app: &App, shard: &str, changes: &[Change]) -> Result<(), AppError> {
    metered("project", async {
        let mut plan = Plan::new(app.now());
        for change in changes {
            take(&mut plan, change);
        }
        plan.carry_out(app, shard).await
    })
    .await
}

/// A change of one record, with its old and its new state.
struct Changed<'a, T> {
    /// The sequence number, which orders the changes of a shard.
    sequence: &'a str,
    before: Option<&'a T>,
    after: Option<&'a T>,
}

macro_rules! changed {
    ($change:expr, $kind:ident) => {
        Changed {
            sequence: &$change.sequence,
            before: match &$change.before {
                Some(Stored::$kind(record)) => Some(&**record),
                _ => None,
            },
            after: match &$change.after {
                Some(Stored::$kind(record)) => Some(&**record),
                _ => None,
            },
        }
    };
}

fn take(plan: &mut Plan, change: &Change) {
    let Some(record) = change.after.as_ref().or(change.before.as_ref()) else { return };
    match record {
        Stored::Member(_) => members::changed(plan, &changed!(change, Member)),
        Stored::Referral(_) => referrals::changed(plan, &changed!(change, Referral)),
        Stored::Code(_) => referrals::code_changed(plan, &changed!(change, Code)),
        Stored::Click(_) => referrals::clicked(plan, &changed!(change, Click)),
        Stored::Order(_) => orders::changed(plan, &changed!(change, Order)),
        Stored::Payment(_) => payments::changed(plan, &changed!(change, Payment)),
        Stored::FailedPayment(_) => payments::failed(plan, &changed!(change, FailedPayment)),
        Stored::Commission(_) => commissions::changed(plan, &changed!(change, Commission)),
        Stored::Entry(_) => wallets::changed(plan, &changed!(change, Entry)),
        Stored::Withdrawal(_) => withdrawals::changed(plan, &changed!(change, Withdrawal)),
        Stored::Rank { .. } => rankings::changed(plan, change),
        Stored::Customer(_)
        | Stored::Customers(_)
        | Stored::Posting(_)
        | Stored::InvoiceCredit(_)
        | Stored::Parked(_)
        | Stored::Other => {}
    }
}
