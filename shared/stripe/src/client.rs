//! Outgoing calls: credit on a customer's balance, posted and looked up
//! (<https://docs.stripe.com/api/customer_balance_transactions>).

use std::{collections::HashMap, time::Duration};

use guerdon_domain::{CustomerId, Money, Timestamp};
use stripe::{Client, ClientBuilder, IdempotencyKey, RequestStrategy, StripeRequest};
use stripe_core::customer_balance_transaction::{
    CreateCustomerCustomerBalanceTransaction, ListCustomerCustomerBalanceTransaction,
};
use stripe_types::{Currency, RangeQueryTs};

use crate::StripeCallError;

/// How long a call may take, answer included.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// How many of a customer's transactions a look-up reads at most.
pub const LOOKUP_LIMIT: usize = 500;

const PAGE_LEN: usize = 100;

/// Stripe's clock and ours may differ by this much without a look-up missing anything.
const CLOCK_SLACK_SECONDS: i64 = 3600;

/// Why a client could not be made. Shown at start, so each is a sentence for the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StripeClientError {
    /// The key is empty or has characters that no key has.
    #[error("the Stripe API key is empty or malformed")]
    BadKey,
    /// The base URL is not one.
    #[error("the Stripe base URL must be https://, or http:// on this machine, without query")]
    BadUrl,
}

/// A client of the Stripe API. Its future needs a tokio runtime with timers.
#[derive(Debug, Clone)]
pub struct StripeClient {
    inner: Client,
    timeout: Duration,
}

impl StripeClient {
    /// A client for the account of `secret_key`, at Stripe or at `base_url`, which may have a path
    /// (`http://127.0.0.1:8080/sim/stripe`). Plain `http` is taken for this machine only: the key travels in
    /// each request.
    ///
    /// # Errors
    /// [`StripeClientError`].
    pub fn try_new(secret_key: &str, base_url: Option<&str>) -> Result<Self, StripeClientError> {
        if secret_key.is_empty() || !secret_key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(StripeClientError::BadKey);
        }
        let mut builder = ClientBuilder::new(secret_key);
        if let Some(url) = base_url {
            builder = builder.url(base_with_slash(url)?);
        }
        let inner = builder.build().map_err(|_| StripeClientError::BadUrl)?;
        Ok(Self { inner, timeout: CALL_TIMEOUT })
    }

    /// The same client with another limit per call.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Adds `amount` to the customer's balance (negative is credit for the next invoice) and answers the
    /// transaction's id, `cbtxn_...`. The same `idempotency_key` with the same parameters does it once, for at
    /// least 24 hours; after that only [`Self::find_balance_transaction`] tells whether it was done.
    ///
    /// # Errors
    /// [`StripeCallError`].
    pub async fn post_balance_transaction(
        &self,
        customer: &CustomerId,
        amount: Money,
        idempotency_key: &str,
        metadata: &[(&str, &str)],
        description: &str,
    ) -> Result<String, StripeCallError> {
        let metadata = metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let request = CreateCustomerCustomerBalanceTransaction::new(
            path_segment(customer)?,
            amount.minor(),
            stripe_currency(amount),
        )
        .metadata(metadata.collect::<HashMap<_, _>>())
        .description(description)
        .customize()
        .request_strategy(RequestStrategy::Idempotent(checked_key(idempotency_key)?))
        .timeout(self.timeout);
        Ok(request.send(&self.inner).await?.id.to_string())
    }

    /// The newest transaction of the customer whose metadata has `value` under `key`. Reads back to `since`
    /// (when the posting was claimed; an hour is added for clocks that differ), at most [`LOOKUP_LIMIT`].
    ///
    /// # Errors
    /// [`StripeCallError`]; `Unknown` too when the limit came before the end, for then nothing is proved.
    pub async fn find_balance_transaction(
        &self,
        customer: &CustomerId,
        key: &str,
        value: &str,
        since: Option<Timestamp>,
    ) -> Result<Option<String>, StripeCallError> {
        let mut list =
            ListCustomerCustomerBalanceTransaction::new(path_segment(customer)?).limit(PAGE_LEN as i64);
        if let Some(since) = since {
            list = list.created(RangeQueryTs::gte(since.seconds().saturating_sub(CLOCK_SLACK_SECONDS)));
        }
        for _ in 0..LOOKUP_LIMIT / PAGE_LEN {
            let page = list.customize().timeout(self.timeout).send(&self.inner).await?;
            let has =
                |metadata: &HashMap<String, String>| metadata.get(key).is_some_and(|found| found == value);
            if let Some(found) = page.data.iter().find(|item| item.metadata.as_ref().is_some_and(has)) {
                return Ok(Some(found.id.to_string()));
            }
            match page.data.last() {
                Some(last) if page.has_more => list = list.starting_after(last.id.to_string()),
                _ => return Ok(None),
            }
        }
        Err(StripeCallError::Unknown { reason: "the customer has too many transactions to look through" })
    }
}

/// The base URL as async-stripe wants it: it appends `v1/...` as it stands.
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
    if !allowed || url.contains(['?', '#', '@', ' ']) {
        return Err(StripeClientError::BadUrl);
    }
    Ok(format!("{}/", url.trim_end_matches('/')))
}

/// A customer's id stands in the request's path, so it may not hold what has a meaning there.
fn path_segment(customer: &CustomerId) -> Result<&str, StripeCallError> {
    let id = customer.as_str();
    if id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
        Ok(id)
    } else {
        Err(StripeCallError::refused("invalid_customer", "the customer id is not one of Stripe's"))
    }
}

fn checked_key(key: &str) -> Result<IdempotencyKey, StripeCallError> {
    let refused = || {
        StripeCallError::refused("invalid_idempotency_key", "1 to 255 visible ASCII characters are needed")
    };
    if key.bytes().all(|b| b.is_ascii_graphic()) {
        IdempotencyKey::new(key).map_err(|_| refused())
    } else {
        Err(refused())
    }
}

fn stripe_currency(amount: Money) -> Currency {
    let code = amount.currency().as_str().to_ascii_lowercase();
    code.parse().unwrap_or(Currency::Unknown(code))
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
