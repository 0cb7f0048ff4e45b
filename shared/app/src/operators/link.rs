//! Sign-in without a password, by a one-time link from the bot.

use guerdon_domain::{
    ids::{SignInLinkId, TelegramId},
    operators::SignInLink,
};
use guerdon_store::table::{Guarded, metered};

use super::sign_in::{SignInError, SignedIn, begin, hash, parts_of, random};
use crate::{context::App, error::AppError};

/// Time for which a link is valid, in minutes.
pub const LINK_MINUTES: i64 = 10;

/// Creates a token for the operator with this Telegram id; returns `None` for other users. The token is valid
/// once and for a short time, because Telegram controls access to the operator's messages.
pub async fn sign_in_link(app: &App, telegram_id: TelegramId) -> Result<Option<String>, AppError> {
    metered("sign_in_link", async {
        let id = app.member_id(telegram_id);
        let Some(operator) = app.store.operators().find(&id).await? else { return Ok(None) };
        let (link, secret) = (SignInLinkId::parse(random(app)?).map_err(AppError::from)?, random(app)?);
        let kept = SignInLink {
            id: link.clone(),
            operator: id.clone(),
            generation: operator.generation,
            token_hash: hash(&secret),
            expires_at: app.now().plus_seconds(LINK_MINUTES * 60),
        };
        app.store.operators().put_link(&kept).await?;
        Ok(Some(format!("{id}.{link}.{secret}")))
    })
    .await
}

/// Signs in with the token of a link. The token cannot be used again.
pub async fn sign_in_by_link(app: &App, token: &str) -> Result<SignedIn, SignInError> {
    metered("sign_in", async {
        let (id, link, secret) = parts_of(token)?;
        let link = SignInLinkId::parse(link).map_err(|_| SignInError::Wrong)?;
        let operator =
            app.store.operators().find(&id).await.map_err(AppError::from)?.ok_or(SignInError::Wrong)?;
        let used = app.store.operators().use_link(&operator, &link, &hash(secret), app.now()).await;
        if used.map_err(AppError::from)? == Guarded::Moved {
            return Err(SignInError::Wrong);
        }
        begin(app, &operator).await
    })
    .await
}
