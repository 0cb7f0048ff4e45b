//! Reads one object of a payload: dotted paths, several places for one field, ids that may be expanded, and
//! an error that names the place and never the content.

use guerdon_domain::{
    ids::{CustomerId, TelegramId},
    money::{Currency, Money},
    time::Timestamp,
};
use serde_json::Value;

use crate::reads::Reads;

/// The place of a field that is missing or has a type that we cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadField {
    /// The path from the object, such as `lines.data[0].amount`.
    pub(crate) path: String,
}

/// An object inside a payload, and its path.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    value: &'a Value,
    path: String,
    reads: Option<&'a Reads>,
}

impl<'a> Node<'a> {
    /// Starts at the object itself.
    pub(crate) fn root(value: &'a Value) -> Self {
        Self { value, path: String::new(), reads: None }
    }

    /// Starts at the object itself and notes every place that is read.
    pub(crate) fn noted(value: &'a Value, reads: &'a Reads) -> Self {
        Self { value, path: String::new(), reads: Some(reads) }
    }

    /// Returns the value at a dotted path; `None` when it, or an object on the path, is missing or null.
    fn find(&self, path: &str) -> Option<&'a Value> {
        let found = path.split('.').try_fold(self.value, |value, key| value.get(key));
        found.filter(|value| !value.is_null()).inspect(|value| self.note(path, value))
    }

    /// Returns whether there is something at a dotted path.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.find(path).is_some()
    }

    /// Returns the metadata at a dotted path.
    pub(crate) fn metadata(&self, path: &str) -> Option<&'a Value> {
        let found = self.find(path)?;
        for name in MEMBER_HINTS {
            found.get(name).inspect(|value| self.note(&format!("{path}.{name}"), value));
        }
        Some(found)
    }

    fn note(&self, path: &str, value: &Value) {
        if let Some(reads) = self.reads {
            reads.note(self.at(path), value);
        }
    }

    /// Returns the elements of a plain array or of a Stripe list (`{"object":"list","data":[..]}`).
    pub(crate) fn items(&self, path: &str) -> Result<Vec<Node<'a>>, BadField> {
        let Some(found) = self.find(path) else { return Ok(Vec::new()) };
        let (list, suffix) = match found.get("data") {
            Some(data) => (data, ".data"),
            None => (found, ""),
        };
        let elements = list.as_array().ok_or_else(|| self.bad(path))?;
        self.note(&format!("{path}{suffix}"), list);
        let node = |(index, value)| {
            let place = format!("{path}{suffix}[{index}]");
            self.note(&place, value);
            Node { value, path: self.at(&place), reads: self.reads }
        };
        Ok(elements.iter().enumerate().map(node).collect())
    }

    /// Reads a text.
    pub(crate) fn text(&self, path: &str) -> Result<Option<&'a str>, BadField> {
        self.read(path, Value::as_str)
    }

    /// Reads a whole number.
    pub(crate) fn int(&self, path: &str) -> Result<Option<i64>, BadField> {
        self.read(path, Value::as_i64)
    }

    /// Reads a required whole number.
    pub(crate) fn need_int(&self, path: &str) -> Result<i64, BadField> {
        self.int(path)?.ok_or_else(|| self.bad(path))
    }

    /// Reads a boolean; missing is false.
    pub(crate) fn flag(&self, path: &str) -> Result<bool, BadField> {
        Ok(self.read(path, Value::as_bool)?.unwrap_or_default())
    }

    /// Reads an instant in unix seconds.
    pub(crate) fn time(&self, path: &str) -> Result<Option<Timestamp>, BadField> {
        Ok(self.int(path)?.map(Timestamp::from_seconds))
    }

    /// Reads a required instant.
    pub(crate) fn need_time(&self, path: &str) -> Result<Timestamp, BadField> {
        self.need_int(path).map(Timestamp::from_seconds)
    }

    /// Reads a required amount of minor units.
    pub(crate) fn need_money(&self, path: &str, currency: Currency) -> Result<Money, BadField> {
        Ok(Money::new(self.need_int(path)?, currency))
    }

    /// Reads the object's `currency`.
    pub(crate) fn currency(&self) -> Result<Option<Currency>, BadField> {
        let code = self.text("currency")?;
        code.map(|code| Currency::parse(code).map_err(|_| self.bad("currency"))).transpose()
    }

    /// Reads the object's required `currency`.
    pub(crate) fn need_currency(&self) -> Result<Currency, BadField> {
        self.currency()?.ok_or_else(|| self.bad("currency"))
    }

    /// Reads the id at the first of `paths` that has one: a text, or an expanded object with an `id`.
    pub(crate) fn id<T: TryFrom<String>>(&self, paths: &[&str]) -> Result<Option<T>, BadField> {
        for path in paths {
            let Some(found) = self.find(path) else { continue };
            found.get("id").inspect(|id| self.note(&format!("{path}.id"), id));
            let text = found.as_str().or_else(|| found.get("id")?.as_str()).ok_or_else(|| self.bad(path))?;
            if !text.is_empty() {
                return T::try_from(text.to_owned()).map(Some).map_err(|_| self.bad(path));
            }
        }
        Ok(None)
    }

    /// Reads the customer. Where accounts stand for customers (Accounts v2) it is the account's id.
    pub(crate) fn customer(&self) -> Result<Option<CustomerId>, BadField> {
        self.id(&["customer", "customer_account"])
    }

    /// Reads the object's own `id`.
    pub(crate) fn own_id<T: TryFrom<String>>(&self) -> Result<T, BadField> {
        self.id(&["id"])?.ok_or_else(|| self.bad("id"))
    }

    /// The member named by the metadata at `paths`: see [`member_hint`].
    pub(crate) fn member_hint(&self, paths: &[&str]) -> Option<TelegramId> {
        let metadata: Vec<&Value> = paths.iter().filter_map(|path| self.metadata(path)).collect();
        member_hint(&metadata)
    }

    /// Makes the error that names `path`.
    pub(crate) fn bad(&self, path: &str) -> BadField {
        BadField { path: self.at(path) }
    }

    fn at(&self, path: &str) -> String {
        if self.path.is_empty() { path.to_owned() } else { format!("{}.{path}", self.path) }
    }

    fn read<T>(&self, path: &str, as_type: impl Fn(&'a Value) -> Option<T>) -> Result<Option<T>, BadField> {
        self.find(path).map(|value| as_type(value).ok_or_else(|| self.bad(path))).transpose()
    }
}

