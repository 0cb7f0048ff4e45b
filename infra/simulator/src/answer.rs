//! Answers under `/sim/api`. Bodies are JSON and nothing else, so that a page of another origin cannot post here behind
//! a person's back.

use axum::{
    Json,
    extract::{FromRequest, Request, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::injection::Injection;

/// The answer to an action.
pub(crate) type Answer = Result<Json<Value>, ActionError>;

/// The reason why an action on the page was not done; answered as a status and a sentence.
#[derive(Debug)]
pub(crate) struct ActionError {
    pub(crate) status: u16,
    pub(crate) message: String,
}

impl ActionError {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self { status: 400, message: message.into() }
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self { status: 404, message: message.into() }
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self { status: 409, message: message.into() }
    }
}

impl IntoResponse for ActionError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, Json(json!({"ok": false, "error": self.message}))).into_response()
    }
}

impl From<JsonRejection> for ActionError {
    fn from(rejection: JsonRejection) -> Self {
        Self { status: rejection.status().as_u16(), message: rejection.body_text() }
    }
}

/// A JSON body whose rejection is JSON as well.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ActionError;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let Json(body) = Json::<T>::from_request(request, state).await?;
        Ok(Self(body))
    }
}

/// Says that it is done, with what came of it.
pub(crate) fn done(mut answer: Value) -> Answer {
    answer["ok"] = json!(true);
    Ok(Json(answer))
}

/// An ordered failure, if it can be one; None calls it off.
pub(crate) fn checked(injection: Injection) -> Result<Option<Injection>, ActionError> {
    if !(400..600).contains(&injection.status) {
        return Err(ActionError::invalid("a failure has a status of 400 to 599"));
    }
    Ok((injection.next > 0).then_some(injection))
}
