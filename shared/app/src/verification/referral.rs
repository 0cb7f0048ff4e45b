//! Verification of members and referrals against each other, and of conversions.

use std::collections::BTreeMap;

use guerdon_domain::{
    commissions::Commission,
    ids::MemberId,
    members::Member,
    referrals::{Referral, ReferralState},
    time::Timestamp,
};

use guerdon_store::verification::Verification;

use super::{
    difference::{Difference, Problems},
    payment::STREAM_SECONDS,
};
use crate::{context::App, error::AppError};

/// Compares referrals with both members, with the referrer's own referral, and with the commission that converted them.
pub(super) async fn referral_differences(
    (app, reads): (&App, Verification<'_>),
    referrals: &[Referral],
) -> Result<Vec<Difference>, AppError> {
    let ids: Vec<MemberId> =
        referrals.iter().flat_map(|edge| [edge.referrer.clone(), edge.referee.clone()]).collect();
    let members = reads.members(&ids).await?.into_iter().flatten();
    let members: BTreeMap<_, _> = members.map(|member| (member.id.clone(), member)).collect();
    let conversions = reads.conversions(referrals).await?;
    let before =
        |edge: &Referral| edge.undone.checked_sub(1).map(|undone| Referral { undone, ..edge.clone() });
    let earlier: Vec<Referral> = referrals.iter().filter_map(before).collect();
    let mut undone = reads.conversions(&earlier).await?.into_iter();
    let mut found = Vec::new();
    for (edge, conversion) in referrals.iter().zip(&conversions) {
        let mut problems = Problems::default();
        let [referrer, referee] = [&edge.referrer, &edge.referee].map(|id| members.get(id));
        people(edge, referrer, referee, &mut problems);
        converted(edge, conversion.as_ref(), app.now(), &mut problems);
        if edge.undone > 0 && undone.next().flatten().is_none() {
            problems.add(format!(
                "it counts {} conversions that were undone, and the last is missing",
                edge.undone
            ));
        }
        found.extend(problems.of(&format!("referral of {}", app.tag(&edge.referee))));
    }
    Ok(found)
}

fn people(edge: &Referral, referrer: Option<&Member>, referee: Option<&Member>, problems: &mut Problems) {
    let joined = referee.and_then(|referee| referee.joined.as_ref());
    let same = joined.is_some_and(|joined| {
        joined.referrer.as_ref() == Some(&edge.referrer) && joined.at == edge.joined_at
    });
    problems.check(same, || "its referee is not on record as brought by its referrer then".to_owned());
    let Some(referrer) = referrer else { return problems.add("its referrer is not a member") };
    let upline = referrer.joined.as_ref().and_then(|joined| joined.referrer.as_ref());
    problems.check(edge.upline.as_ref() == upline, || "its upline did not bring its referrer".to_owned());
}

fn converted(edge: &Referral, conversion: Option<&Commission>, now: Timestamp, problems: &mut Problems) {
    match (&edge.state, conversion) {
        (ReferralState::Converted { payment, at }, Some(commission)) => {
            let same = (payment, *at) == (&commission.payment, commission.paid_at);
            problems
                .check(same, || format!("it says that the payment of {at} converted it, and another did"));
        }
        (ReferralState::Converted { at, .. }, None) => {
            problems.add(format!("it says that the payment of {at} converted it, and no commission did"));
        }
        (ReferralState::Pending | ReferralState::Expired, Some(commission)) => {
            // The stream converts it a moment later.
            let settled = now >= commission.booked_at.plus_seconds(STREAM_SECONDS);
            problems.check(commission.is_undone() || !settled, || {
                format!("it is {}, and a commission converted it", edge.state.as_str())
            });
        }
        (ReferralState::Pending | ReferralState::Expired, None) => {}
    }
}

/// Checks that each member is who their Telegram id says, and has the referral by which they joined.
pub(super) async fn member_records(
    (app, reads): (&App, Verification<'_>),
    members: &[Member],
) -> Result<Vec<Difference>, AppError> {
    let known = reads.referrals_of(members).await?;
    let is_referred =
        |member: &&Member| member.joined.as_ref().is_some_and(|joined| joined.referrer.is_some());
    let mut found = Vec::new();
    for member in members.iter().filter(is_referred).filter(|member| !known.contains_key(&member.id)) {
        let subject = format!("member {}", app.tag(&member.id));
        found.push(Difference::new(subject, "the referral by which they joined does not exist"));
    }
    for member in members.iter().filter(|member| app.member_id(member.telegram_id) != member.id) {
        let subject = format!("member {}", app.tag(&member.id));
        found.push(Difference::new(subject, "their Telegram id is another person's"));
    }
    Ok(found)
}
