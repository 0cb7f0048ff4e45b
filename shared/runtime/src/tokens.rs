//! Access tokens: short-lived JWTs (RFC 7519, HS256). An operator's token names a session; each call looks up whether
//! the session is still open and what the operator may do. A member's token names the key of the service that asked
//! for it; each call looks up whether the key is in force.

use guerdon_app::context::Clock;
use guerdon_domain::{
    ids::{MemberId, ServiceKeyId, SessionId, TelegramId},
    time::Timestamp,
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use crate::{
    env::ConfigError,
    hs256,
    secrets::{Secret, Secrets},
};

/// Lifetime of an operator's access token, in seconds.
pub const LIFETIME_SECONDS: i64 = 900;

/// Lifetime of a member's token, in seconds.
pub const MEMBER_LIFETIME_SECONDS: i64 = 3600;

/// Shortest key, in bytes: a key shorter than the hash's output would be the weakest part (RFC 7518, 3.2).
const SHORTEST_KEY: usize = 32;

const ISSUER: &str = "guerdon";
const OPERATORS: &str = "operators";
const MEMBERS: &str = "members";

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    /// A member's Telegram id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tid: Option<TelegramId>,
    /// The id of the service's key that a member's token was asked for with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    iat: i64,
    exp: i64,
}

/// An operator's sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The operator.
    pub operator: MemberId,
    /// Their session.
    pub session: SessionId,
}

/// Caller that a token identifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presented {
    /// An operator.
    Operator(Bearer),
    /// A member.
    Member(MemberToken),
}

/// A member, or a person who may become one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberToken {
    /// Their pseudonym.
    pub id: MemberId,
    /// Their Telegram id.
    pub telegram_id: TelegramId,
    /// The key of the service that asked for the token. The token is void once the key is revoked.
    pub service_key: ServiceKeyId,
}

/// Issues a token for an operator's session, signed with the newest key.
///
/// # Errors
/// [`ConfigError`] when no usable key is configured.
pub async fn issue(secrets: &Secrets, bearer: &Bearer, now: Timestamp) -> Result<String, ConfigError> {
    let of = Of { sid: Some(bearer.session.to_string()), tid: None, key: None };
    sign(secrets, (OPERATORS, LIFETIME_SECONDS), &bearer.operator, of, now).await
}

/// Issues a token with which a member acts on their own behalf.
///
/// # Errors
/// [`ConfigError`] when no usable key is configured.
pub async fn issue_to_member(
    secrets: &Secrets,
    member: &MemberToken,
    now: Timestamp,
) -> Result<String, ConfigError> {
    let of = Of { sid: None, tid: Some(member.telegram_id), key: Some(member.service_key.to_string()) };
    sign(secrets, (MEMBERS, MEMBER_LIFETIME_SECONDS), &member.id, of, now).await
}

/// The claims in which the tokens of operators and members differ.
struct Of {
    sid: Option<String>,
    tid: Option<TelegramId>,
    key: Option<String>,
}

async fn sign(
    secrets: &Secrets,
    (audience, lifetime): (&str, i64),
    subject: &MemberId,
    Of { sid, tid, key }: Of,
    now: Timestamp,
) -> Result<String, ConfigError> {
    let keys = keys(secrets).await?;
    let newest = keys.first().ok_or_else(|| invalid("is empty"))?;
    let claims = Claims {
        iss: ISSUER.to_owned(),
        aud: audience.to_owned(),
        sub: subject.to_string(),
        sid,
        tid,
        key,
        iat: now.seconds(),
        exp: now.seconds().saturating_add(lifetime),
    };
    hs256::install();
    encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(newest.as_bytes()))
        .map_err(|_| invalid("cannot sign"))
}

/// Identifies the caller by `token`; none when no key in force signed it or it has expired.
///
/// # Errors
/// [`ConfigError`] when no usable key is configured.
pub async fn presented(
    secrets: &Secrets,
    token: &str,
    clock: &dyn Clock,
) -> Result<Option<Presented>, ConfigError> {
    hs256::install();
    let mut rules = Validation::new(Algorithm::HS256);
    rules.set_issuer(&[ISSUER]);
    rules.set_audience(&[OPERATORS, MEMBERS]);
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    // The expiry is checked below, by the clock that is passed in.
    rules.validate_exp = false;
    let found = keys(secrets)
        .await?
        .iter()
        .find_map(|key| decode::<Claims>(token, &DecodingKey::from_secret(key.as_bytes()), &rules).ok());
    let claims = found.map(|found| found.claims).filter(|claims| clock.now().seconds() < claims.exp);
    Ok(claims.and_then(|claims| {
        let subject = MemberId::parse(claims.sub).ok()?;
        match (claims.aud.as_str(), claims.sid, claims.tid) {
            (OPERATORS, Some(session), None) => {
                let session = SessionId::parse(session).ok()?;
                Some(Presented::Operator(Bearer { operator: subject, session }))
            }
            (MEMBERS, None, Some(telegram_id)) => {
                let service_key = ServiceKeyId::parse(claims.key?).ok()?;
                Some(Presented::Member(MemberToken { id: subject, telegram_id, service_key }))
            }
            _ => None,
        }
    }))
}

