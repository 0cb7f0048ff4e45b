//! Registration of members by a service over the API. It creates the same referral as `/start`.

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
    settings::settings_now,
};

/// The member after a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// The member.
    pub member: Member,
    /// The code that the member can share; `None` while referrals are off.
    pub code: Option<MemberCode>,
    /// True when the registration created the member.
    pub is_new: bool,
    /// The reason why the code created no referral, for a user who was a member before.
    pub not_referred: Option<StartRefusal>,
}

/// The update id of a registration. Telegram numbers its updates from 1, so no update of Telegram has this
/// id.
const NO_UPDATE: i64 = 0;

/// Creates the member with a code of their own, and a referral if `code` is valid. A repeated request with
/// the same code returns the existing member. The fingerprints of the device are stored as hashes.
///
/// # Errors
/// The inner error is the reason why `code` is refused for a new user. The user is then not a member.
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
        let code = match settings_now(app).await?.referrals_enabled {
            true => Some(share_code(app, &id).await?),
            false => None,
        };
        Ok(Ok(Registered { member, code, is_new, not_referred }))
    })
    .await
}

/// Returns the reason why `code` creates no referral for an existing member, or `None` if the member joined
/// with a code of the same owner.
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

/// Creates the member without a referrer. Does nothing if the member exists.
pub async fn ensure_member(app: &App, profile: &Profile) -> Result<(), AppError> {
    let id = app.member_id(profile.telegram_id);
    metered("register_member", async { join(app, &id, profile, None, NO_UPDATE).await.map(|_| ()) }).await
}

/// The result of [`track_referral`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tracked {
    /// The referral is new.
    Now {
        /// The referrer.
        referrer: MemberId,
    },
    /// The member joined before with a code of the same referrer.
    Before {
        /// The referrer.
        referrer: MemberId,
    },
    /// The code created no referral. Nothing was changed.
    Refused(StartRefusal),
}

/// Creates a member as the referee of the code's owner. Refuses a user who is already a member.
pub async fn track_referral(app: &App, profile: &Profile, code: &Code) -> Result<Tracked, AppError> {
    metered("track_referral", async {
        let id = app.member_id(profile.telegram_id);
        Ok(match join(app, &id, profile, Some((code, None)), NO_UPDATE).await? {
            Join::Refused(refused) => Tracked::Refused(refused),
            Join::Joined(member) => match member.joined.and_then(|joined| joined.referrer) {
                Some(referrer) => Tracked::Now { referrer },
                None => return Err(AppError::Corrupt("a code without an owner was taken".into())),
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
