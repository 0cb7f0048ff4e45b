//! A service makes somebody a member: the same edge as by `/start`, told over the API.

use guerdon_domain::{
    fraud::Fingerprint,
    ids::MemberId,
    members::{Member, MemberCode},
    referrals::Code,
};
use guerdon_store::table::metered;

use crate::{
    context::App,
    error::AppError,
    fraud::inspect_prints,
    members::{Join, Profile, StartRefusal, join},
    referrals::share_code,
};

/// A member as a registration leaves them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// The member.
    pub member: Member,
    /// The code they share from now on.
    pub code: MemberCode,
    /// They were nobody before.
    pub is_new: bool,
    /// Why the friend's code made no referral, for somebody who was here before.
    pub not_referred: Option<StartRefusal>,
}

/// Updates of Telegram are numbered from 1: nothing that Telegram sends is taken for a registration.
const NO_UPDATE: i64 = 0;

/// Makes the user a member with a code of their own, and a referee if `code` is somebody's. Sent again with the same
/// code, it finds what it made. What identifies their device is remembered as hashes.
///
/// # Errors
/// The outer is [`AppError`]; the inner says why `code` is refused for somebody new, who then is no member.
pub async fn register_member(
    app: &App,
    profile: &Profile,
    code: Option<&Code>,
    prints: &[Fingerprint],
) -> Result<Result<Registered, StartRefusal>, AppError> {
    metered("register_member", async {
        let id = app.member_id(profile.telegram_id);
        let (member, is_new, not_referred) =
            match join(app, &id, profile, code.map(|code| (code, None)), NO_UPDATE).await? {
                Join::Refused(refused) => return Ok(Err(refused)),
                Join::Joined(member) => (member, true, None),
                Join::There(member) => {
                    let refused = not_referred(app, &member, code).await?;
                    (member, false, refused)
                }
            };
        for print in prints {
            app.store.sightings().put(print, &id, app.now()).await?;
        }
        inspect_prints(app, &id, prints).await?;
        let code = share_code(app, &id).await?;
        Ok(Ok(Registered { member, code, is_new, not_referred }))
    })
    .await
}

/// Why `code` makes no referral for a member who was here before; nothing, when it is the one they came by.
async fn not_referred(
    app: &App,
    member: &Member,
    code: Option<&Code>,
) -> Result<Option<StartRefusal>, AppError> {
    let Some(code) = code else { return Ok(None) };
    let referrer = member.joined.as_ref().and_then(|joined| joined.referrer.as_ref());
    Ok(match (app.store.codes().find(code).await?.map(|record| record.owner), referrer) {
        (None, _) => Some(StartRefusal::UnknownCode),
        (Some(owner), Some(referrer)) if owner == *referrer => None,
        (Some(owner), _) if owner == member.id => Some(StartRefusal::OwnCode),
        (Some(_), Some(_)) => Some(StartRefusal::AlreadyReferred),
        (Some(_), None) => Some(StartRefusal::AlreadyMember),
    })
}

/// Makes the user a member, brought by nobody, unless they are one.
///
/// # Errors
/// [`AppError`].
pub async fn ensure_member(app: &App, profile: &Profile) -> Result<(), AppError> {
    let id = app.member_id(profile.telegram_id);
    metered("register_member", async { join(app, &id, profile, None, NO_UPDATE).await.map(|_| ()) }).await
}

/// What came of telling that somebody signed up by a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tracked {
    /// They are their referrer's referee now.
    Now {
        /// Who brought them.
        referrer: MemberId,
    },
    /// They have been, by a code of the same referrer.
    Before {
        /// Who brought them.
        referrer: MemberId,
    },
    /// The code made no referral, and nothing was changed.
    Refused(StartRefusal),
}

/// Makes somebody who is no member yet a referee of the code's owner.
///
/// # Errors
/// [`AppError`].
pub async fn track_referral(app: &App, profile: &Profile, code: &Code) -> Result<Tracked, AppError> {
    metered("track_referral", async {
        let id = app.member_id(profile.telegram_id);
        Ok(match join(app, &id, profile, Some((code, None)), NO_UPDATE).await? {
            Join::Refused(refused) => Tracked::Refused(refused),
            Join::Joined(member) => match member.joined.and_then(|joined| joined.referrer) {
                Some(referrer) => Tracked::Now { referrer },
                None => return Err(AppError::Corrupt("a code without an owner was taken".to_owned())),
            },
            Join::There(member) => match not_referred(app, &member, Some(code)).await? {
                Some(refused) => Tracked::Refused(refused),
                None => match member.joined.and_then(|joined| joined.referrer) {
                    Some(referrer) => Tracked::Before { referrer },
                    None => Tracked::Refused(StartRefusal::AlreadyMember),
                },
            },
        })
    })
    .await
}
