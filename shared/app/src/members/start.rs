//! A Telegram user presses start, with a friend's code or without.

use std::collections::{BTreeMap, BTreeSet};

use guerdon_domain::{
    ids::{ClickId, MemberId, TelegramId},
    members::{Joined, Member},
    referrals::{Code, Referral, ReferralState},
};
use guerdon_store::table::metered;

use crate::{
    context::App,
    error::{AppError, refusal},
    settings::settings_now,
};

/// Who pressed start, as Telegram describes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The user.
    pub telegram_id: TelegramId,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: Option<String>,
    /// Without the `@`.
    pub username: Option<String>,
    /// IETF tag of the user's app.
    pub language: Option<String>,
}

/// What came of a start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// A new member.
    Joined {
        /// Who brought them.
        referrer: Option<MemberId>,
    },
    /// A member came back without a code.
    Returned,
    /// This very update has made the member already: answer nothing.
    Duplicate,
    /// The code was refused.
    Refused(StartRefusal),
}

/// Why a code did not make a referral. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartRefusal {
    /// No such code.
    UnknownCode,
    /// The code's year is over.
    ExpiredCode,
    /// The member's own.
    OwnCode,
    /// The member has a referrer; a referral has one referrer for ever.
    AlreadyReferred,
    /// The member was here before; only new members can be referred.
    AlreadyMember,
    /// Operators have switched referrals off.
    ReferralsOff,
}

impl StartRefusal {
    /// Stable code for logs and tests.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownCode => "unknown_code",
            Self::ExpiredCode => "expired_code",
            Self::OwnCode => "own_code",
            Self::AlreadyReferred => "already_referred",
            Self::AlreadyMember => "already_member",
            Self::ReferralsOff => "referrals_off",
        }
    }
}

/// Makes the user a member, and a referee if `code` is somebody's.
///
/// One transaction of two items: the member (who must be new) and the edge. Redelivered, it finds the
/// member made by the same `update_id`.
///
/// # Errors
/// [`AppError`].
pub async fn start_member(
    app: &App,
    profile: &Profile,
    code: Option<&Code>,
    update_id: i64,
) -> Result<Started, AppError> {
    start_by_link(app, profile, code, None, update_id).await
}

/// The same, with the click that the link carried.
///
/// # Errors
/// [`AppError`].
pub async fn start_by_link(
    app: &App,
    profile: &Profile,
    code: Option<&Code>,
    click: Option<&ClickId>,
    update_id: i64,
) -> Result<Started, AppError> {
    metered("start_member", async {
        let id = app.member_id(profile.telegram_id);
        match join(app, &id, profile, code.map(|code| (code, click)), update_id).await? {
            Join::Joined(member) => {
                Ok(Started::Joined { referrer: member.joined.and_then(|joined| joined.referrer) })
            }
            Join::Refused(refused) => Ok(Started::Refused(refused)),
            Join::There(member) => returning(app, &member, profile, code, update_id).await,
        }
    })
    .await
}

/// The member behind a Telegram user who writes to the bot. They have pressed start before, perhaps before this
/// system was in place: whoever is no member yet becomes one.
///
/// # Errors
/// [`AppError`].
pub async fn member_or_start(app: &App, profile: &Profile, update_id: i64) -> Result<Member, AppError> {
    metered("load_member", async {
        let id = app.member_id(profile.telegram_id);
        match join(app, &id, profile, None, update_id).await? {
            Join::Joined(member) => Ok(member),
            Join::There(member) if member.joined.is_some() => Ok(member),
            Join::There(member) => {
                introduce(app, &member, profile, update_id).await?;
                app.store.members().find(&id).await?.ok_or(AppError::Conflict)
            }
            // Only a code is refused.
            Join::Refused(_) => Err(AppError::Conflict),
        }
    })
    .await
}

/// The first name of a member; empty for nobody.
///
/// # Errors
/// [`AppError`].
pub async fn first_name(app: &App, id: &MemberId) -> Result<String, AppError> {
    Ok(app.store.members().find(id).await?.map(|member| member.first_name).unwrap_or_default())
}

/// What came of making somebody a member.
pub(crate) enum Join {
    /// A new member.
    Joined(Member),
    /// The code was refused; they are no member.
    Refused(StartRefusal),
    /// They were a member before.
    There(Member),
}

