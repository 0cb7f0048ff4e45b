//! Writing answers: money as exact decimals, errors as problems.

use axum::response::{IntoResponse, Response};
use guerdon_app::{AppError, desk::DeskError};
use guerdon_domain::{Money, TelegramId};
use guerdon_runtime::problem::{self, Problem};
use http::StatusCode;
use serde::{Serialize, Serializer, ser::Error};
use serde_json::value::RawValue;

/// A problem as an answer.
pub(crate) struct Refusal(pub(crate) Problem);

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

impl From<DeskError> for Refusal {
    fn from(error: DeskError) -> Self {
        let (status, code, title) = match &error {
            DeskError::UnknownMember => (StatusCode::NOT_FOUND, "unknown_member", "Unknown member"),
            DeskError::BadAmount(_) => (StatusCode::BAD_REQUEST, "bad_amount", "Bad request"),
            DeskError::Insufficient(_) => (StatusCode::CONFLICT, "insufficient_credit", "Not enough credit"),
            DeskError::NotReferred => (StatusCode::CONFLICT, "not_referred", "Not referred"),
            DeskError::NotPending(_) => (StatusCode::CONFLICT, "referral_not_pending", "Not pending"),
            DeskError::KeyReused => (StatusCode::CONFLICT, "idempotency_key_reused", "Key used before"),
            DeskError::App(_) => match error {
                DeskError::App(error) => return error.into(),
                _ => return Self(problem::internal()),
            },
        };
        Self(Problem::new(status, code, title, format!("Nothing was changed: {error}.")))
    }
}

/// An amount as a JSON number with all its decimals: `10.00`. It is written digit by digit.
pub(crate) struct Amount(pub(crate) Money);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits = RawValue::from_string(self.0.to_major().to_string()).map_err(S::Error::custom)?;
        digits.serialize(serializer)
    }
}

/// User ids are strings in this API, as documented.
pub(crate) fn id_text(id: Option<TelegramId>) -> Option<String> {
    id.map(|id| id.to_string())
}
