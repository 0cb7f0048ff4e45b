//! Recording of settled payments. Each payment is recorded once, together with its commissions.

use guerdon_domain::{
    payments::{Order, PaymentFacts, PaymentRecord, Reversals},
    programs::{Decision, Program},
    time::Timestamp,
};
use guerdon_store::table::{METRICS, metered};

use super::deciding::{Deciding, Refused, decision_writes};
use crate::{
    context::App,
    error::{AppError, refusal},
    once::Once,
    programs::program_at,
    settings::settings_at,
};

/// The result of recording a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// The payment was recorded by this call.
    Applied(PaymentRecord),
    /// The payment was recorded before. Contains the earlier decision.
    AlreadyApplied(PaymentRecord),
}

impl Recorded {
    /// Returns the recorded payment.
    pub const fn record(&self) -> &PaymentRecord {
        match self {
            Self::Applied(record) | Self::AlreadyApplied(record) => record,
        }
    }
}

/// Additional writes in the payment's transaction.
#[derive(Default, Clone, Copy)]
pub(crate) struct Along<'a> {
    /// The answer and the audit line of the call.
    pub(crate) once: Option<&'a Once>,
    /// The paid order, in its new state.
    pub(crate) order: Option<&'a Order>,
    /// True when the payment is recorded only if it converts the referral; else the call ends in a conflict.
    pub(crate) must_convert: bool,
}

/// Records a payment and books its commissions. One transaction writes the payment and one commission per
/// level. It writes no item that another member's payment writes. Of the member's shared items it writes only
/// the referral's counts, when a rule counts payments. The key of the first commission guarantees that only
/// one payment converts the referral. The stream updates the referral a moment later.
pub async fn record_payment(app: &App, facts: &PaymentFacts) -> Result<Recorded, AppError> {
    record_along(app, facts, Along::default()).await
}

/// Like [`record_payment`], also commits the answer and the audit line of the call.
pub(crate) async fn record_once(app: &App, facts: &PaymentFacts, once: &Once) -> Result<Recorded, AppError> {
    record_along(app, facts, Along { once: Some(once), ..Along::default() }).await
}

/// Like [`record_payment`], also commits the writes in `along`.
pub(crate) async fn record_along(
    app: &App,
    facts: &PaymentFacts,
    along: Along<'_>,
) -> Result<Recorded, AppError> {
    metered("record_payment", async {
        // A payment whose own amounts do not combine is none, whatever the rules.
        facts.net()?;
        let program = program_at(app, facts.paid_at).await?;
        let facts = &priced(app, facts).await?;
        let mut deciding = Deciding::default();
        loop {
            let (known, payer) = app.store.payments().with_payer(&facts.key, &facts.member).await?;
            if let Some(record) = known {
                return Ok(Recorded::AlreadyApplied(record));
            }
            let (around, decision) = deciding.decide(app, &program, facts, payer.as_ref()).await?;
            if along.must_convert && !decision.converts() {
                return Err(AppError::Conflict);
            }
            let now = app.now();
            let order = along.order.map(|order| order.id.clone());
            let record = PaymentRecord { order, ..record_of(app, &program, facts, &decision, now) };
            let mut writes = vec![app.store.payments().insert(&record, Refused::PaymentMoved)?];
            writes.extend(decision_writes(app, &record, around.referral.as_ref(), decision, now)?);
            if let Some(once) = along.once {
                writes.extend(once.fragments(app, Refused::RequestAnswered)?);
            }
            if let Some(order) = along.order {
                writes.push(app.store.orders().replace(order, Refused::PaymentMoved)?);
            }
            match refusal(app.store.commit(&writes).await)? {
                None => {
                    tracing::info!(target: METRICS, payments = 1, commissions = record.grants().count());
                    return Ok(Recorded::Applied(record));
                }
                Some(refused) => deciding.learn(app, refused).await?,
            }
        }
    })
    .await
}

/// Fills in what was bought costs to make, at the costs and prices of the payment's time, where the rail does not say it.
pub(crate) async fn priced(app: &App, facts: &PaymentFacts) -> Result<PaymentFacts, AppError> {
    let mut facts = facts.clone();
    settings_at(app, facts.paid_at).await?.preset.price(&mut facts);
    Ok(facts)
}

fn record_of(
    app: &App,
    program: &Program,
    facts: &PaymentFacts,
    decision: &Decision,
    now: Timestamp,
) -> PaymentRecord {
    PaymentRecord {
        payment: facts.key.clone(),
        member: facts.member.clone(),
        purpose: facts.purpose,
        paid: facts.paid,
        presented: facts.presented,
        account: program.convert(facts.paid, app.preset.currency),
        tax: facts.tax,
        tier: facts.tier,
        // A cost that cannot be added up is not known.
        cost: facts.cost_of(&[]).unwrap_or_default(),
        lines: facts.lines.clone(),
        paid_at: facts.paid_at,
        known_at: facts.known_at,
        recorded_at: now,
        program_version: program.version,
        trace: decision.trace.clone(),
        decisions: 0,
        reversals: Reversals::default(),
        order: None,
        correlation_id: None,
    }
}
