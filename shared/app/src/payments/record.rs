//! Recording of settled payments. Each payment is recorded once, together with its commissions.

use std::collections::BTreeMap;

use guerdon_domain::{
    commissions::{Commission, CommissionState},
    payments::{Order, PaymentFacts, PaymentRecord, Place, Reversals},
    programs::{Decision, Grant, Program, Surroundings},
    referrals::Referral,
    time::Timestamp,
};
use guerdon_store::table::{Fragment, METRICS, metered};

use crate::{
    attempt::Attempts,
    context::App,
    error::{AppError, refusal},
    once::Once,
    programs::{program_at, surroundings},
    settings::settings_now,
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

#[derive(Clone)]
enum Refused {
    PaymentRecorded,
    /// A commission of this payment exists already.
    CommissionBooked,
    /// Another payment of the same member converted the referral or counted towards a rule.
    ReferralMoved,
    /// Another payment used the single commission of this rule.
    RuleSpent(Box<Commission>),
    RequestAnswered,
}

/// Additional writes in the payment's transaction.
#[derive(Default, Clone, Copy)]
pub(crate) struct Along<'a> {
    /// The answer and the audit line of the call.
    pub(crate) once: Option<&'a Once>,
    /// The paid order, in its new state.
    pub(crate) order: Option<&'a Order>,
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
    record_along(app, facts, Along { once: Some(once), order: None }).await
}

/// Like [`record_payment`], also commits the writes in `along`.
pub(crate) async fn record_along(
    app: &App,
    facts: &PaymentFacts,
    along: Along<'_>,
) -> Result<Recorded, AppError> {
    metered("record_payment", async {
        let program = program_at(app, facts.paid_at).await?;
        let facts = &priced(app, facts).await?;
        let (mut attempts, mut spent, mut undone) = (Attempts::default(), Vec::new(), BTreeMap::new());
        loop {
            let (known, payer) = app.store.payments().with_payer(&facts.key, &facts.member).await?;
            if let Some(record) = known {
                return Ok(Recorded::AlreadyApplied(record));
            }
            let around = surroundings(app, payer.as_ref(), &program, facts.paid_at).await?;
            let around = Surroundings { spent: spent.clone(), undone: undone.clone(), ..around };
            let decision = program.decide(facts, &around)?;
            let now = app.now();
            let order = along.order.map(|order| order.id.clone());
            let record = PaymentRecord { order, ..record_of(&program, facts, &decision, now) };
            let mut writes = writes(app, &record, around.referral.as_ref(), decision, now)?;
            if let Some(once) = along.once {
                writes.extend(once.fragments(app, Refused::RequestAnswered)?);
            }
            if let Some(order) = along.order {
                writes.push(app.store.orders().replace(order, Refused::PaymentRecorded)?);
            }
            match refusal(app.store.commit(&writes).await)? {
                None => {
                    tracing::info!(target: METRICS, payments = 1, commissions = record.grants().count());
                    return Ok(Recorded::Applied(record));
                }
                // A concurrent delivery or another payment of this member was first: read again and retry.
                Some(Refused::PaymentRecorded | Refused::ReferralMoved | Refused::RequestAnswered) => {}
                Some(Refused::RuleSpent(wanted)) => {
                    let rule = wanted.snapshot.rule.id.clone();
                    if is_open_again(app, &wanted).await? {
                        let attempt: &mut u32 = undone.entry(rule).or_default();
                        *attempt = attempt.saturating_add(1);
                    } else {
                        spent.push(rule);
                    }
                }
                Some(Refused::CommissionBooked) => {
                    let problem = "a commission exists whose payment does not";
                    return Err(AppError::Corrupt(problem.into()));
                }
            }
            attempts.at_once()?;
        }
    })
    .await
}

/// Adds the cost of the bought plan when the rail reports no cost.
async fn priced(app: &App, facts: &PaymentFacts) -> Result<PaymentFacts, AppError> {
    let mut facts = facts.clone();
    if facts.cost.is_zero() {
        facts.cost = settings_now(app).await?.preset.cost_of(&facts);
    }
    Ok(facts)
}

fn record_of(program: &Program, facts: &PaymentFacts, decision: &Decision, now: Timestamp) -> PaymentRecord {
    let asks_products = program.rules.iter().any(|rule| !rule.products.is_empty());
    PaymentRecord {
        payment: facts.key.clone(),
        member: facts.member.clone(),
        purpose: facts.purpose,
        paid: facts.paid,
        presented: facts.presented,
        tax: facts.tax,
        tier: facts.tier,
        cost: (!facts.cost.is_zero()).then_some(facts.cost),
        lines: if asks_products { facts.lines.clone() } else { Vec::new() },
        paid_at: facts.paid_at,
        known_at: facts.known_at,
        recorded_at: now,
        program_version: program.version,
        trace: decision.trace.clone(),
        reversals: Reversals::default(),
        order: None,
        correlation_id: None,
    }
}

fn writes(
    app: &App,
    record: &PaymentRecord,
    referral: Option<&Referral>,
    decision: Decision,
    now: Timestamp,
) -> Result<Vec<Fragment<Refused>>, AppError> {
    let mut writes = vec![app.store.payments().insert(record, Refused::PaymentRecorded)?];
    if let (Some(referral), Some(progress)) = (referral, &decision.progress)
        && *progress != referral.progress
    {
        writes.push(app.store.referrals().count_progress(referral, progress, Refused::ReferralMoved)?);
    }
    for grant in decision.grants {
        let commission = commission_of(grant, record, now);
        let taken = match commission.place {
            Place::Payment => Refused::CommissionBooked,
            Place::Conversion { .. } => Refused::ReferralMoved,
            Place::Once { .. } => Refused::RuleSpent(Box::new(commission.clone())),
        };
        // The commission before this one may be restored at the same time.
        if let Some(place) = commission.place.previous() {
            let before = Commission { place, ..commission.clone() };
            writes.push(app.store.commissions().still_undone(&before, Refused::ReferralMoved)?);
        }
        writes.push(app.store.commissions().insert(&commission, taken)?);
    }
    Ok(writes)
}

/// Returns whether the commission in the place of `wanted` left it, because its payment was undone as a whole.
async fn is_open_again(app: &App, wanted: &Commission) -> Result<bool, AppError> {
    let taken = app.store.commissions().in_place_of(wanted).await?;
    Ok(taken.is_some_and(|taken| taken.is_undone()) && settings_now(app).await?.undone_reopens)
}

fn commission_of(grant: Grant, record: &PaymentRecord, now: Timestamp) -> Commission {
    Commission {
        id: grant.commission,
        beneficiary: grant.beneficiary,
        referee: record.member.clone(),
        payment: record.payment.clone(),
        amount: grant.amount,
        base: grant.base,
        paid: record.paid,
        place: grant.place,
        snapshot: grant.snapshot,
        paid_at: record.paid_at,
        booked_at: now,
        due_at: grant.due_at,
        clawed: 0,
        frozen: false,
        superseded: false,
        claimed_at: None,
        allowed: None,
        state: CommissionState::Held,
    }
}
