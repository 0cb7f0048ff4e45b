//! Reading what only operators send.

use guerdon_api::{gate::Gate, idempotency::Write, output::Page, pages};
pub(crate) use guerdon_api::{input::*, output::Refusal};
use guerdon_app::once::MemberCall;
use guerdon_domain::{
    ids::{ExternalPaymentId, PaymentKey, Rail},
    money::{Currency, Money},
    wallets::WalletKind,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

/// A write's body. Ids and amounts may come as JSON numbers or strings; they are read from their text, so
/// no amount ever passes through a float.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WriteBody<'a> {
    #[serde(borrow)]
    #[schema(value_type = String)]
    user_id: Option<&'a RawValue>,
    #[serde(borrow)]
    #[schema(value_type = String)]
    amount: Option<&'a RawValue>,
    reason: Option<String>,
}

/// Reads a write about a member. `currency` is the currency of `amount`, none for writes that have no amount.
pub(crate) fn about_member(
    gate: &Gate,
    write: &Write,
    currency: Option<Currency>,
) -> Result<(MemberCall, Option<Money>), Refusal> {
    let call = write.call(gate)?;
    let body: WriteBody<'_> = serde_json::from_slice(&write.body).map_err(|error| {
        bad_request(
            "bad_body",
            format!("The body must be a JSON object of user_id, amount and reason ({error})."),
        )
    })?;
    let user_id = user_id(text(body.user_id.ok_or_else(|| missing("user_id"))?))?;
    let reason = reason(body.reason)?;
    let amount = match (currency, body.amount) {
        (Some(currency), Some(raw)) => Some(amount(text(raw), currency)?),
        (Some(_), None) => return Err(missing("amount")),
        (None, Some(_)) => return Err(bad_request("bad_body", "This call takes no amount.")),
        (None, None) => None,
    };
    Ok((MemberCall { call, user_id, reason }, amount))
}

/// Reads the reason that an operator gives, 3 to 500 characters.
pub(crate) fn reason(text: Option<String>) -> Result<String, Refusal> {
    let reason = text.unwrap_or_default().trim().to_owned();
    if (3..=500).contains(&reason.chars().count()) && !reason.chars().any(char::is_control) {
        Ok(reason)
    } else {
        Err(bad_request("bad_reason", "reason must say why, in 3 to 500 characters of one line."))
    }
}

/// Query parameters that lists share.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    pub(crate) limit: Option<String>,
    pub(crate) cursor: Option<String>,
    pub(crate) period: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) format: Option<String>,
}

/// The query parameters of lists.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListingQuery {
    /// 1 to 200, 50 when it is left out; a page has 100 at the most.
    #[param(value_type = Option<i32>)]
    pub(crate) limit: Option<String>,
    /// The `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
    /// `desc`, the newest or best first, or `asc`.
    pub(crate) sort: Option<String>,
    /// Of users: `active` or `blocked`; of orders: `pending` or `paid`; of withdrawals: their state.
    pub(crate) status: Option<String>,
    /// Of users: `customer` for those who have paid, or `referrer` for those who have referred a member.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    pub(crate) kind: Option<String>,
    /// Of users: a Telegram id, or how a name begins, in two characters or more.
    pub(crate) search: Option<String>,
    /// Of referrers: `all`, `month` or `week`.
    pub(crate) period: Option<String>,
    /// `json` or `csv`.
    pub(crate) format: Option<String>,
}

pages!(ListQuery);
pages!(ListingQuery);

impl ListingQuery {
    pub(crate) fn ascending(&self) -> Result<bool, Refusal> {
        match self.sort.as_deref() {
            None | Some("desc") => Ok(false),
            Some("asc") => Ok(true),
            Some(_) => Err(bad_request("bad_sort", "sort must be asc or desc.")),
        }
    }

    pub(crate) fn page<T>(&self, items: Vec<T>, next: Option<&impl Serialize>) -> Result<Page<T>, Refusal> {
        Ok(Page { items, next_cursor: next.map(encode_cursor).transpose()? })
    }

    /// Refuses parameters that only other lists have, instead of ignoring them.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        let given = [
            ("sort", &self.sort),
            ("status", &self.status),
            ("type", &self.kind),
            ("search", &self.search),
            ("period", &self.period),
        ];
        match given.into_iter().find(|(name, value)| value.is_some() && !known.contains(name)) {
            Some((name, _)) => Err(bad_request("bad_query", format!("This list has no {name}."))),
            None => Ok(()),
        }
    }
}

/// `stripe:in_123`: the rail and the provider's own id.
pub(crate) fn payment_key(text: &str) -> Result<PaymentKey, Refusal> {
    let malformed =
        || bad_request("bad_payment", "payment must be a rail and the provider's id, as stripe:in_123.");
    let (rail, id) = text.split_once(':').ok_or_else(malformed)?;
    let rail = serde_json::from_value::<Rail>(rail.into()).map_err(|_| malformed())?;
    let id = ExternalPaymentId::parse(id).map_err(|_| malformed())?;
    PaymentKey::named(rail, &id).map_err(|_| malformed())
}

/// `earnings`, `balance`, `bill_credit` or `credits`.
pub(crate) fn wallet_kind(text: &str) -> Result<WalletKind, Refusal> {
    serde_json::from_value(text.into()).map_err(|_| {
        bad_request("bad_wallet", "wallet must be one of earnings, balance, bill_credit and credits.")
    })
}
