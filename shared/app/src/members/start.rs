//! The `/start` command of a Telegram user, with or without a referral code.

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

/// The user's profile, as Telegram reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The user's Telegram id.
    pub telegram_id: TelegramId,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: Option<String>,
    /// Username, without the `@`.
    pub username: Option<String>,
    /// IETF tag of the user's app.
    pub language: Option<String>,
}

/// The result of a `/start`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// A new member.
    Joined {
        /// The member whose code was used, if any.
        referrer: Option<MemberId>,
    },
    /// The user was a member already and sent no code.
    Returned,
    /// The same update created the member before. The bot sends no answer.
    Duplicate,
    /// The code was refused.
    Refused(StartRefusal),
}

/// The reason why a code created no referral. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartRefusal {
    /// The code does not exist.
    UnknownCode,
    /// The code has expired.
    ExpiredCode,
    /// The code belongs to the member.
    OwnCode,
    /// The member has a referrer already. The referrer of a member never changes.
    AlreadyReferred,
    /// The user was a member before. Only new members can be referred.
    AlreadyMember,
    /// An operator has disabled referrals.
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

/// Creates the member, and a referral if `code` is valid.
///
/// One transaction writes two items: the member, who must be new, and the referral. A redelivered update
/// finds the member that the same `update_id` created.
pub async fn start_member(
    app: &App,
    profile: &Profile,
    code: Option<&Code>,
    update_id: i64,
) -> Result<Started, AppError> {
    start_by_link(app, profile, code, None, update_id).await
}

/// Like [`start_member`], also stores the click from the shared link.
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

/// Returns the member for a Telegram user who writes to the bot, and creates the member if there is none. The
/// user may have sent `/start` before this system was deployed.
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
            // Only a code can be refused, and there is none here.
            Join::Refused(_) => Err(AppError::Conflict),
        }
    })
    .await
}

/// Returns the first name of a member, or an empty string for an unknown id.
pub async fn first_name(app: &App, id: &MemberId) -> Result<String, AppError> {
    Ok(app.store.members().find(id).await?.map(|member| member.first_name).unwrap_or_default())
}

/// The result of [`join`].
pub(crate) enum Join {
    /// A new member.
    Joined(Member),
    /// The code was refused, and no member was created.
    Refused(StartRefusal),
    /// The user was a member before.
    There(Member),
}

/// Creates the member `id`, and a referral if the code is valid. Does nothing if the member exists.
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
        // A concurrent request created the same member.
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
    }
}

fn new_referral(member: &Member, upline: Option<MemberId>, window_days: i64) -> Option<Referral> {
    let joined = member.joined.as_ref()?;
    Some(Referral {
        undone: 0,
        referrer: joined.referrer.clone()?,
        referee: member.id.clone(),
        upline,
        joined_at: joined.at,
        expires_at: joined.at.plus_days(window_days),
        progress: BTreeMap::new(),
        state: ReferralState::Pending,
    })
}

/// Returns the referrer of the referrer. It never changes after the referrer joined, so the new referral
/// stores it.
async fn upline_of(app: &App, referrer: &MemberId) -> Result<Option<MemberId>, AppError> {
    let referrer = app.store.members().find(referrer).await?;
    Ok(referrer.and_then(|member| member.joined).and_then(|joined| joined.referrer))
}

/// Returns the owner of the code, if the code is valid now.
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

/// Updates the member's names, and completes a member who is known only from Stripe so far.
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
