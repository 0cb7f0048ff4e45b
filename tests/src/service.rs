//! A service and members, as they call the API.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{ADMIN_TOKEN, Answer, World};

impl World {
    /// Makes a key for a service, as a super admin.
    pub async fn service_key(&self, scopes: &[&str]) -> String {
        let headers = [("x-admin-token", ADMIN_TOKEN), ("content-type", "application/json")];
        let body = json!({ "name": "a shop", "scopes": scopes }).to_string().into_bytes();
        let made = self.request(Method::POST, "/api/admin/service-keys", &headers, body).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.body["key"].as_str().expect("a key").to_owned()
    }

    /// Makes a key with all scopes.
    pub async fn shop(&self) -> String {
        let all = guerdon_domain::operators::Scope::ALL.map(guerdon_domain::operators::Scope::as_str);
        self.service_key(&all).await
    }

    /// Calls with a bearer token; `POST` when there is a body.
    pub async fn bearing(&self, bearer: &str, path: &str, body: Option<&Value>) -> Answer {
        self.keyed(bearer, path, body, None).await
    }

    /// Like [`Self::bearing`], but with an idempotency key.
    pub async fn keyed(&self, bearer: &str, path: &str, body: Option<&Value>, key: Option<&str>) -> Answer {
        let authorization = format!("Bearer {bearer}");
        let mut headers =
            vec![("authorization", authorization.as_str()), ("content-type", "application/json")];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        self.request(method, path, &headers, body).await
    }

    /// Gets a member's token with this service key.
    pub async fn member_token(&self, shop: &str, telegram_id: i64) -> String {
        let path = format!("/api/members/{telegram_id}/token");
        let answer = self.bearing(shop, &path, Some(&json!({}))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body["access_token"].as_str().expect("a token").to_owned()
    }

    /// Verifies the whole ledger; panics when it has a difference.
    pub async fn ledger_is_sound(&self) {
        let verified = guerdon_app::verification::verify_all(self.stack().app()).await.expect("it is read");
        assert!(verified.difference.is_none(), "{:?}", verified.difference);
    }
}
