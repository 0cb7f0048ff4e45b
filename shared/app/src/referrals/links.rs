//! Clicks on shared links, and the attribution of members to their referrers.

use guerdon_domain::{
    ids::{ClickId, MemberId},
    members::Member,
    referrals::{Attribution, Click, Code, CodeRecord, CodeStanding, Touch, attribute},
};
use guerdon_store::table::{METRICS, metered};

use crate::{context::App, error::AppError, settings::settings_now};

/// A visit of a shared link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit<'a> {
    /// The code of the link.
    pub code: &'a Code,
    /// The first click that the browser remembers.
    pub first: Option<Touch>,
    /// The source of the request.
    pub source: &'a str,
    /// True when a program follows the link, or when that is doubtful. The visit is then not counted.
    pub program: bool,
}

/// The destination of a shared link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Followed {
    /// The link opens the bot with the credited code.
    To {
        /// The click.
        click: Box<Click>,
        /// Number of days for which a first click counts.
        window_days: i64,
        /// Whether the click is recorded. It leads on in any case.
        kept: bool,
    },
    /// The link opens the bot with the credited code, and is no click.
    Uncounted {
        /// The code.
        credited: Code,
    },
    /// The link opens the bot without a code, because the code does not exist or has expired, or because referrals
    /// are off.
    Nowhere,
}

/// The most clicks of one source that are recorded in a minute.
const KEPT_OF_A_SOURCE: u64 = 60;

/// Records a click on a shared link, unless its source has made too many. The click is counted for the code's owner. The
/// first link that the person followed within the window is credited, also when this visit is no click: a program's, or
/// one of a link that has expired.
pub async fn follow_link(app: &App, visit: Visit<'_>) -> Result<Followed, AppError> {
    metered("follow_link", async {
        let settings = settings_now(app).await?;
        if !settings.referrals_enabled {
            return Ok(Followed::Nowhere);
        }
        let window_days = settings.attribution_window_days;
        let elsewhere = visit.first.as_ref().filter(|first| first.code != *visit.code);
        if visit.program && elsewhere.is_none() {
            return Ok(Followed::Uncounted { credited: visit.code.clone() });
        }
        let link = valid(app, visit.code).await?;
        let standing = match elsewhere {
            Some(first) => standing(app, &first.code).await?,
            None => CodeStanding::Valid,
        };
        let attribution = attribute(visit.code, visit.first.as_ref(), standing, app.now(), window_days);
        let kept = elsewhere.filter(|_| attribution.keeps_first()).map(|first| first.code.clone());
        let credited = match (kept, &link) {
            (Some(first), _) => first,
            (None, Some(_)) => visit.code.clone(),
            (None, None) if visit.program => visit.code.clone(),
            (None, None) => return Ok(Followed::Nowhere),
        };
        match link.filter(|_| !visit.program) {
            Some(link) => clicked(app, visit, link.owner, (credited, attribution), window_days).await,
            None => Ok(Followed::Uncounted { credited }),
        }
    })
    .await
}

/// Records the click of a person.
async fn clicked(
    app: &App,
    visit: Visit<'_>,
    owner: MemberId,
    (credited, attribution): (Code, Attribution),
    window_days: i64,
) -> Result<Followed, AppError> {
    let (now, id) = (app.now(), app.entropy.nonce()?);
    let id = ClickId::parse(hex::encode(&id[..8]))?;
    let Visit { code, first, source, .. } = visit;
    let click = Click { id, code: code.clone(), owner, credited, attribution, first, at: now };
    let kept = app.memory.clicks.count(source, now).is_some_and(|clicks| clicks <= KEPT_OF_A_SOURCE);
    if kept {
        app.store.clicks().put(&click).await?;
    }
    count_not_kept(app, u64::from(!kept)).await;
    Ok(Followed::To { click: Box::new(click), window_days, kept })
}

/// Counts clicks that are not kept, in one write a minute. A visitor is not held up by it.
async fn count_not_kept(app: &App, more: u64) {
    let earlier = app.memory.clicks_not_kept.add(more, app.now());
    if earlier == 0 {
        return;
    }
    tracing::info!(target: METRICS, clicks_not_kept = earlier);
    if let Err(error) = app.store.statistics().add_clicks_not_kept(earlier).await {
        tracing::warn!(clicks = earlier, %error, "clicks that were not kept are not counted either");
    }
}

async fn valid(app: &App, code: &Code) -> Result<Option<CodeRecord>, AppError> {
    Ok(app.store.codes().find(code).await?.filter(|record| app.now() < record.expires_at))
}

/// Returns whether a first click on the link of `code` still counts.
async fn standing(app: &App, code: &Code) -> Result<CodeStanding, AppError> {
    let Some(record) = valid(app, code).await? else { return Ok(CodeStanding::Over) };
    let owner = app.store.members().find(&record.owner).await?;
    Ok(match owner {
        None => CodeStanding::Over,
        Some(owner) if owner.is_barred() => CodeStanding::OwnerBlocked,
        Some(_) => CodeStanding::Valid,
    })
}

/// The attribution of a member to their referrer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributed {
    /// The referrer; `None` for a member who joined without a code.
    pub referrer: Option<Member>,
    /// The click that led to the referral, if it is recorded.
    pub click: Option<Click>,
    /// An explanation for operators, in one sentence.
    pub explanation: &'static str,
}

/// Explains how a member got their referrer.
pub async fn explain_attribution(app: &App, member: &Member) -> Result<Attributed, AppError> {
    metered("explain_attribution", async {
        let Some(joined) = &member.joined else {
            let explanation = "They have not met the bot: they are known from a payment alone.";
            return Ok(Attributed { referrer: None, click: None, explanation });
        };
        let Some(referrer) = &joined.referrer else {
            let explanation = "They joined without a code.";
            return Ok(Attributed { referrer: None, click: None, explanation });
        };
        let click = match &joined.click {
            Some(id) => app.store.clicks().find(id).await?,
            None => None,
        };
        let explanation = match click.as_ref().map(|click| click.attribution) {
            None if joined.click.is_some() => {
                "They joined through a link whose click is not on record any more."
            }
            None => "They joined by the referrer's code itself, not through a counted link.",
            Some(attribution) => attribution.explain(),
        };
        Ok(Attributed { referrer: app.store.members().find(referrer).await?, click, explanation })
    })
    .await
}