/// Makes `id` a member, and a referee if `code` is somebody's, unless they are one.
pub(crate) async fn join(
    app: &App,
    id: &MemberId,
    profile: &Profile,
    invitation: Option<(&Code, Option<&ClickId>)>,
    update_id: i64,
) -> Result<Join, AppError> {
    if let Some(member) = app.store.members().find(id).await? {
        return Ok(Join::There(member));
    }
    let settings = settings_now(app).await?;
    let referrer = match invitation {
        Some((code, _)) => match owner(app, code).await? {
            Ok(_) if !settings.referrals_enabled => return Ok(Join::Refused(StartRefusal::ReferralsOff)),
            Ok(owner) => Some(owner),
            Err(refused) => return Ok(Join::Refused(refused)),
        },
        None => None,
    };
    let mut member = new_member(app, id.clone(), profile, referrer.clone(), update_id);
    if let (Some(joined), Some((_, click))) = (&mut member.joined, invitation) {
        joined.click = click.cloned();
    }
    let mut writes = vec![app.store.members().insert(&member, ())?];
    let upline = match &referrer {
        Some(referrer) => upline_of(app, referrer).await?,
        None => None,
    };
    if let Some(referral) = new_referral(&member, upline, settings.preset.referral_window_days) {
        writes.push(app.store.referrals().insert(&referral, ())?);
    }
    match refusal(app.store.commit(&writes).await)? {
        None => Ok(Join::Joined(member)),
        // Somebody was faster with the same user: the member is there now.
        Some(()) => app.store.members().find(id).await?.map(Join::There).ok_or(AppError::Conflict),
    }
}

fn new_member(
    app: &App,
    id: MemberId,
    profile: &Profile,
    referrer: Option<MemberId>,
    update_id: i64,
) -> Member {
    let profile = profile.clone();
    Member {
        id,
        telegram_id: profile.telegram_id,
        first_name: profile.first_name,
        last_name: profile.last_name,
        username: profile.username,
        language: profile.language,
        joined: Some(Joined { at: app.now(), update_id, referrer, click: None }),
        code: None,
        customer: None,
        blocked_bot: false,
        barred: false,
        holds: BTreeSet::new(),
        rejects: BTreeSet::new(),
        last_paid_at: None,
    }
}

fn new_referral(member: &Member, upline: Option<MemberId>, window_days: i64) -> Option<Referral> {
    let joined = member.joined.as_ref()?;
    Some(Referral {
        referrer: joined.referrer.clone()?,
        referee: member.id.clone(),
        upline,
        joined_at: joined.at,
        expires_at: joined.at.plus_days(window_days),
        progress: BTreeMap::new(),
        state: ReferralState::Pending,
    })
}

/// Who brought the referrer: fixed when the referrer joined, so it can be kept with the new edge.
async fn upline_of(app: &App, referrer: &MemberId) -> Result<Option<MemberId>, AppError> {
    let referrer = app.store.members().find(referrer).await?;
    Ok(referrer.and_then(|member| member.joined).and_then(|joined| joined.referrer))
}

/// Whose code it is, if it is valid now.
async fn owner(app: &App, code: &Code) -> Result<Result<MemberId, StartRefusal>, AppError> {
    Ok(match app.store.codes().find(code).await? {
        None => Err(StartRefusal::UnknownCode),
        Some(record) if app.now() >= record.expires_at => Err(StartRefusal::ExpiredCode),
        Some(record) => Ok(record.owner),
    })
}

async fn returning(
    app: &App,
    member: &Member,
    profile: &Profile,
    code: Option<&Code>,
    update_id: i64,
) -> Result<Started, AppError> {
    if member.joined.as_ref().is_some_and(|joined| joined.update_id == update_id) {
        return Ok(Started::Duplicate);
    }
    introduce(app, member, profile, update_id).await?;
    let Some(code) = code else { return Ok(Started::Returned) };
    let refused = match owner(app, code).await? {
        Err(refused) => refused,
        Ok(owner) if owner == member.id => StartRefusal::OwnCode,
        Ok(_) if member.joined.as_ref().is_some_and(|j| j.referrer.is_some()) => {
            StartRefusal::AlreadyReferred
        }
        Ok(_) => StartRefusal::AlreadyMember,
    };
    Ok(Started::Refused(refused))
}

/// Keeps names fresh, and completes a customer whom Stripe knew before the bot did.
async fn introduce(app: &App, member: &Member, profile: &Profile, update_id: i64) -> Result<(), AppError> {
    let fresh = member.joined.is_some()
        && !member.blocked_bot
        && member.first_name == profile.first_name
        && member.last_name == profile.last_name
        && member.username == profile.username
        && member.language == profile.language;
    if fresh {
        return Ok(());
    }
    let renamed = new_member(app, member.id.clone(), profile, None, update_id);
    let joined = Joined { at: app.now(), update_id, referrer: None, click: None };
    Ok(app.store.members().introduce(&renamed, &joined).await?)
}
