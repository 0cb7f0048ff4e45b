//! Somebody follows a shared link, and may become a member by it.

use guerdon_domain::{
    ids::ClickId,
    members::Member,
    referrals::{Click, Code, Touch, attribute},
};
use guerdon_store::table::metered;

use crate::{context::App, error::AppError, settings::settings_now};

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Followed {
    /// To the bot, with the code that is credited.
    To {
        /// The click.
        click: Box<Click>,
        /// For how many days a first click counts.
        window_days: i64,
    },
    /// To the bot alone: nobody has this code, or it is over.
    Nowhere,
}

/// A person follows the link of `code`; `first` is what their browser remembers. The click is counted for the code's
/// owner, and the first link they followed within the window is credited.
///
/// # Errors
/// [`AppError`].
pub async fn follow_link(app: &App, code: &Code, first: Option<Touch>) -> Result<Followed, AppError> {
    metered("follow_link", async {
        let Some(link) = valid(app, code).await? else { return Ok(Followed::Nowhere) };
        let now = app.now();
        let window_days = settings_now(app).await?.attribution_window_days;
        let elsewhere = first.as_ref().filter(|first| first.code != *code);
        let first_is_valid = match elsewhere {
            Some(first) => valid(app, &first.code).await?.is_some(),
            None => true,
        };
        let attribution = attribute(code, first.as_ref(), first_is_valid, now, window_days);
        let credited = match &first {
            Some(first) if attribution.keeps_first() => first.code.clone(),
            _ => code.clone(),
        };
        let id = app.entropy.nonce()?;
        let id = ClickId::parse(hex::encode(&id[..8]))?;
        let (code, owner) = (code.clone(), link.owner);
        let click = Click { id, code, owner, credited, attribution, first, at: now };
        app.store.clicks().put(&click).await?;
        Ok(Followed::To { click: Box::new(click), window_days })
    })
    .await
}

async fn valid(app: &App, code: &Code) -> Result<Option<guerdon_domain::referrals::CodeRecord>, AppError> {
    Ok(app.store.codes().find(code).await?.filter(|record| app.now() < record.expires_at))
}

/// How somebody came to their referrer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributed {
    /// The referrer; none for who came by themselves.
    pub referrer: Option<Member>,
    /// The click by which they came, as far as it is on record.
    pub click: Option<Click>,
    /// A sentence for operators.
    pub explanation: &'static str,
}

/// Why a member's referrer is who it is.
///
/// # Errors
/// [`AppError`].
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
            None => "They joined by the referrer's code itself, not through a counted link.",
            Some(attribution) => attribution.explain(),
        };
        Ok(Attributed { referrer: app.store.members().find(referrer).await?, click, explanation })
    })
    .await
}
