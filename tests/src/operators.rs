//! Operators and their calls of the API.

use guerdon_domain::settings::Preset;
use guerdon_local::config::Config;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{ADMIN_TOKEN, Answer, World, telegram::Person};

/// An operator's token.
pub const ANA: &str = "token-of-ana-1";
/// Another operator's token.
pub const BEN: &str = "token-of-ben-1";

/// Adds the tokens of Ana and Ben to the token without a name.
pub fn two_operators(config: &mut Config) {
    config.secrets.insert("ADMIN_TOKEN", format!("{ADMIN_TOKEN},ana={ANA},ben={BEN}"));
}

/// Changes the preset that a world starts with.
pub fn with_preset(config: &mut Config, change: impl FnOnce(&mut Preset)) {
    let mut preset = Preset::clone(&config.preset);
    change(&mut preset);
    config.preset = std::sync::Arc::new(preset);
}

impl World {
    /// Calls `/api/admin/{path}` as the operator with `token`; a body of null is not sent.
    pub async fn operator(&self, token: &str, method: Method, path: &str, key: &str, body: &Value) -> Answer {
        let mut headers = vec![("x-admin-token", token), ("content-type", "application/json")];
        headers.extend((!key.is_empty()).then_some(("idempotency-key", key)));
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.request(method, &format!("/api/admin/{path}"), &headers, body).await
    }

    /// `POST` as the operator whose token has no name.
    pub async fn operator_post(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.operator(ADMIN_TOKEN, Method::POST, path, key, body).await
    }

    /// `GET`; panics unless it is answered with 200.
    pub async fn operator_get(&self, path: &str) -> Value {
        let answer = self.operator(ADMIN_TOKEN, Method::GET, path, "", &Value::Null).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    }

    /// The status and the problem's code of a `GET` that is refused.
    pub async fn operator_refuses(&self, path: &str) -> (u16, String) {
        let answer = self.operator(ADMIN_TOKEN, Method::GET, path, "", &Value::Null).await;
        (answer.status, answer.code().to_owned())
    }

    /// Records a purchase of `plan` that an operator saw at the bank; panics unless it is new.
    pub async fn bank(&self, person: Person, amount: &str, plan: &str, reference: &str) -> Value {
        let body = json!({
            "user_id": person.id, "amount": amount, "currency": self.stack().app().preset.currency.as_str(),
            "reference": reference, "purpose": "purchase", "product": plan, "reason": "seen at the bank",
        });
        let answer = self.operator_post("payments", &format!("bank-{reference}"), &body).await;
        assert_eq!((answer.status, answer.header("idempotent-replayed")), (200, None), "{answer:?}");
        answer.body
    }

    /// The actions of the month's audit trail with their operators, oldest first.
    pub async fn audit(&self) -> Vec<(String, String)> {
        self.drain().await;
        let app = self.stack().app();
        let mut trail = app.store().audit().trail(&app.now().month(), None, 100).await.expect("the trail");
        trail.reverse();
        trail.into_iter().map(|line| (line.action, line.principal.into())).collect()
    }
}
