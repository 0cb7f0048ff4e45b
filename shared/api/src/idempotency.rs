//! Answers kept under the key that the caller chose: the same call again gets the same answer, and the same key with
//! another input is refused.
//!
//! The work comes first and its answer is kept afterwards, so the work has to be idempotent by itself: by the natural
//! key of what it makes, or by the state it moves. A crash in between costs nothing, because the same call does the
//! same again. Without a key that alone is the guard. A use case that writes its answer in its own transaction takes
//! [`Write::call`] instead.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    response::{IntoResponse, Response},
};
use guerdon_app::once::{Call, keep_answer};
use guerdon_runtime::problem;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    canonical::canonical,
    credentials::Principal,
    gate::Gate,
    input::{idempotency_key, optional_idempotency_key},
    output::{Refusal, replayed},
};

/// An answer that can be kept.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    status: u16,
    /// As text: amounts keep all their digits.
    body: Box<RawValue>,
}

impl Kept {
    /// `body` with a status of success.
    ///
    /// # Errors
    /// A [`Refusal`] when it cannot be written as JSON.
    pub fn new(status: StatusCode, body: &impl Serialize) -> Result<Self, Refusal> {
        let body = to_raw_value(body).map_err(guerdon_app::error::AppError::from)?;
        Ok(Self { status: status.as_u16(), body })
    }
}

impl IntoResponse for Kept {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let json = HeaderValue::from_static("application/json");
        (status, [(header::CONTENT_TYPE, json)], self.body.get().to_owned()).into_response()
    }
}

/// A write: who calls, what, and with which body.
pub struct Write {
    /// The caller.
    pub principal: Principal,
    /// The body.
    pub body: Bytes,
    headers: HeaderMap,
    /// Method and path.
    route: String,
}

impl Write {
    /// The caller's key, where they sent one.
    ///
    /// # Errors
    /// 400 when it is malformed.
    pub fn key(&self) -> Result<Option<String>, Refusal> {
        optional_idempotency_key(&self.headers)
    }

    /// The write under the caller's key, for a use case that keeps its own answer.
    ///
    /// # Errors
    /// 400 when the key is missing or malformed.
    pub fn call(&self, gate: &Gate) -> Result<Call, Refusal> {
        Ok(self.under(gate, idempotency_key(&self.headers)?))
    }

    fn under(&self, gate: &Gate, key: String) -> Call {
        // Keyed, so that what is in a body cannot be guessed by its hash.
        let input = [self.route.as_bytes(), b"\n", canonical(&self.body).as_ref()].concat();
        let input_hash = gate.app.pseudonyms.digest("idempotency", &input);
        Call { principal: self.principal.name.clone(), key, input_hash }
    }
}

/// Takes the whole call. The gate has put in who makes it.
impl<S: Send + Sync> FromRequest<S> for Write {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let principal = request.extensions().get::<Principal>().cloned();
        let principal = principal.ok_or_else(|| Refusal(problem::internal()).into_response())?;
        let route = format!("{} {}", request.method(), request.uri().path());
        let headers = request.headers().clone();
        let body = Bytes::from_request(request, state).await.map_err(IntoResponse::into_response)?;
        Ok(Self { principal, body, headers, route })
    }
}

/// Does `work` unless it was done and answered under the call's key; keeps its answer. The key may be left out.
///
/// # Errors
/// That of `work`, 409 for a key that was used for another input, 400 for a malformed one.
pub async fn once(
    gate: &Gate,
    write: &Write,
    work: impl Future<Output = Result<Kept, Refusal>>,
) -> Result<Response, Refusal> {
    let Some(key) = write.key()? else {
        return Ok(work.await?.into_response());
    };
    let call = write.under(gate, key);
    if let Some(kept) = call.answered(&gate.app).await? {
        let kept: Kept = serde_json::from_str(&kept).map_err(guerdon_app::error::AppError::from)?;
        return Ok(replayed(kept.into_response(), true));
    }
    let kept = work.await?;
    let body = serde_json::to_string(&kept).map_err(guerdon_app::error::AppError::from)?;
    keep_answer(&gate.app, &call, body, None).await?;
    Ok(kept.into_response())
}
