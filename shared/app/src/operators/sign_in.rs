//! Sign-in of operators: a password starts a session, and its refresh token renews it. An attempt is counted
//! before the password is checked, so that concurrent guesses cannot exceed the limit.

use guerdon_domain::{
    ids::{MemberId, PrincipalId, SessionId, TelegramId},
    operators::{Operator, Role, Session},
    time::Timestamp,
};
use guerdon_store::table::{Guarded, metered};
use sha2::{Digest, Sha256};

use crate::{
    attempt::Attempts,
    audit::{self, Line},
    context::App,
    error::AppError,
};

use super::password::{Password, is_right};

/// Maximum number of wrong passwords in a row before the account is locked.
pub const MOST_ATTEMPTS: u32 = 5;

/// Duration of a lock, in minutes.
pub const LOCK_MINUTES: i64 = 15;

/// Maximum duration of a session, in hours, including all renewals.
pub const SESSION_HOURS: i64 = 12;

/// The configured first operator of a deployment.
#[derive(Debug, Clone)]
pub struct FirstOperator {
    /// The Telegram id of the operator.
    pub telegram_id: TelegramId,
    /// The password of the first sign-in. It is ignored once this operator exists.
    pub password: Password,
}

/// A signed-in operator with their session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The operator.
    pub operator: MemberId,
    /// The role, which defines the permissions.
    pub role: Role,
    /// The id of the session.
    pub session: SessionId,
    /// The refresh token, valid for one renewal.
    pub refresh_token: String,
    /// The end of the session.
    pub until: Timestamp,
}

/// The reason why the sign-in failed.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The id, the password or the token is wrong. The error does not say which one.
    #[error("the id or the password is wrong")]
    Wrong,
    /// The account is locked after too many wrong passwords.
    #[error("too many wrong passwords; this operator cannot sign in before {0}")]
    Locked(Timestamp),
    /// The sign-in did not complete.
    #[error(transparent)]
    App(#[from] AppError),
}

/// Signs an operator in by password. The first sign-in of `first` creates them as a super admin.
pub async fn sign_in(
    app: &App,
    telegram_id: TelegramId,
    password: &str,
    first: Option<&FirstOperator>,
) -> Result<SignedIn, SignInError> {
    metered("sign_in", async {
        let id = app.member_id(telegram_id);
        let mut found = count_attempt(app, &id).await?;
        if let (None, Some(first)) = (&found, first.filter(|first| first.telegram_id == telegram_id)) {
            make_first(app, &id, first).await?;
            found = count_attempt(app, &id).await?;
        }
        let Some((operator, counted)) = found else {
            is_right(password, None)?;
            return Err(SignInError::Wrong);
        };
        if !is_right(password, Some(&operator.password))? {
            return Err(match counted.locked_until {
                Some(until) => {
                    stateless(app, &id, "operator.locked").await?;
                    SignInError::Locked(until)
                }
                None => SignInError::Wrong,
            });
        }
        // If a concurrent attempt was counted, this write is refused and that count remains.
        let calm = Operator { attempts: 0, locked_until: None, ..counted.clone() };
        let _ = app.store.operators().replace(&counted, &calm).await.map_err(AppError::from)?;
        begin(app, &operator).await
    })
    .await
}

async fn make_first(app: &App, id: &MemberId, first: &FirstOperator) -> Result<(), AppError> {
    let operator = Operator {
        id: id.clone(),
        role: Role::SuperAdmin,
        password: first.password.hash(app)?,
        attempts: 0,
        locked_until: None,
        generation: 1,
        created_at: app.now(),
    };
    if app.store.operators().insert(&operator).await? == Guarded::Written {
        stateless(app, id, "operator.created").await?;
    }
    Ok(())
}

/// Counts an attempt. Returns the operator before and after it, or `None` for an unknown id.
async fn count_attempt(app: &App, id: &MemberId) -> Result<Option<(Operator, Operator)>, SignInError> {
    let mut tries = Attempts::default();
    loop {
        let Some(operator) = app.store.operators().find(id).await.map_err(AppError::from)? else {
            return Ok(None);
        };
        let now = app.now();
        if let Some(until) = operator.locked_until.filter(|until| now < *until) {
            return Err(SignInError::Locked(until));
        }
        let attempts = operator.attempts.saturating_add(1);
        let counted = if attempts < MOST_ATTEMPTS {
            Operator { attempts, locked_until: None, ..operator.clone() }
        } else {
            let until = now.plus_seconds(LOCK_MINUTES * 60);
            Operator { attempts: 0, locked_until: Some(until), ..operator.clone() }
        };
        let counting = app.store.operators().replace(&operator, &counted).await;
        if counting.map_err(AppError::from)? == Guarded::Written {
            return Ok(Some((operator, counted)));
        }
        tries.at_once()?;
    }
}

