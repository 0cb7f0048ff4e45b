//! Outgoing calls: credit on a customer's balance, posted and looked up
//! (<https://docs.stripe.com/api/customer_balance_transactions>).

use std::{collections::HashMap, time::Duration};

use guerdon_domain::{ids::CustomerId, money::Money, time::Timestamp};
use reqwest::{Client, RequestBuilder, Url, header, header::HeaderValue, redirect};
use serde::{Deserialize, de::DeserializeOwned};

use crate::call_error::{ErrorAnswer, StripeCallError};

/// The longest time of a call, answer included.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// The most transactions of a customer that a look-up reads.
pub const LOOKUP_LIMIT: usize = 500;

/// The version of Stripe's answers, whatever the account's own is. It is the version that docs/deploy.md
/// requires for webhooks.
const API_VERSION: &str = "2026-10-28.endive";

const STRIPE: &str = "https://api.stripe.com";

const PAGE_LEN: usize = 100;

const KEY_LEN: usize = 255;

/// The largest difference between Stripe's clock and ours for which a look-up still finds everything.
const CLOCK_SLACK_SECONDS: i64 = 3600;

/// An idle connection is dropped after this time, before a router on the way drops it without notice.
const KEPT_IDLE: Duration = Duration::from_secs(30);

/// The reason why a client could not be made. It is shown at start, so each is a sentence for the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StripeClientError {
    /// The key is empty or has characters that are not allowed in a key.
    #[error("the Stripe API key is empty or malformed")]
    BadKey,
    /// The base URL is not valid.
    #[error("the Stripe base URL must be https://, or http:// on this machine, without query")]
    BadUrl,
    /// The TLS stack did not start.
    #[error("the HTTP client did not start")]
    Http,
}

/// A client of the Stripe API. Its future needs a tokio runtime with timers.
#[derive(Debug, Clone)]
pub struct StripeClient {
    http: Client,
    /// The base URL. It ends with a slash.
    base: String,
    /// Marked as sensitive: its debug output hides the value.
    authorization: HeaderValue,
    timeout: Duration,
}

/// The fields that we read of a balance transaction.
#[derive(Deserialize)]
struct Transaction {
    id: String,
    metadata: Option<HashMap<String, String>>,
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Transaction>,
    has_more: bool,
}

impl StripeClient {
    /// Makes a client for the account of `secret_key`, at Stripe or at `base_url`, which may have a path
    /// (`http://127.0.0.1:8080/sim/stripe`). Plain `http` is accepted for this machine only, because each
    /// request contains the key.
    pub fn try_new(secret_key: &str, base_url: Option<&str>) -> Result<Self, StripeClientError> {
        if secret_key.is_empty() || !secret_key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(StripeClientError::BadKey);
        }
        let mut authorization =
            HeaderValue::from_str(&format!("Bearer {secret_key}")).map_err(|_| StripeClientError::BadKey)?;
        authorization.set_sensitive(true);
        // The key is sent to the configured address only: through no proxy and after no redirect.
        let http = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .pool_idle_timeout(KEPT_IDLE)
            .user_agent(concat!("guerdon/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| StripeClientError::Http)?;
        let base = base_with_slash(base_url.unwrap_or(STRIPE))?;
        Ok(Self { http, base, authorization, timeout: CALL_TIMEOUT })
    }

    /// Sets another time limit per call.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Adds `amount` to the customer's balance (negative is credit for the next invoice) and returns the
    /// transaction's id, `cbtxn_...`. Calls with the same `idempotency_key` and parameters have one effect,
    /// for at least 24 hours; after that only [`Self::find_balance_transaction`] shows whether it was done.
    ///
    /// # Errors
    /// [`StripeCallError::Unknown`] when it may have been done: look it up before another call.
    /// [`StripeCallError::Busy`] when it was not done and may be tried later.
    pub async fn post_balance_transaction(
        &self,
        customer: &CustomerId,
        amount: Money,
        idempotency_key: &str,
        metadata: &[(&str, &str)],
        description: &str,
    ) -> Result<String, StripeCallError> {
        let (url, key) = (self.transactions(customer)?, checked_key(idempotency_key)?);
        let mut form = vec![
            ("amount".to_owned(), amount.minor().to_string()),
            ("currency".to_owned(), amount.currency().as_str().to_ascii_lowercase()),
            ("description".to_owned(), description.to_owned()),
        ];
        form.extend(metadata.iter().map(|(key, value)| (format!("metadata[{key}]"), (*value).to_owned())));
        let request = self.http.post(url).header("Idempotency-Key", key).form(&form);
        Ok(self.send::<Transaction>(request).await?.id)
    }

    /// Finds the newest transaction of the customer whose metadata has `value` under `key`. Reads back to
    /// `since` (the instant of the claim; an hour is added for clocks that differ), at most [`LOOKUP_LIMIT`].
    ///
    /// # Errors
    /// [`StripeCallError`]; also `Unknown` when the limit was reached before the end, because then nothing is
    /// proved.
    pub async fn find_balance_transaction(
        &self,
        customer: &CustomerId,
        key: &str,
        value: &str,
        since: Option<Timestamp>,
    ) -> Result<Option<String>, StripeCallError> {
        let url = self.transactions(customer)?;
        let mut query = vec![("limit", PAGE_LEN.to_string())];
        if let Some(since) = since {
            let from = since.seconds().saturating_sub(CLOCK_SLACK_SECONDS);
            query.push(("created[gte]", from.to_string()));
        }
        let mut after = None;
        for _ in 0..LOOKUP_LIMIT / PAGE_LEN {
            let request = self.http.get(url.clone()).query(&query);
            let request = match &after {
                Some(last) => request.query(&[("starting_after", last)]),
                None => request,
            };
            let page: Page = self.send(request).await?;
            let has =
                |metadata: &HashMap<String, String>| metadata.get(key).is_some_and(|found| found == value);
            if let Some(found) = page.data.iter().find(|item| item.metadata.as_ref().is_some_and(has)) {
                return Ok(Some(found.id.clone()));
            }
            match page.data.into_iter().next_back() {
                Some(last) if page.has_more => after = Some(last.id),
                _ => return Ok(None),
            }
        }
        Err(StripeCallError::Unknown { reason: "the customer has too many transactions to look through" })
    }

    /// The URL at which a customer's balance transactions are posted and listed. The id is part of the path,
    /// so it may not contain characters with a meaning there.
    fn transactions(&self, customer: &CustomerId) -> Result<Url, StripeCallError> {
        let (base, id) = (&self.base, customer.as_str());
        let is_plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        let url = Url::parse(&format!("{base}v1/customers/{id}/balance_transactions")).ok();
        url.filter(|_| is_plain).ok_or_else(|| {
            StripeCallError::refused("invalid_customer", "the customer id is not one of Stripe's")
        })
    }

    /// Starts a request for a list.
    pub(crate) fn get(&self, path: &str) -> Result<RequestBuilder, StripeCallError> {
        let url = Url::parse(&format!("{}{path}", self.base));
        url.map(|url| self.http.get(url)).map_err(|_| StripeCallError::refused("invalid_path", "not a path"))
    }

    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<T, StripeCallError> {
        let request = request
            .header(header::AUTHORIZATION, self.authorization.clone())
            .header("Stripe-Version", API_VERSION)
            .timeout(self.timeout);
        let answer = request.send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        let unreadable = |_| StripeCallError::Unknown { reason: "the answer could not be read" };
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(unreadable);
        }
        let refused: ErrorAnswer = serde_json::from_slice(&body).map_err(unreadable)?;
        Err(StripeCallError::of_answer(&refused.error, status.as_u16()))
    }
}

