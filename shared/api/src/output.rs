//! Writing answers: money as exact decimals, errors as problems.

use axum::response::{IntoResponse, Response};
use guerdon_app::error::AppError;
use guerdon_domain::{ids::TelegramId, money::Money};
use guerdon_runtime::problem::{self, Problem};
use http::{HeaderName, HeaderValue};
use rust_decimal::Decimal;
use serde::{Serialize, Serializer, ser::Error};
use serde_json::value::RawValue;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

/// A problem that is an answer, of a call that was refused or that failed.
#[derive(Debug)]
pub struct Refusal(pub Problem);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.0.into_response::<String>().map(axum::body::Body::from)
    }
}

impl From<AppError> for Refusal {
    fn from(error: AppError) -> Self {
        tracing::error!(code = error.code(), %error, "call failed");
        Self(if error.retryable() { problem::unavailable() } else { problem::internal() })
    }
}

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Marks an answer as repeated: it was given before.
pub fn replayed(mut response: Response, before: bool) -> Response {
    if before {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// An amount as a JSON number with all its decimals: `10.00`. It is written from its digits, without a float.
pub struct Amount(pub Money);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits = RawValue::from_string(self.0.to_major().to_string()).map_err(S::Error::custom)?;
        digits.serialize(serializer)
    }
}

impl PartialSchema for Amount {
    fn schema() -> RefOr<Schema> {
        let amount = ObjectBuilder::new()
            .schema_type(Type::Number)
            .description(Some("An exact decimal in major units, with all its digits: `10.00`."))
            .examples([serde_json::json!(10)]);
        amount.into()
    }
}

impl ToSchema for Amount {}

/// A percentage with one decimal, rounded half to even: `30.0`. It is `0.0` when the whole is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percent {
    /// The part.
    pub part: i64,
    /// The whole.
    pub whole: i64,
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let share = if self.whole == 0 {
            Decimal::ZERO
        } else {
            let hundredfold = Decimal::from(self.part).checked_mul(Decimal::ONE_HUNDRED);
            hundredfold.and_then(|part| part.checked_div(Decimal::from(self.whole))).unwrap_or_default()
        };
        let text = format!("{:.1}", share.round_dp(1));
        RawValue::from_string(text).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl PartialSchema for Percent {
    fn schema() -> RefOr<Schema> {
        let percent = ObjectBuilder::new()
            .schema_type(Type::Number)
            .description(Some("Percent with one decimal."))
            .examples([serde_json::json!(30)]);
        percent.into()
    }
}

impl ToSchema for Percent {}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items. A page may have fewer than were asked for, even none, although there is a next page.
    pub items: Vec<T>,
    /// Give it as `cursor` for the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// User ids are strings in this API, as documented.
pub fn id_text(id: Option<TelegramId>) -> Option<String> {
    id.map(|id| id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_exact_to_a_decimal() {
        for (part, whole, expect) in [
            (45, 150, "30.0"),
            (1, 3, "33.3"),
            (2, 3, "66.7"),
            (0, 0, "0.0"),
            (7, 7, "100.0"),
            (1, 8, "12.5"),
        ] {
            assert_eq!(serde_json::to_string(&Percent { part, whole }).unwrap(), expect);
        }
    }
}
