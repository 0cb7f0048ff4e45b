//! Writing answers: money as exact decimals, errors as problems.

use axum::response::{IntoResponse, Response};
use guerdon_app::{
    AppError, WithdrawalError,
    desk::{BankRefusal, CallRefusal, DeskError, ProgramRefusal},
};
use guerdon_domain::{Money, TelegramId};
use guerdon_runtime::problem::{self, Problem};
use http::{HeaderName, HeaderValue, StatusCode};
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

fn unchanged(
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    why: impl std::fmt::Display,
) -> Refusal {
    Refusal(Problem::new(status, code, title, format!("Nothing was changed: {why}.")))
}

const KEY_REUSED: (StatusCode, &str, &str) =
    (StatusCode::CONFLICT, "idempotency_key_reused", "Key used before");

impl From<CallRefusal> for Refusal {
    fn from(refusal: CallRefusal) -> Self {
        let (status, code, title) = KEY_REUSED;
        match refusal {
            CallRefusal::App(error) => error.into(),
            CallRefusal::KeyReused => unchanged(status, code, title, refusal),
        }
    }
}

impl From<ProgramRefusal> for Refusal {
    fn from(refusal: ProgramRefusal) -> Self {
        let (status, code, title) = match refusal {
            ProgramRefusal::App(error) => return error.into(),
            ProgramRefusal::Invalid(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "bad_program", "The program cannot be")
            }
            ProgramRefusal::Outdated(_) => {
                (StatusCode::CONFLICT, "outdated_program", "Another version is in force")
            }
            ProgramRefusal::KeyReused => KEY_REUSED,
        };
        unchanged(status, code, title, refusal)
    }
}

impl From<BankRefusal> for Refusal {
    fn from(refusal: BankRefusal) -> Self {
        let (status, code, title) = match refusal {
            BankRefusal::App(error) => return error.into(),
            BankRefusal::UnknownMember => (StatusCode::NOT_FOUND, "unknown_member", "Unknown member"),
            BankRefusal::UnknownProduct(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "unknown_product", "Unknown product")
            }
            BankRefusal::BadAmount(_) => (StatusCode::BAD_REQUEST, "bad_amount", "Bad request"),
            BankRefusal::ReferenceUsed => (StatusCode::CONFLICT, "reference_used", "Reference used before"),
            BankRefusal::KeyReused => KEY_REUSED,
        };
        unchanged(status, code, title, refusal)
    }
}

impl From<WithdrawalError> for Refusal {
    fn from(error: WithdrawalError) -> Self {
        use WithdrawalError as E;
        let status = match &error {
            E::App(_) => match error {
                E::App(error) => return error.into(),
                _ => return Self(problem::internal()),
            },
            E::Unknown | E::UnknownMember => StatusCode::NOT_FOUND,
            E::WrongState(_) | E::OneOpen(_) | E::SameOperator | E::KeyReused | E::Owes(_) => {
                StatusCode::CONFLICT
            }
            E::CoolingDown(_) => StatusCode::TOO_MANY_REQUESTS,
            E::BadAmount(_) | E::BadText(_) => StatusCode::BAD_REQUEST,
            E::NotOffered
            | E::MethodNotOffered
            | E::Destination(_)
            | E::BelowMinimum(_)
            | E::Insufficient { .. }
            | E::Barred => StatusCode::UNPROCESSABLE_ENTITY,
        };
        unchanged(status, error.code(), "Refused", error)
    }
}

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Marks an answer that was given before.
pub(crate) fn replayed(mut response: Response, before: bool) -> Response {
    if before {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
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
