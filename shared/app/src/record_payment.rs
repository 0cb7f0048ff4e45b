//! A settled payment: recorded once, and the commission it earns booked with it.

use guerdon_domain::{
    Commission, CommissionState, Decision, Grant, PaymentFacts, Referral, ReferralState, Refusal, Timestamp,
};
use guerdon_store::{AuditRecord, Fragment, PaymentOutcome, PaymentRecord, StoredResponse, metered};

use crate::{App, AppError, error::refusal};

/// What came of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// Recorded now.
    Applied(PaymentRecord),
    /// Recorded before; this is what was decided then.
    AlreadyApplied(PaymentRecord),
}

impl Recorded {
    /// The payment as it is on record.
    pub const fn record(&self) -> &PaymentRecord {
        match self {
            Self::Applied(record) | Self::AlreadyApplied(record) => record,
        }
    }
}

#[derive(Clone, Copy)]
enum Refused {
    PaymentRecorded,
    CommissionBooked,
    ReferralMoved,
    RequestAnswered,
}

/// The trail of an operator's request, written with the payment it asks for.
pub(crate) type Trail<'a> = Option<(&'a AuditRecord, &'a StoredResponse)>;

/// Records a payment and books what it earns: one transaction of the payment, the commission, and the
/// referral it converts. It touches no item that another member's payment touches.
///
/// # Errors
/// [`AppError`].
pub async fn record_payment(app: &App, facts: &PaymentFacts) -> Result<Recorded, AppError> {
    record_with_trail(app, facts, None).await
}

/// The same, with an operator's trail in the transaction.
pub(crate) async fn record_with_trail(
    app: &App,
    facts: &PaymentFacts,
    trail: Trail<'_>,
) -> Result<Recorded, AppError> {
    metered("record_payment", async {
        for _ in 0..5 {
            if let Some(record) = app.store.payment(&facts.key).await? {
                return Ok(Recorded::AlreadyApplied(record));
            }
            let referral = referral_of(app, facts).await?;
            let decision = app.preset.program.decide(facts, referral.as_ref())?;
            let now = app.now();
            let record = record_of(app, facts, &decision, now);
            let mut writes = writes(app, &record, facts, referral, decision, now)?;
            if let Some((audit, response)) = trail {
                writes.extend(app.store.audited(audit, response, Refused::RequestAnswered)?);
            }
            match refusal(app.store.commit(&writes).await)? {
                None => return Ok(Recorded::Applied(record)),
                // Another delivery or another payment of this member was faster: look again.
                Some(Refused::PaymentRecorded | Refused::ReferralMoved | Refused::RequestAnswered) => {}
                Some(Refused::CommissionBooked) => {
                    let problem = "a commission exists whose payment does not";
                    return Err(AppError::Corrupt(problem.to_owned()));
                }
            }
        }
        Err(AppError::Conflict)
    })
    .await
}

async fn referral_of(app: &App, facts: &PaymentFacts) -> Result<Option<Referral>, AppError> {
    match app.store.member(&facts.member).await? {
        Some(member) => Ok(app.store.referral_of(&member).await?),
        None => Ok(None),
    }
}

fn record_of(app: &App, facts: &PaymentFacts, decision: &Decision, now: Timestamp) -> PaymentRecord {
    let outcome = match decision {
        Decision::Grant { grant, .. } => PaymentOutcome::Granted {
            commission: grant.commission.clone(),
            beneficiary: grant.beneficiary.clone(),
            reward: grant.amount,
        },
        Decision::Refuse(reason) => PaymentOutcome::Refused { reason: *reason },
    };
    PaymentRecord {
        payment: facts.key.clone(),
        member: facts.member.clone(),
        paid: facts.paid,
        tax: facts.tax,
        tier: facts.tier,
        paid_at: facts.paid_at,
        recorded_at: now,
        program_version: app.preset.program.version,
        outcome,
    }
}

fn writes(
    app: &App,
    record: &PaymentRecord,
    facts: &PaymentFacts,
    referral: Option<Referral>,
    decision: Decision,
    now: Timestamp,
) -> Result<Vec<Fragment<Refused>>, AppError> {
    let mut writes = vec![app.store.insert_payment(record, Refused::PaymentRecorded)?];
    if let (Decision::Grant { grant, converts }, Some(referral)) = (decision, referral) {
        if converts {
            let state = ReferralState::Converted { payment: facts.key.clone(), at: facts.paid_at };
            let converted = Referral { state, ..referral };
            writes.push(app.store.convert_referral(&converted, Refused::ReferralMoved)?);
        }
        let commission = commission_of(*grant, facts, now);
        writes.push(app.store.insert_commission(&commission, Refused::CommissionBooked)?);
    }
    Ok(writes)
}

fn commission_of(grant: Grant, facts: &PaymentFacts, now: Timestamp) -> Commission {
    Commission {
        id: grant.commission,
        beneficiary: grant.beneficiary,
        referee: facts.member.clone(),
        payment: facts.key.clone(),
        amount: grant.amount,
        base: grant.base,
        snapshot: grant.snapshot,
        paid_at: facts.paid_at,
        booked_at: now,
        due_at: grant.due_at,
        state: CommissionState::Held,
    }
}

/// Why a payment earned nothing, in words for operators.
pub const fn explain(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::NotReferred => "The member was not referred by anybody.",
        Refusal::BeforeReferral => "We knew of the payment before the member joined.",
        Refusal::AlreadyConverted => "An earlier payment has already converted the referral.",
        Refusal::ReferralExpired => "The referral's window had closed when the payment settled.",
        Refusal::ZeroAmount => "Nothing was really paid: a trial, a full discount, or credit.",
        Refusal::BelowMinimum => "The tier costs less than the program asks for.",
        Refusal::CurrencyMismatch => "The payment is in another currency than the program.",
    }
}
