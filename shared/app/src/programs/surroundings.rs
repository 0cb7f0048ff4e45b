//! The records that a decision about a payment depends on.

use guerdon_domain::{
    members::Member,
    programs::{Party, Program, Surroundings},
    referrals::{Referral, ReferralState},
};

use crate::{context::App, error::AppError};

/// Loads the records that the decision about a payment of `payer` depends on.
pub(crate) async fn surroundings(
    app: &App,
    payer: Option<&Member>,
    program: &Program,
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
    Ok(Surroundings {
        referrer: referrer.map(party),
        upline: upline.map(party),
        referral: Some(with_conversion(app, referral).await?),
        ..Surroundings::default()
    })
}

fn party(member: Member) -> Party {
    Party { barred: member.is_barred(), last_paid_at: member.last_paid_at, member: member.id }
}

/// Returns the referral with its conversion. Until the stream updates the referral, the state is derived from
/// the referral's commissions.
pub(crate) async fn with_conversion(app: &App, referral: Referral) -> Result<Referral, AppError> {
    if referral.is_converted() {
        return Ok(referral);
    }
    Ok(match app.store.commissions().conversion(&referral).await? {
        Some(first) => {
            let state = ReferralState::Converted { payment: first.payment, at: first.paid_at };
            Referral { state, ..referral }
        }
        None => referral,
    })
}
