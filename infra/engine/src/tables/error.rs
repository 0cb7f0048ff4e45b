//! Refusals: the answers of a request that was not done.

use serde_json::{Value as Json, json};

use super::value::Image;
use crate::answer::Answer;

/// A request that was not done.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It breaks a rule of the API.
    Validation(String),
    /// A key attribute is an empty text: a `ValidationException`, also of a whole transaction.
    EmptyKey(String),
    /// The body is not the JSON of that operation.
    Malformed(String),
    /// No such table.
    NoTable(String),
    /// The table already exists.
    TableExists(String),
    /// The condition did not hold; with the present item, if it was asked for.
    ConditionFailed(Option<Image>),
    /// A transaction's items, each with its reason.
    Cancelled(Vec<Reason>),
    /// The token belongs to another request.
    TokenReused,
    /// The file could not be written; nothing was done.
    Failed(String),
}

/// Reason why an item of a cancelled transaction was not written; its code is `None` if it could have been.
#[derive(Debug)]
pub(crate) struct Reason {
    code: &'static str,
    message: Option<String>,
    item: Option<Image>,
}

/// Makes the most common refusal.
pub(crate) fn invalid<T>(message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Validation(message.into()))
}

impl Reason {
    /// The reason of an item that could have been written.
    pub(crate) const NONE: Self = Self { code: "None", message: None, item: None };

    /// Converts a refusal to the reason of one item of a transaction; returns a refusal of the whole transaction.
    pub(crate) fn of(refusal: Refusal) -> Result<Self, Refusal> {
        match refusal {
            Refusal::ConditionFailed(item) => {
                Ok(Self { code: "ConditionalCheckFailed", message: Some(CONDITION_FAILED.to_owned()), item })
            }
            Refusal::Validation(message) => {
                Ok(Self { code: "ValidationError", message: Some(message), item: None })
            }
            other => Err(other),
        }
    }

    fn json(&self) -> Json {
        let mut json = json!({ "Code": self.code });
        if let Some(message) = &self.message {
            json["Message"] = json!(message);
        }
        if let Some(item) = &self.item {
            json["Item"] = json!(item);
        }
        json
    }
}

const CONDITION_FAILED: &str = "The conditional request failed";

impl Refusal {
    /// The answer in the JSON protocol.
    pub(crate) fn answer(self) -> Answer {
        let (name, message) = match &self {
            Self::Validation(message) | Self::EmptyKey(message) => ("ValidationException", message.clone()),
            Self::Malformed(message) => ("SerializationException", message.clone()),
            Self::NoTable(table) => (
                "ResourceNotFoundException",
                format!("Requested resource not found: Table: {table} not found"),
            ),
            Self::TableExists(table) => ("ResourceInUseException", format!("Table already exists: {table}")),
            Self::ConditionFailed(_) => ("ConditionalCheckFailedException", CONDITION_FAILED.to_owned()),
            Self::Cancelled(reasons) => {
                let codes: Vec<_> = reasons.iter().map(|reason| reason.code).collect();
                let message = format!(
                    "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
                    codes.join(", ")
                );
                ("TransactionCanceledException", message)
            }
            Self::Failed(message) => ("InternalServerError", message.clone()),
            Self::TokenReused => (
                "IdempotentParameterMismatchException",
                "ClientRequestToken was used before with another request".to_owned(),
            ),
        };
        let mut body =
            json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{name}"), "message": message });
        let status = if matches!(self, Self::Failed(_)) { 500 } else { 400 };
        match self {
            Self::ConditionFailed(Some(item)) => body["Item"] = json!(item),
            Self::Cancelled(reasons) => {
                body["CancellationReasons"] = reasons.iter().map(Reason::json).collect()
            }
            _ => {}
        }
        Answer { status, body: body.to_string() }
    }
}
