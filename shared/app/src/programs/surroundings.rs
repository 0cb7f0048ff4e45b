//! The records that a decision about a payment depends on.

use guerdon_domain::{
    members::Member,
    programs::{Party, Program, Surroundings},
    referrals::{Referral, ReferralState},
};

use crate::{context::App, error::AppError, settings::settings_now};

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
