//! The only call to SSM Parameter Store: `GetParameter`, signed and sent without the SSM SDK.
//!
//! The SSM SDK would be the largest client of all, for this one call: more than a megabyte in each function, which is
//! over the budget for a binary. This module uses the SDK's own signer and HTTP client (docs/adr/0011).

use std::{
    pin::Pin,
    time::{Duration, SystemTime},
};

use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_types::body::SdkBody;
use guerdon_domain::time::Timestamp;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::aws::Aws;

/// Error of the call, as a short code for logs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct SsmError(String);

impl From<&str> for SsmError {
    fn from(code: &str) -> Self {
        Self(code.to_owned())
    }
}

/// A client of Parameter Store. The connection is made at the first call.
pub(crate) struct Ssm(Aws);

/// Time limit of the whole call, connecting included.
const PATIENCE: Duration = Duration::from_secs(3);

impl Ssm {
    pub(crate) const fn new(aws: Aws) -> Self {
        Self(aws)
    }

    /// Reads the parameter's decrypted value; none when there is no such parameter.
    pub(crate) async fn parameter(&self, name: &str, now: Timestamp) -> Result<Option<String>, SsmError> {
        let mut last = SsmError::from("no answer");
        // Try again after a lost connection: a second read changes nothing.
        for _ in 0..3 {
            // Boxed: the caller's own future would otherwise be nested too deep for the compiler.
            let call: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(self.get(name, now));
            match tokio::time::timeout(PATIENCE, call).await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error)) => last = error,
                Err(_) => last = SsmError::from("timed out"),
            }
        }
        Err(last)
    }

    async fn get(&self, name: &str, now: Timestamp) -> Result<Option<String>, SsmError> {
        let body = json!({ "Name": name, "WithDecryption": true }).to_string();
        let request = self.signed(body, now)?.try_into().map_err(|_| SsmError::from("malformed request"))?;
        let response = self.0.https.call(request).await.map_err(|_| SsmError::from("no connection"))?;
        let status = response.status().as_u16();
        let bytes =
            response.into_body().collect().await.map_err(|_| SsmError::from("answer cut off"))?.to_bytes();
        read(status, &bytes)
    }

    fn signed(&self, body: String, now: Timestamp) -> Result<http::Request<SdkBody>, SsmError> {
        let endpoint = self.0.endpoint.clone();
        let url = endpoint.unwrap_or_else(|| format!("https://ssm.{}.amazonaws.com", self.0.region));
        let headers =
            [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "AmazonSSM.GetParameter")];
        let identity = self.0.credentials.clone().into();
        let millis = u64::try_from(now.millis()).unwrap_or_default();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.0.region)
            .name("ssm")
            .time(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
            .settings(SigningSettings::default())
            .build()
            .map_err(|_| SsmError::from("cannot sign"))?
            .into();
        let signable =
            SignableRequest::new("POST", &url, headers.into_iter(), SignableBody::Bytes(body.as_bytes()))
                .map_err(|_| SsmError::from("cannot sign"))?;
        let (instructions, _) =
            sign(signable, &params).map_err(|_| SsmError::from("cannot sign"))?.into_parts();
        let mut request = http::Request::post(&url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut request =
            request.body(SdkBody::from(body)).map_err(|_| SsmError::from("malformed request"))?;
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }
}

fn read(status: u16, body: &[u8]) -> Result<Option<String>, SsmError> {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    if status == 200 {
        return match answer["Parameter"]["Value"].as_str() {
            Some(value) => Ok(Some(value.to_owned())),
            None => Err(SsmError::from("malformed answer")),
        };
    }
    // `__type` may carry a namespace before the code.
    let code = answer["__type"].as_str().unwrap_or_default().rsplit('#').next().unwrap_or_default();
    match code {
        "ParameterNotFound" => Ok(None),
        "" => Err(SsmError(format!("status {status}"))),
        code => Err(SsmError(code.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        let check = |status, body: &str, expect: Result<Option<&str>, &str>| {
            let got = read(status, body.as_bytes());
            let got = got.as_ref().map(|value| value.as_deref()).map_err(|error| error.0.as_str());
            assert_eq!(got, expect, "{body}");
        };
        check(200, r#"{"Parameter":{"Name":"/g/a","Value":"secret"}}"#, Ok(Some("secret")));
        check(200, "{}", Err("malformed answer"));
        check(400, r#"{"__type":"ParameterNotFound"}"#, Ok(None));
        check(400, r#"{"__type":"com.amazonaws.ssm#AccessDeniedException"}"#, Err("AccessDeniedException"));
        check(503, "<html>", Err("status 503"));
    }

    #[test]
    fn a_request_is_signed_for_its_region_and_service() {
        let credentials = aws_credential_types::Credentials::new("AKID", "secret", None, None, "test");
        let ssm = Ssm::new(Aws::for_tests("eu-central-1", credentials));
        let request = ssm.signed("{}".to_owned(), Timestamp::from_seconds(1_795_253_400)).unwrap();
        let signature = request.headers()["authorization"].to_str().unwrap();
        assert!(signature.contains("Credential=AKID/20261121/eu-central-1/ssm/aws4_request"), "{signature}");
        assert_eq!(request.uri(), "https://ssm.eu-central-1.amazonaws.com");
    }
}
