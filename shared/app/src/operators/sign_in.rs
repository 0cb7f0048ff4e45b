//! Sign-in of operators: a password starts a session, and its refresh token renews it. An attempt is counted
//! before the password is checked, so that concurrent guesses cannot exceed the limit. Attempts delay the account for
//! their own source, so a stranger locks nobody out; a ceiling for all sources limits guesses from many of them. An
//! unknown id is counted, checked and answered like a known one (ADR 0029).

use guerdon_domain::{
    ids::{MemberId, PrincipalId, SessionId, TelegramId},
    operators::{Operator, Role, Session},
    time::Timestamp,
};
use guerdon_store::table::{Guarded, metered};
use sha2::{Digest, Sha256};

use crate::{
    audit::{self, Line},
    context::App,
    error::AppError,
};

use super::password::{Password, is_right};

/// Maximum number of attempts in an hour, by all sources together, for the accounts of one group.
pub const MOST_ATTEMPTS: u64 = 100;

/// Number of groups of accounts. An unknown id has a group as well, so that it is answered like a known one, and
/// strangers who make up ids fill no more items than this.
const GROUPS: u16 = 1 << 14;

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
    /// There were too many wrong passwords for this id, whether it exists or not.
    #[error("too many wrong passwords; this id cannot sign in by password before {0}")]
    Locked(Timestamp),
    /// The sign-in did not complete.
    #[error(transparent)]
    App(#[from] AppError),
}

/// Signs an operator in by password, as a call from `source` asks. The first sign-in of `first` creates them as a super
/// admin.
pub async fn sign_in(
    app: &App,
    telegram_id: TelegramId,
    password: &str,
    source: &str,
    first: Option<&FirstOperator>,
) -> Result<SignedIn, SignInError> {
    metered("sign_in", async {
        let id = app.member_id(telegram_id);
        let attempts = format!("{id} {source}");
        let delayed = app.memory.delays.attempt(&attempts, app.now()).map_err(SignInError::Locked)?;
        count_attempt(app, &id).await?;
        let found = app.store.operators().find(&id).await.map_err(AppError::from)?;
        let right = is_right(password, found.as_ref().map(|operator| operator.password.as_str()))?;
        let operator = match (found, first.filter(|first| first.telegram_id == telegram_id)) {
            (Some(operator), _) if right => operator,
            (None, Some(first)) if first.password.is(password) => make_first(app, &id, first).await?,
            _ => return Err(delayed.map_or(SignInError::Wrong, SignInError::Locked)),
        };
        app.memory.delays.forget(&attempts);
        begin(app, &operator).await
    })
    .await
}

/// Counts an attempt against the ceiling for all sources.
async fn count_attempt(app: &App, id: &MemberId) -> Result<(), SignInError> {
    let now = app.now();
    let digest = app.pseudonyms.digest("sign-in", id.as_str().as_bytes());
    let group = u16::from_str_radix(&digest[..4], 16).unwrap_or_default() % GROUPS;
    match app.store.requests().count_sign_in(group, MOST_ATTEMPTS, now).await.map_err(AppError::from)? {
        Some(_) => Ok(()),
        None => Err(SignInError::Locked(now.plus_seconds(3600 - now.seconds().rem_euclid(3600)))),
    }
}

async fn make_first(app: &App, id: &MemberId, first: &FirstOperator) -> Result<Operator, SignInError> {
    let operator = Operator {
        id: id.clone(),
        role: Role::SuperAdmin,
        password: first.password.hash(app)?,
        attempts: 0,
        locked_until: None,
        generation: 1,
        created_at: app.now(),
    };
    if app.store.operators().insert(&operator).await.map_err(AppError::from)? == Guarded::Written {
        stateless(app, id, "operator.created").await?;
        return Ok(operator);
    }
    // Another sign-in with the same password made them in the meantime.
    app.store.operators().find(id).await.map_err(AppError::from)?.ok_or(SignInError::Wrong)
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