/// Returns the base URL with one slash at its end, so that the path can be appended.
fn base_with_slash(url: &str) -> Result<String, StripeClientError> {
    let is_local = |rest: &str| {
        let authority = rest.split('/').next().unwrap_or_default();
        let host = match authority.split_once(']') {
            Some((ipv6, _)) => ipv6,
            None => authority.split(':').next().unwrap_or_default(),
        };
        matches!(host, "127.0.0.1" | "localhost" | "[::1")
    };
    let allowed = url.strip_prefix("http://").map_or_else(|| url.starts_with("https://"), is_local);
    if !allowed || url.contains(['?', '#', '@', ' ']) || Url::parse(url).is_err() {
        return Err(StripeClientError::BadUrl);
    }
    Ok(format!("{}/", url.trim_end_matches('/')))
}

fn checked_key(key: &str) -> Result<&str, StripeCallError> {
    if (1..=KEY_LEN).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(key);
    }
    Err(StripeCallError::refused("invalid_idempotency_key", "1 to 255 visible ASCII characters are needed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_base_url_with_a_path_but_no_key_over_plain_http() {
        let check = |url: &str, expected: Option<&str>| {
            assert_eq!(base_with_slash(url).ok().as_deref(), expected, "{url}");
        };
        check("https://api.stripe.com", Some("https://api.stripe.com/"));
        check("http://127.0.0.1:8080/sim/stripe", Some("http://127.0.0.1:8080/sim/stripe/"));
        check("http://127.0.0.1:8080/sim/stripe/", Some("http://127.0.0.1:8080/sim/stripe/"));
        check("http://localhost", Some("http://localhost/"));
        check("http://[::1]:8080/", Some("http://[::1]:8080/"));
        check("http://[::1]", Some("http://[::1]/"));
        check("http://api.stripe.com/", None);
        check("http://127.0.0.1@example.com/", None);
        check("http://localhost.example.com/", None);
        check("https://api.stripe.com/?x=", None);
        check("127.0.0.1:8080", None);
        check("", None);
    }

    #[test]
    fn a_client_never_shows_its_key() {
        let client = StripeClient::try_new("sk_test_A1", None).unwrap();
        assert!(!format!("{client:?}").contains("sk_test"));
        assert_eq!(StripeClient::try_new("", None).unwrap_err(), StripeClientError::BadKey);
        assert_eq!(StripeClient::try_new("sk test\n", None).unwrap_err(), StripeClientError::BadKey);
    }
}