/// Names in metadata that may hold a member's Telegram id, the one that counts first at the front.
const MEMBER_HINTS: [&str; 2] = ["telegram_id", "user_id"];

/// The member named by the merged view of several metadata objects: `telegram_id` counts before `user_id`
/// (older checkouts wrote only that), and an earlier object before a later one. A value that is not a
/// Telegram id is ignored: metadata is the operator's own and may hold anything.
pub(crate) fn member_hint(metadata: &[&Value]) -> Option<TelegramId> {
    let hint = |key: &&str| metadata.iter().find_map(|object| telegram_id(object.get(key)?));
    MEMBER_HINTS.iter().find_map(hint)
}

fn telegram_id(value: &Value) -> Option<TelegramId> {
    TelegramId::parse(value.as_str()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_id_is_a_text_or_an_expanded_object() {
        let check = |value: Value, expected: Result<Option<&str>, &str>| {
            let found = Node::root(&value).id::<CustomerId>(&["parent.customer", "customer"]);
            let found = found.map(|id| id.map(String::from)).map_err(|bad| bad.path);
            assert_eq!(found, expected.map(|id| id.map(str::to_owned)).map_err(str::to_owned), "{value}");
        };
        check(json!({}), Ok(None));
        check(json!({"customer": null, "parent": null}), Ok(None));
        check(json!({"customer": ""}), Ok(None));
        check(json!({"customer": "cus_A1"}), Ok(Some("cus_A1")));
        check(json!({"customer": {"id": "cus_A1", "email": "a@example.com"}}), Ok(Some("cus_A1")));
        check(json!({"customer": "cus_A1", "parent": {"customer": "cus_B1"}}), Ok(Some("cus_B1")));
        check(json!({"customer": "cus_A1", "parent": "text"}), Ok(Some("cus_A1")));
        check(json!({"customer": 7}), Err("customer"));
        check(json!({"customer": {"object": "customer"}}), Err("customer"));
        check(json!({"customer": "cus A1"}), Err("customer"));
    }

    #[test]
    fn an_error_names_the_place_in_a_list() {
        let value =
            json!({"lines": {"data": [{"amount": 1}, {"amount": "secret"}]}, "taxes": [{}], "bad": 1});
        let node = Node::root(&value);
        let lines = node.items("lines").unwrap();
        assert_eq!(lines[1].need_int("amount").unwrap_err().path, "lines.data[1].amount");
        let taxes = node.items("taxes").unwrap();
        assert_eq!(taxes[0].need_int("amount").unwrap_err().path, "taxes[0].amount");
        assert_eq!(node.items("bad").unwrap_err().path, "bad");
        assert!(node.items("none").unwrap().is_empty());
    }

    #[test]
    fn a_member_hint_is_a_decimal_telegram_id() {
        let check = |first: Value, second: Value, expected: Option<i64>| {
            let value = json!({"first": first, "second": second});
            let hint = Node::root(&value).member_hint(&["first", "second"]);
            assert_eq!(hint.map(TelegramId::get), expected, "{value}");
        };
        check(json!({}), json!(null), None);
        check(json!({"telegram_id": "700000001", "user_id": "2"}), json!({}), Some(700_000_001));
        check(json!({"user_id": "2"}), json!({"telegram_id": "700000001"}), Some(700_000_001));
        check(json!({"telegram_id": "1"}), json!({"telegram_id": "2"}), Some(1));
        check(json!({"telegram_id": "alice"}), json!({"telegram_id": "2"}), Some(2));
        check(json!({"user_id": "7f3c-uuid"}), json!({"user_id": "-5"}), None);
    }
}
