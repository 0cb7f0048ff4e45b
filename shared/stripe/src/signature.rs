//! The `Stripe-Signature` header: `t=<unix seconds>,v1=<hex>[,v1=<hex>...]`, an HMAC-SHA256 of
//! `{t}.{raw body}` under the endpoint's whole secret, `whsec_` included
//! (<https://docs.stripe.com/webhooks#verify-manually>).

use std::fmt;

use guerdon_domain::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

/// The largest difference between `t` and our clock, in both directions. Stripe's own libraries use the same
/// figure; each retry is signed again, so a genuine delivery is never older.
pub const TOLERANCE_SECONDS: i64 = 300;

/// The shortest secret accepted. Stripe's have 38 characters; with an empty one anybody could sign.
pub const MIN_SECRET_LEN: usize = 8;

/// The reason why a webhook is rejected. The messages are stable and do not reveal anything about the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no header, or it is empty.
    #[error("the Stripe-Signature header is missing")]
    Missing,
    /// The header has no timestamp that is a decimal number.
    #[error("the Stripe-Signature header has no timestamp")]
    Malformed,
    /// The header has no signature of scheme `v1`.
    #[error("the Stripe-Signature header has no v1 signature")]
    NoV1,
    /// No `v1` signature was made with a configured secret over this body.
    #[error("the signature does not match")]
    Wrong,
    /// The signature is right, but more than 300 s old: a replay.
    #[error("the signature is too old")]
    TooOld,
    /// The signature is right, but more than 300 s ahead of our clock.
    #[error("the signature is from the future")]
    FromTheFuture,
}

/// The secret is too short to be safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a webhook secret has at least {MIN_SECRET_LEN} characters")]
pub struct WebhookSecretError;

/// The signing secret of one webhook endpoint. During a rotation two secrets are valid at once.
#[derive(Clone)]
pub struct WebhookSecret {
    keyed: Hmac<Sha256>,
}

impl WebhookSecret {
    /// Takes the secret as Stripe shows it, `whsec_` included.
    ///
    /// # Errors
    /// [`WebhookSecretError`] when it is shorter than [`MIN_SECRET_LEN`].
    pub fn try_new(secret: &str) -> Result<Self, WebhookSecretError> {
        if secret.len() < MIN_SECRET_LEN {
            return Err(WebhookSecretError);
        }
        let keyed = Hmac::new_from_slice(secret.as_bytes()).map_err(|_| WebhookSecretError)?;
        Ok(Self { keyed })
    }

    fn mac(&self, timestamp: &str, body: &[u8]) -> [u8; 32] {
        let mut mac = self.keyed.clone();
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(..)")
    }
}

/// Accepts the body if any `v1` signature of the header was made with any of `secrets`, within
/// [`TOLERANCE_SECONDS`] of `now`. `v0` and unknown schemes are ignored. Without a secret every request is
/// rejected.
///
/// # Errors
/// [`SignatureError`] with the reason. The age is checked last, so that it reveals nothing about an unsigned
/// request.
pub fn verify(
    header: &str,
    body: &[u8],
    secrets: &[WebhookSecret],
    now: Timestamp,
) -> Result<(), SignatureError> {
    let signed = SignedHeader::parse(header)?;
    let matches = secrets.iter().fold(Choice::from(0), |any, secret| {
        let expected = secret.mac(signed.timestamp, body);
        // Every pair is compared, so the duration does not reveal which one matched.
        signed.candidates.iter().fold(any, |any, candidate| any | candidate.ct_eq(&expected))
    });
    if !bool::from(matches) {
        return Err(SignatureError::Wrong);
    }
    let age_seconds = now.seconds().saturating_sub(signed.seconds);
    match age_seconds {
        age if age > TOLERANCE_SECONDS => Err(SignatureError::TooOld),
        age if age < -TOLERANCE_SECONDS => Err(SignatureError::FromTheFuture),
        _ => Ok(()),
    }
}

/// Makes the header that Stripe would send with `body` at `now`. For the simulator and for tests.
pub fn sign(body: &[u8], secret: &WebhookSecret, now: Timestamp) -> String {
    let timestamp = now.seconds().to_string();
    let signature = hex::encode(secret.mac(&timestamp, body));
    format!("t={timestamp},v1={signature}")
}

struct SignedHeader<'a> {
    /// The timestamp as it was sent: the text is signed, not the number.
    timestamp: &'a str,
    seconds: i64,
    candidates: Vec<[u8; 32]>,
}

impl<'a> SignedHeader<'a> {
    fn parse(header: &'a str) -> Result<Self, SignatureError> {
        if header.trim().is_empty() {
            return Err(SignatureError::Missing);
        }
        let pairs = || header.split(',').filter_map(|item| item.trim().split_once('='));
        let timestamp = pairs()
            .find_map(|(key, value)| (key == "t").then_some(value))
            .ok_or(SignatureError::Malformed)?;
        let digits = timestamp.bytes().all(|b| b.is_ascii_digit());
        let seconds = timestamp.parse().ok().filter(|_| digits).ok_or(SignatureError::Malformed)?;

        let v1: Vec<&str> = pairs().filter(|(key, _)| *key == "v1").map(|(_, value)| value).collect();
        if v1.is_empty() {
            return Err(SignatureError::NoV1);
        }
        // A text other than 64 hex digits cannot match; it must not stop the others from matching.
        let candidates = v1.into_iter().filter_map(decode_signature).collect();
        Ok(Self { timestamp, seconds, candidates })
    }
}

