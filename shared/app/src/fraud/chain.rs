//! Members of a referral chain.

use guerdon_domain::{ids::MemberId, members::Member};

use crate::{context::App, error::AppError};

/// A member and the members above: the referrer and the referrer's referrer.
pub(super) struct Chain {
    pub(super) member: Member,
    pub(super) up: Vec<MemberId>,
}

pub(super) async fn chain_of(app: &App, id: &MemberId) -> Result<Option<Chain>, AppError> {
    let Some(member) = app.store.members().find(id).await? else { return Ok(None) };
    let mut up: Vec<MemberId> = referrer_of(&member).into_iter().cloned().collect();
    if let Some(referrer) = up.first()
        && let Some(referrer) = app.store.members().find(referrer).await?
    {
        up.extend(referrer_of(&referrer).cloned());
    }
    Ok(Some(Chain { member, up }))
}

pub(super) fn referrer_of(member: &Member) -> Option<&MemberId> {
    member.joined.as_ref()?.referrer.as_ref()
}
