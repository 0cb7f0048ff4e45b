//! Reading requests: bad input is a clear 400 or 422 and changes nothing.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use guerdon_app::{
    AppError,
    desk::{DeskCall, DeskRequest},
};
use guerdon_domain::{
    Currency, ExternalPaymentId, Money, PaymentKey, Rail, TelegramId, Timestamp, WalletKind,
};
use guerdon_runtime::problem::Problem;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::{auth::Principal, output::Refusal};

pub(crate) fn bad_request(code: &'static str, detail: impl Into<String>) -> Refusal {
    Refusal(Problem::new(StatusCode::BAD_REQUEST, code, "Bad request", detail))
}

/// Well formed, and yet it cannot be.
pub(crate) fn unprocessable(code: &'static str, detail: impl Into<String>) -> Refusal {
    Refusal(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, "Cannot be done", detail))
}

/// `limit` of a list: 1 to 200, 50 when it is left out.
pub(crate) fn limit(text: Option<&str>) -> Result<i32, Refusal> {
    match text.map(str::parse::<i32>) {
        None => Ok(50),
        Some(Ok(limit)) if (1..=200).contains(&limit) => Ok(limit),
        Some(_) => Err(bad_request("bad_limit", "limit must be a whole number from 1 to 200.")),
    }
}

pub(crate) fn user_id(text: &str) -> Result<TelegramId, Refusal> {
    TelegramId::parse(text)
        .map_err(|_| bad_request("bad_user_id", "user_id must be a Telegram user id in digits."))
}

/// The cursor of the page behind `items`: a page that is not full is the last one.
pub(crate) fn next_cursor<T, P: Serialize>(
    items: &[T],
    limit: i32,
    place: impl FnOnce(&T) -> P,
) -> Result<Option<String>, AppError> {
    let full = i32::try_from(items.len()).unwrap_or(i32::MAX) >= limit;
    items.last().filter(|_| full).map(|last| encode_cursor(&place(last))).transpose()
}

/// Cursors are opaque to clients; inside they are a position's JSON.
pub(crate) fn cursor<T: DeserializeOwned>(text: Option<&str>) -> Result<Option<T>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    let position = URL_SAFE_NO_PAD.decode(text).ok().and_then(|json| serde_json::from_slice(&json).ok());
    match position {
        Some(position) => Ok(Some(position)),
        None => Err(bad_request("bad_cursor", "cursor must be a next_cursor of this list.")),
    }
}

pub(crate) fn encode_cursor<T: Serialize>(position: &T) -> Result<String, AppError> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(position)?))
}

/// A write's body. Ids and amounts may come as JSON numbers or strings; they are read from their text, so
/// no amount ever passes through a float.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WriteBody<'a> {
    #[serde(borrow)]
    user_id: Option<&'a RawValue>,
    #[serde(borrow)]
    amount: Option<&'a RawValue>,
    reason: Option<String>,
}

/// A write, read and checked.
pub(crate) struct Write {
    pub(crate) request: DeskRequest,
    /// Only for writes that move money.
    pub(crate) amount: Option<Money>,
}

/// Reads a write. `currency` is the currency of `amount`, none for writes that have no amount.
pub(crate) fn write(
    route: &str,
    principal: &Principal,
    headers: &HeaderMap,
    body: &[u8],
    currency: Option<Currency>,
) -> Result<Write, Refusal> {
    let key = idempotency_key(headers)?;
    let body: WriteBody<'_> = serde_json::from_slice(body).map_err(|error| {
        bad_request(
            "bad_body",
            format!("The body must be a JSON object of user_id, amount and reason ({error})."),
        )
    })?;
    let user_id = user_id(text(body.user_id.ok_or_else(|| missing("user_id"))?))?;
    let reason = reason(body.reason)?;
    let amount = match (currency, body.amount) {
        (Some(currency), Some(raw)) => Some(amount(text(raw), currency)?),
        (Some(_), None) => return Err(missing("amount")),
        (None, Some(_)) => return Err(bad_request("bad_body", "This call takes no amount.")),
        (None, None) => None,
    };
    let minor = amount.map(Money::minor).unwrap_or_default();
    let input_hash = hex::encode(Sha256::digest(format!("{route}\n{user_id}\n{minor}\n{reason}")));
    let request = DeskRequest { principal: principal.name.clone(), key, input_hash, user_id, reason };
    Ok(Write { request, amount })
}

