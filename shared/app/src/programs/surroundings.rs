//! What is known around a payment when it is decided.

use guerdon_domain::{
    members::Member,
    programs::{Party, Program, Surroundings},
    referrals::{Referral, ReferralState},
};

use crate::{context::App, error::AppError};

/// Everything around a payment of `payer` that a decision asks for.
///
/// # Errors
/// [`AppError`].
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

/// The referral as its commissions show it: converted also in the moment before the stream has said so.
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
