//! Reading requests: bad input is a clear 400 or 422 and changes nothing.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use guerdon_app::error::AppError;
use guerdon_domain::{
    ids::TelegramId,
    money::{Currency, Money},
    time::Timestamp,
};
use guerdon_runtime::problem::Problem;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::output::Refusal;

/// 400: the request cannot be read as what the route takes.
pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Refusal {
    Refusal(Problem::new(StatusCode::BAD_REQUEST, code, "Bad request", detail))
}

/// Well formed, and yet it cannot be.
pub fn unprocessable(code: &'static str, detail: impl Into<String>) -> Refusal {
    Refusal(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, "Cannot be done", detail))
}

/// `limit` of a list: 1 to 200, 50 when it is left out.
///
/// # Errors
/// 400.
pub fn limit(text: Option<&str>) -> Result<i32, Refusal> {
    number(("limit", "bad_limit"), text, (50, 200))
}

/// A parameter from 1 up to the second number, the first when it is left out; by its name, and the code of a refusal.
///
/// # Errors
/// 400.
pub fn number(
    (name, code): (&str, &'static str),
    text: Option<&str>,
    (usual, most): (i32, i32),
) -> Result<i32, Refusal> {
    match text.map(str::parse::<i32>) {
        None => Ok(usual),
        Some(Ok(number)) if (1..=most).contains(&number) => Ok(number),
        Some(_) => Err(bad_request(code, format!("{name} must be a whole number from 1 to {most}."))),
    }
}

/// A Telegram user id in digits.
///
/// # Errors
/// 400.
pub fn user_id(text: &str) -> Result<TelegramId, Refusal> {
    TelegramId::parse(text)
        .map_err(|_| bad_request("bad_user_id", "user_id must be a Telegram user id in digits."))
}

/// The cursor of the page behind `items`: a page that is not full is the last one.
///
/// # Errors
/// [`AppError`] when the place cannot be written as JSON.
pub fn next_cursor<T, P: Serialize>(
    items: &[T],
    limit: i32,
    place: impl FnOnce(&T) -> P,
) -> Result<Option<String>, AppError> {
    let full = i32::try_from(items.len()).unwrap_or(i32::MAX) >= limit;
    items.last().filter(|_| full).map(|last| encode_cursor(&place(last))).transpose()
}

/// The longest position in a cursor, in bytes of JSON. A key of the table may have 1024 bytes.
const LONGEST_POSITION: usize = 900;

/// Cursors are opaque to clients; inside they are a position's JSON.
///
/// # Errors
/// 400.
pub fn cursor<T: DeserializeOwned>(text: Option<&str>) -> Result<Option<T>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    // The table takes no empty key and none that is longer.
    let fits = |json: &Vec<u8>| json.len() <= LONGEST_POSITION && !json.windows(2).any(|two| two == br#""""#);
    let json = URL_SAFE_NO_PAD.decode(text).ok().filter(fits);
    match json.and_then(|json| serde_json::from_slice(&json).ok()) {
        Some(position) => Ok(Some(position)),
        None => Err(bad_request("bad_cursor", "cursor must be a next_cursor of this list.")),
    }
}

/// A position as a cursor.
///
/// # Errors
/// [`AppError`] when it cannot be written as JSON.
pub fn encode_cursor<T: Serialize>(position: &T) -> Result<String, AppError> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(position)?))
}

/// A body that has to be there and to be this and nothing else.
///
/// # Errors
/// 400.
pub fn json<'a, T: Deserialize<'a>>(body: &'a [u8], expected: &str) -> Result<T, Refusal> {
    let refused =
        |why: &str| bad_request("bad_body", format!("The body must be a JSON object of {expected} ({why})."));
    // A list of the fields' values would do for serde.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(refused("it is a list"));
    }
    serde_json::from_slice(body).map_err(|error| refused(&error.to_string()))
}

/// The same for a body that may be left out: then it is what it is by default.
///
/// # Errors
/// 400.
pub fn optional_json<'a, T: Default + Deserialize<'a>>(body: &'a [u8], expected: &str) -> Result<T, Refusal> {
    if body.is_empty() { Ok(T::default()) } else { json(body, expected) }
}

/// A currency's code.
///
/// # Errors
/// 400.
pub fn currency(text: &str) -> Result<Currency, Refusal> {
    Currency::parse(text)
        .map_err(|_| bad_request("bad_currency", "currency must be a currency's code, as USD."))
}

/// An RFC 3339 instant.
///
/// # Errors
/// 400.
pub fn instant(name: &str, text: &str) -> Result<Timestamp, Refusal> {
    let parsed = text.parse::<jiff::Timestamp>();
    parsed
        .map(|at| Timestamp::from_millis(at.as_millisecond()))
        .map_err(|_| bad_request("bad_time", format!("{name} must be an instant, as 2026-11-21T00:00:00Z.")))
}

/// 400: something has to be in the body.
pub fn missing(field: &str) -> Refusal {
    bad_request("bad_body", format!("{field} is missing."))
}

/// The text of a JSON number or string, read without passing through a float.
pub fn text(raw: &RawValue) -> &str {
    raw.get().trim_matches('"')
}

/// An amount in major units.
///
/// # Errors
/// 400.
pub fn amount(text: &str, currency: Currency) -> Result<Money, Refusal> {
    Money::parse_major(text, currency).map_err(|_| {
        bad_request("bad_amount", format!("amount must be a plain decimal in {currency}, as 10.00."))
    })
}

/// The caller's key: 1 to 128 visible ASCII characters without `#`.
///
/// # Errors
/// 400 when it is missing or malformed.
pub fn idempotency_key(headers: &HeaderMap) -> Result<String, Refusal> {
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

/// The caller's key, where they sent one.
///
/// # Errors
/// 400 when it is malformed.
pub fn optional_idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    headers.contains_key("idempotency-key").then(|| idempotency_key(headers)).transpose()
}
