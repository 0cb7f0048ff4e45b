//! Writing answers: money as exact decimals, errors as problems.

use axum::response::{IntoResponse, Response};
use guerdon_app::AppError;
use guerdon_domain::{Money, TelegramId};
use guerdon_runtime::problem::{self, Problem};
use http::{HeaderName, HeaderValue};
use serde::{Serialize, Serializer, ser::Error};
use serde_json::value::RawValue;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

/// A problem as an answer.
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

/// Marks an answer that was given before.
pub fn replayed(mut response: Response, before: bool) -> Response {
    if before {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// An amount as a JSON number with all its decimals: `10.00`. It is written digit by digit.
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

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// What is on it. A page may have fewer than were asked for, even none, while there is a next one.
    pub items: Vec<T>,
    /// Give it as `cursor` for the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// User ids are strings in this API, as documented.
pub fn id_text(id: Option<TelegramId>) -> Option<String> {
    id.map(|id| id.to_string())
}