fn decode_signature(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok().map(|()| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_A1","object":"event"}"#;
    const NOW: Timestamp = Timestamp::from_seconds(1_795_253_400);

    fn secret(text: &str) -> WebhookSecret {
        WebhookSecret::try_new(text).unwrap()
    }

    fn v1(text: &str) -> String {
        sign(BODY, &secret(text), NOW).split_once(",v1=").unwrap().1.to_owned()
    }

    #[test]
    fn agrees_with_published_vectors() {
        // HMAC-SHA256 vectors of stripe-node, key `test_secret`. Our signatures have `{t}.` in front of the
        // body, so the bare MAC is checked.
        let check = |payload: &str, expected: &str| {
            let mut mac = secret("test_secret").keyed;
            mac.update(payload.as_bytes());
            assert_eq!(hex::encode(mac.finalize().into_bytes()), expected);
        };
        check("", "f7f9bd47fb987337b5796fdc1fdb9ba221d0d5396814bfcaf9521f43fd8927fd");
        check(
            r#"{"obj1":"hello","obj2":"world"}"#,
            "bebb1a643997f419b315ddba19e6f5411e1ce7f810ba6d3617ce72823092f363",
        );
        check("\u{1F600}", "837da296d05c4fe31f61d5d7ead035099d9585a5bcde87de952012a78f0b0c43");
    }

    #[test]
    fn takes_what_was_signed_with_any_configured_secret() {
        let check = |header: &str, secrets: &[&str]| {
            let secrets: Vec<_> = secrets.iter().map(|text| secret(text)).collect();
            assert_eq!(verify(header, BODY, &secrets, NOW), Ok(()), "{header}");
        };
        let t = NOW.seconds();
        let (old, new) = (v1("whsec_old"), v1("whsec_new"));
        check(&sign(BODY, &secret("whsec_old"), NOW), &["whsec_old"]);
        // During Stripe's rotation it signs with both secrets.
        check(&format!("t={t},v1={old},v1={new}"), &["whsec_new"]);
        check(&format!("t={t},v1={new},v1={old}"), &["whsec_new"]);
        // During our rotation we accept both secrets.
        check(&format!("t={t},v1={old}"), &["whsec_new", "whsec_old"]);
        check(&format!("v1={old},v0={new},t={t},v2=x"), &["whsec_old"]);
        check(&format!("t={t}, v1=not-hex, v1={old}, stray"), &["whsec_old"]);
    }

    #[test]
    fn refuses_everything_else() {
        let check = |header: &str, secrets: &[&str], expected: SignatureError| {
            let secrets: Vec<_> = secrets.iter().map(|text| secret(text)).collect();
            assert_eq!(verify(header, BODY, &secrets, NOW), Err(expected), "{header}");
        };
        let (t, good) = (NOW.seconds(), v1("whsec_old"));
        let known = ["whsec_old"];
        check("", &known, SignatureError::Missing);
        check("  ", &known, SignatureError::Missing);
        check("t", &known, SignatureError::Malformed);
        check("t,v1=,v0=", &known, SignatureError::Malformed);
        check("t,v1=,", &known, SignatureError::Malformed);
        check(&format!("t=,v1={good}"), &known, SignatureError::Malformed);
        check(&format!("t=-1,v1={good}"), &known, SignatureError::Malformed);
        check(&format!("t=+{t},v1={good}"), &known, SignatureError::Malformed);
        check(&format!("t=99999999999999999999,v1={good}"), &known, SignatureError::Malformed);
        check(&format!("v1={good}"), &known, SignatureError::Malformed);
        check(&format!("t={t},v0={good}"), &known, SignatureError::NoV1);
        check(&format!("t={t},v1="), &known, SignatureError::Wrong);
        check(&format!("t={t},v1={}", &good[..62]), &known, SignatureError::Wrong);
        check(&format!("t={},v1={good}", t - 1), &known, SignatureError::Wrong);
        check(&format!("t={t},v1={good}"), &["whsec_new"], SignatureError::Wrong);
        // Without a configured secret every request is rejected.
        check(&format!("t={t},v1={good}"), &[], SignatureError::Wrong);
    }

    #[test]
    fn refuses_another_body() {
        let header = sign(BODY, &secret("whsec_old"), NOW);
        assert_eq!(verify(&header, b"{}", &[secret("whsec_old")], NOW), Err(SignatureError::Wrong));
    }

    #[test]
    fn holds_to_the_tolerance_both_ways() {
        let check = |offset_seconds: i64, expected: Result<(), SignatureError>| {
            let header = sign(BODY, &secret("whsec_old"), NOW.plus_seconds(offset_seconds));
            assert_eq!(verify(&header, BODY, &[secret("whsec_old")], NOW), expected, "{offset_seconds}");
        };
        check(-300, Ok(()));
        check(300, Ok(()));
        check(-301, Err(SignatureError::TooOld));
        check(301, Err(SignatureError::FromTheFuture));
        check(-NOW.seconds(), Err(SignatureError::TooOld));
    }

    #[test]
    fn a_secret_is_long_enough_and_never_shown() {
        assert!(WebhookSecret::try_new("").is_err());
        assert!(WebhookSecret::try_new("whsec_1").is_err());
        assert_eq!(format!("{:?}", secret("whsec_old")), "WebhookSecret(..)");
    }
}