pub(super) async fn begin(app: &App, operator: &Operator) -> Result<SignedIn, SignInError> {
    let (id, secret) = (random(app)?, random(app)?);
    let until = app.now().plus_seconds(SESSION_HOURS * 3600);
    let session = Session {
        id: SessionId::parse(id).map_err(AppError::from)?,
        operator: operator.id.clone(),
        generation: operator.generation,
        token_hash: hash(&secret),
        expires_at: until,
    };
    app.store.operators().put_session(&session).await.map_err(AppError::from)?;
    stateless(app, &operator.id, "operator.signed_in").await?;
    Ok(signed_in(operator, session, &secret))
}

/// Splits a refresh token or link token into the operator, the id of the session or link, and the secret.
pub(super) fn parts_of(token: &str) -> Result<(MemberId, &str, &str), SignInError> {
    let mut parts = token.split('.');
    let (Some(id), Some(opens), Some(secret), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(SignInError::Wrong);
    };
    Ok((MemberId::parse(id).map_err(|_| SignInError::Wrong)?, opens, secret))
}

/// Renews a session. A refresh token that was used before ends the session, because it may be stolen.
pub async fn renew(app: &App, refresh_token: &str) -> Result<SignedIn, SignInError> {
    metered("renew_session", async {
        let (id, session, secret) = parts_of(refresh_token)?;
        let session = SessionId::parse(session).map_err(|_| SignInError::Wrong)?;
        let Some((operator, session)) = session_of(app, &id, &session).await? else {
            return Err(SignInError::Wrong);
        };
        let (used, secret) = (hash(secret), random(app)?);
        let next = Session { token_hash: hash(&secret), ..session.clone() };
        let renewed = session.token_hash == used
            && app.store.operators().renew_session(&used, &next).await.map_err(AppError::from)?
                == Guarded::Written;
        if !renewed {
            app.store.operators().end_session(&id, &session.id).await.map_err(AppError::from)?;
            tracing::warn!(member = app.tag(&id), "a refresh token was used twice; its session has ended");
            return Err(SignInError::Wrong);
        }
        Ok(signed_in(&operator, next, &secret))
    })
    .await
}

/// Returns the operator and the session of an access token, if both exist and the session is valid.
pub async fn session_of(
    app: &App,
    operator: &MemberId,
    session: &SessionId,
) -> Result<Option<(Operator, Session)>, AppError> {
    let found = app.store.operators().with_session(operator, session).await?;
    Ok(found.filter(|(operator, session)| {
        app.now() < session.expires_at && session.generation == operator.generation
    }))
}

/// Ends a session. Its tokens become invalid.
pub async fn sign_out(app: &App, operator: &MemberId, session: &SessionId) -> Result<(), AppError> {
    app.store.operators().end_session(operator, session).await?;
    stateless(app, operator, "operator.signed_out").await
}

fn signed_in(operator: &Operator, session: Session, secret: &str) -> SignedIn {
    SignedIn {
        operator: operator.id.clone(),
        role: operator.role,
        refresh_token: format!("{}.{}.{secret}", operator.id, session.id),
        session: session.id,
        until: session.expires_at,
    }
}

/// Returns the name of an operator in the audit trail.
pub fn operator_name(app: &App, operator: &MemberId) -> PrincipalId {
    format!("operator-{}", app.tag(operator)).into()
}

/// Writes an audit line about an action without states.
pub(super) async fn stateless(app: &App, operator: &MemberId, action: &str) -> Result<(), AppError> {
    let states = ["null", "null"].map(str::to_owned);
    trail(app, &operator_name(app, operator), action, states).await
}

/// Writes an audit line.
pub(super) async fn trail(
    app: &App,
    principal: &PrincipalId,
    action: &str,
    states: [String; 2],
) -> Result<(), AppError> {
    let line = audit::line(random(app)?, app.now(), principal, Line::new(action).states(states));
    Ok(app.store.audit().put(&line).await?)
}

/// Returns 48 random hex digits.
pub(crate) fn random(app: &App) -> Result<String, AppError> {
    Ok(hex::encode(app.entropy.nonce()?))
}

/// Returns the hash of a secret, which is stored in its place.
pub(crate) fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}
