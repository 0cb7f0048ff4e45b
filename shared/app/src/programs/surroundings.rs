//! The records that a decision about a payment depends on.

use guerdon_domain::{
    ids::{MemberId, Rail},
    members::Member,
    payments::PaymentRecord,
    programs::{Party, Program, Surroundings},
    referrals::{Referral, ReferralState},
    time::Timestamp,
};

use crate::{context::App, error::AppError, settings::settings_now};

/// Loads the records that the decision about a payment of `payer` at `paid_at` depends on.
pub(crate) async fn surroundings(
    app: &App,
    payer: Option<&Member>,
    program: &Program,
    paid_at: Timestamp,
) -> Result<Surroundings, AppError> {
    let payer = payer.filter(|_| !program.rules.is_empty());
    let found = match payer {
        Some(payer) => app.store.referrals().with_referrer(payer).await?,
        None => None,
    };
    let Some((referral, referrer)) = found else { return Ok(Surroundings::default()) };
    let upline = match referral.upline.as_ref().filter(|_| program.second_level) {
        Some(upline) => app.store.members().find(upline).await?,
        None => None,
    };
    let mut upline = upline.map(party);
    if let Some(upline) = &mut upline {
        upline.last_paid_at = last_paid(app, program, &upline.member, paid_at).await?;
    }
    Ok(Surroundings {
        referrer: referrer.map(party),
        upline,
        referral: Some(with_conversion(app, referral).await?),
        ..Surroundings::default()
    })
}

fn party(member: Member) -> Party {
    Party { barred: member.is_barred(), last_paid_at: None, member: member.id }
}

/// Number of payments in one read.
const PAYMENTS: i32 = 10;

/// Returns the time of the latest payment of `member` until `paid_at`, if the program asks for it. Every payment is
/// listed, whatever program is in force, so a new program finds it too. Only money that settled and was not undone as a
/// whole counts.
pub(crate) async fn last_paid(
    app: &App,
    program: &Program,
    member: &MemberId,
    paid_at: Timestamp,
) -> Result<Option<Timestamp>, AppError> {
    let Some(days) = program.upline_active_days else { return Ok(None) };
    let since = paid_at.plus_days(days.saturating_neg());
    let mut page = app.store.payments().until(member, paid_at, PAYMENTS).await?;
    loop {
        if let Some(found) = page.iter().find(|payment| is_sale(payment)) {
            return Ok(Some(found.paid_at));
        }
        let Some(oldest) = page.last().filter(|oldest| oldest.paid_at >= since) else { return Ok(None) };
        page = app.store.payments().of(member, Some(oldest), PAYMENTS).await?;
    }
}

fn is_sale(payment: &PaymentRecord) -> bool {
    let undone = payment.reversals.undone(payment.paid).minor();
    payment.payment.rail != Rail::Manual && payment.paid.is_positive() && undone < payment.paid.minor()
}

/// Returns the referral with its conversion. The stream updates the referral a moment later, so the conversion's places
/// are read in any case: a commission there may be new, restored, or undone as a whole. After the last one that is
/// undone the next payment may convert.
pub(crate) async fn with_conversion(app: &App, referral: Referral) -> Result<Referral, AppError> {
    let mut seen = Referral { undone: 0, ..referral.clone() };
    loop {
        let Some(first) = app.store.commissions().conversion(&seen).await? else {
            let state = if seen.is_converted() { ReferralState::Pending } else { seen.state };
            return Ok(Referral { state, ..seen });
        };
        // The setting is asked for only when something was undone: most payments follow a conversion that stands.
        if first.is_undone() && (seen.undone < referral.undone || settings_now(app).await?.undone_reopens) {
            seen.undone = seen.undone.saturating_add(1);
            continue;
        }
        let state = ReferralState::Converted { payment: first.payment, at: first.paid_at };
        return Ok(Referral { state, ..seen });
    }
}