/// A body that has to be there and to be this and nothing else.
pub(crate) fn json<'a, T: Deserialize<'a>>(body: &'a [u8], expected: &str) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        bad_request("bad_body", format!("The body must be a JSON object of {expected} ({error})."))
    })
}

/// Why an operator does something.
pub(crate) fn reason(text: Option<String>) -> Result<String, Refusal> {
    let reason = text.unwrap_or_default().trim().to_owned();
    if (3..=500).contains(&reason.chars().count()) {
        Ok(reason)
    } else {
        Err(bad_request("bad_reason", "reason must say why, in 3 to 500 characters."))
    }
}

/// A write under its key. `parts` are what the call is about: the same key with others is refused.
pub(crate) fn call(
    route: &str,
    principal: &Principal,
    headers: &HeaderMap,
    parts: &[&str],
) -> Result<DeskCall, Refusal> {
    let key = idempotency_key(headers)?;
    let mut digest = Sha256::new_with_prefix(route);
    for part in parts {
        // With its length, so that no two calls look alike.
        digest.update(format!("\n{}:{part}", part.len()));
    }
    let input_hash = hex::encode(digest.finalize());
    Ok(DeskCall { principal: principal.name.clone(), key, input_hash })
}

/// The same for a write about a member.
pub(crate) fn request_of(call: DeskCall, user_id: TelegramId, reason: String) -> DeskRequest {
    let DeskCall { principal, key, input_hash } = call;
    DeskRequest { principal, key, input_hash, user_id, reason }
}

/// `stripe:in_123`: the rail and the provider's own id.
pub(crate) fn payment_key(text: &str) -> Result<PaymentKey, Refusal> {
    let malformed =
        || bad_request("bad_payment", "payment must be a rail and the provider's id, as stripe:in_123.");
    let (rail, id) = text.split_once(':').ok_or_else(malformed)?;
    let rail = serde_json::from_value::<Rail>(rail.into()).map_err(|_| malformed())?;
    Ok(PaymentKey { rail, id: ExternalPaymentId::parse(id).map_err(|_| malformed())? })
}

/// `earnings`, `balance`, `bill_credit` or `credits`.
pub(crate) fn wallet_kind(text: &str) -> Result<WalletKind, Refusal> {
    serde_json::from_value(text.into()).map_err(|_| {
        bad_request("bad_wallet", "wallet must be one of earnings, balance, bill_credit and credits.")
    })
}

pub(crate) fn currency(text: &str) -> Result<Currency, Refusal> {
    Currency::parse(text)
        .map_err(|_| bad_request("bad_currency", "currency must be a currency's code, as USD."))
}

/// An RFC 3339 instant.
pub(crate) fn instant(name: &str, text: &str) -> Result<Timestamp, Refusal> {
    let parsed = text.parse::<jiff::Timestamp>();
    parsed
        .map(|at| Timestamp::from_millis(at.as_millisecond()))
        .map_err(|_| bad_request("bad_time", format!("{name} must be an instant, as 2026-11-21T00:00:00Z.")))
}

pub(crate) fn missing(field: &str) -> Refusal {
    bad_request("bad_body", format!("{field} is missing."))
}

pub(crate) fn text(raw: &RawValue) -> &str {
    raw.get().trim_matches('"')
}

pub(crate) fn amount(text: &str, currency: Currency) -> Result<Money, Refusal> {
    Money::parse_major(text, currency).map_err(|_| {
        bad_request("bad_amount", format!("amount must be a plain decimal in {currency}, as 10.00."))
    })
}

fn idempotency_key(headers: &HeaderMap) -> Result<String, Refusal> {
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let fits = (1..=128).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic() && b != b'#');
    if fits {
        Ok(key.to_owned())
    } else {
        let detail =
            "Send an Idempotency-Key header of 1 to 128 visible characters; repeat it to repeat the call.";
        Err(bad_request("bad_idempotency_key", detail))
    }
}