/// Reads all keys in force, the newest first: while a key is being replaced there are two.
async fn keys(secrets: &Secrets) -> Result<Vec<String>, ConfigError> {
    let configured = secrets.get(Secret::TokenKey).await?;
    let keys: Vec<_> = configured.split(',').map(|key| key.trim().to_owned()).collect();
    if keys.iter().any(|key| key.len() < SHORTEST_KEY) {
        return Err(invalid("must be keys of at least 32 characters, separated by commas"));
    }
    Ok(keys)
}

fn invalid(problem: &str) -> ConfigError {
    ConfigError::Invalid { name: Secret::TokenKey.variable(), problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use guerdon_app::context::{FixedClock, MovableClock};
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::Sha384;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
    const OLD: &str = "an-old-key-of-more-than-32-characters";
    const NEW: &str = "a-newer-key-of-more-than-32-characters";

    fn with(keys: &str) -> Secrets {
        Secrets::given([(Secret::TokenKey, keys.to_owned())])
    }

    fn ana() -> Bearer {
        let operator = MemberId::parse("0123456789abcdef0123456789abcdef").unwrap();
        Bearer { operator, session: SessionId::parse("s1").unwrap() }
    }

    #[tokio::test]
    async fn a_token_is_good_for_a_quarter_of_an_hour() {
        let (secrets, clock) = (with(OLD), FixedClock::new(NOW));
        let token = issue(&secrets, &ana(), NOW).await.unwrap();
        assert_eq!(presented(&secrets, &token, &clock).await.unwrap(), Some(Presented::Operator(ana())));
        clock.advance(LIFETIME_SECONDS - 1);
        assert_eq!(presented(&secrets, &token, &clock).await.unwrap(), Some(Presented::Operator(ana())));
        clock.advance(1);
        assert_eq!(presented(&secrets, &token, &clock).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_rolled_key_opens_until_it_is_taken_out() {
        let clock = FixedClock::new(NOW);
        let token = issue(&with(OLD), &ana(), NOW).await.unwrap();
        let both = with(&format!("{NEW},{OLD}"));
        assert_eq!(presented(&both, &token, &clock).await.unwrap(), Some(Presented::Operator(ana())));
        assert_eq!(presented(&with(NEW), &token, &clock).await.unwrap(), None);
        let token = issue(&both, &ana(), NOW).await.unwrap();
        assert_eq!(
            presented(&with(NEW), &token, &clock).await.unwrap(),
            Some(Presented::Operator(ana())),
            "the first one signs"
        );
    }

    #[tokio::test]
    async fn a_members_token_is_a_members_and_good_for_an_hour() {
        let (secrets, clock) = (with(OLD), FixedClock::new(NOW));
        let service_key = ServiceKeyId::parse("0123456789abcdef").unwrap();
        let telegram_id = TelegramId::try_new(42).unwrap();
        let member = MemberToken { id: ana().operator, telegram_id, service_key };
        let token = issue_to_member(&secrets, &member, NOW).await.unwrap();
        let expect = Some(Presented::Member(member));
        assert_eq!(presented(&secrets, &token, &clock).await.unwrap(), expect);
        clock.advance(MEMBER_LIFETIME_SECONDS);
        assert_eq!(presented(&secrets, &token, &clock).await.unwrap(), None);
    }

    /// An operator's claims, or a member's, for a minute.
    fn claims(aud: &str, iss: &str) -> Claims {
        Claims {
            iss: iss.to_owned(),
            aud: aud.to_owned(),
            sub: ana().operator.to_string(),
            sid: (aud != MEMBERS).then(|| "s1".to_owned()),
            tid: None,
            key: None,
            iat: NOW.seconds(),
            exp: NOW.seconds() + 60,
        }
    }

    fn signed(claims: &Claims) -> String {
        hs256::install();
        encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(OLD.as_bytes())).unwrap()
    }

    /// A token that the right key signed in another way, which this process itself cannot.
    fn signed_by_384_bits(claims: &Claims) -> String {
        let part = |json: String| URL_SAFE_NO_PAD.encode(json);
        let header = part(r#"{"typ":"JWT","alg":"HS384"}"#.to_owned());
        let text = format!("{header}.{}", part(serde_json::to_string(claims).unwrap()));
        let mac = Hmac::<Sha384>::new_from_slice(OLD.as_bytes()).unwrap().chain_update(&text).finalize();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.into_bytes()))
    }

    #[tokio::test]
    async fn nothing_else_opens() {
        let (secrets, clock) = (with(OLD), FixedClock::new(NOW));
        let good = signed(&claims(OPERATORS, ISSUER));
        assert!(presented(&secrets, &good, &clock).await.unwrap().is_some());
        // {"alg":"none","typ":"JWT"}
        let unsigned =
            good.split('.').nth(1).map(|body| format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{body}."));
        for token in [
            String::new(),
            "a.b.c".to_owned(),
            good[..good.len() - 2].to_owned(),
            signed_by_384_bits(&claims(OPERATORS, ISSUER)),
            signed(&claims("customers", ISSUER)),
            signed(&claims(OPERATORS, "somebody")),
            unsigned.unwrap(),
        ] {
            assert_eq!(presented(&secrets, &token, &clock).await.unwrap(), None, "{token}");
        }
        assert!(issue(&with("too short"), &ana(), NOW).await.is_err());
    }
}
