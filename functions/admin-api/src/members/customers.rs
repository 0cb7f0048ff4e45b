//! The Stripe customers of a member, and linking one to another member.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{
    idempotency::Write,
    output::{self, Amount, Refusal},
    refusals::unchanged,
};
use guerdon_app::{
    bill_credit::{CustomerView, RelinkRefusal, customers_view, relink_customer},
    once::{Answer, ChangeRefusal, MemberCall},
};
use guerdon_domain::ids::CustomerId;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{input, state::Api};

#[derive(Serialize, ToSchema)]
struct CustomerRow {
    customer: String,
    /// True for the one customer that gets the member's credit.
    gets_credit: bool,
    subscribed: bool,
    deleted: bool,
    /// The latest invoice; while the member has one customer only, the first.
    billed_at: Option<String>,
    linked_at: Option<String>,
    /// The member's credit on its balance that no invoice has used.
    credit: Amount,
    currency: String,
}

#[derive(Serialize, ToSchema)]
struct Customers {
    items: Vec<CustomerRow>,
}

fn row(view: CustomerView) -> CustomerRow {
    CustomerRow {
        customer: view.customer.to_string(),
        gets_credit: view.gets_credit,
        subscribed: view.subscribed,
        deleted: view.deleted,
        billed_at: view.billed_at.map(|at| at.to_string()),
        linked_at: view.linked_at.map(|at| at.to_string()),
        currency: view.credit.currency().to_string(),
        credit: Amount(view.credit),
    }
}

/// The Stripe customers of a member, and which one gets the credit: the one with a live subscription, then the one that
/// was billed last.
#[utoipa::path(
    get,
    path = "/api/admin/users/{user_id}/customers",
    tag = "credits",
    params(("user_id" = String, Path)),
    responses((status = 200, description = "Done", body = Customers))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Path(user_id): Path<String>,
) -> Result<Response, Refusal> {
    let user_id = input::user_id(&user_id)?;
    match customers_view(&api.gate.app, user_id).await? {
        Some(items) => Ok(Json(Customers { items: items.into_iter().map(row).collect() }).into_response()),
        None => Err(ChangeRefusal::UnknownMember.into()),
    }
}

/// A customer that is this member's.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Link {
    /// `cus_...`
    customer: String,
    reason: Option<String>,
    /// True when the other member's credit was removed from the customer's balance at Stripe. It is given back then.
    #[serde(default)]
    balance_removed: bool,
}

#[derive(Serialize, ToSchema)]
struct Linked {
    user_id: String,
    customer: String,
    /// The credit that the other member got back.
    recalled: Amount,
    currency: String,
}

/// Links a customer to this member, also where it was another one's. Payments that are booked stay as they are.
#[utoipa::path(
    post,
    path = "/api/admin/users/{user_id}/customers",
    tag = "credits",
    params(("user_id" = String, Path)),
    request_body = Link,
    responses((status = 200, description = "Done", body = Linked))
)]
pub(crate) async fn link(
    State(api): State<Arc<Api>>,
    Path(user_id): Path<String>,
    write: Write,
) -> Result<Response, Refusal> {
    let user_id = input::user_id(&user_id)?;
    let asked: Link = input::json(&write.body, "customer, reason, balance_removed")?;
    let reason = input::reason(asked.reason)?;
    let customer = customer(asked.customer)?;
    let call = MemberCall { call: write.call(&api.gate)?, user_id, reason };
    let answer = relink_customer(&api.gate.app, &call, &customer, asked.balance_removed).await;
    let (change, before) = match answer.map_err(refused)? {
        Answer::Applied(change) => (change, false),
        Answer::AlreadyApplied(change) => (change, true),
    };
    let body = Linked {
        user_id: user_id.to_string(),
        customer: change.id,
        currency: change.amount.currency().to_string(),
        recalled: Amount(change.amount),
    };
    Ok(output::replayed(Json(body).into_response(), before))
}

/// Reads the id of a customer, `cus_...`, or of an account that is billed, `acct_...`.
fn customer(text: String) -> Result<CustomerId, Refusal> {
    let rest = text.strip_prefix("cus_").or_else(|| text.strip_prefix("acct_"));
    let is_one = rest.is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    });
    let bad =
        || input::bad_request("bad_customer", "customer must be an id of a Stripe customer, as cus_123.");
    if is_one { CustomerId::parse(text).map_err(|_| bad()) } else { Err(bad()) }
}

fn refused(refusal: RelinkRefusal) -> Refusal {
    let (code, title) = match refusal {
        RelinkRefusal::Change(refusal) => return refusal.into(),
        RelinkRefusal::AlreadyLinked => ("already_linked", "Linked already"),
        RelinkRefusal::CreditOnBalance(_) => ("credit_on_balance", "Credit on the balance"),
        RelinkRefusal::Posting => ("posting_open", "Credit is on its way"),
    };
    unchanged(StatusCode::CONFLICT, code, title, refusal)
}
