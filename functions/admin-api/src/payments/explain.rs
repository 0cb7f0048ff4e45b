//! Payments, each with why it earned what it did.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{
    output::{Amount, Page, Refusal, id_text, replayed},
    paging::Paged,
};
use guerdon_app::{
    error::AppError,
    payments::{Explained, payer_of},
};
use guerdon_domain::{
    commissions::{Commission, CommissionState, VoidReason},
    ids::{MemberId, PaymentKey},
    money::Money,
    payments::{Candidate, Reversals, Verdict},
};
use guerdon_runtime::problem::Problem;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    input::{self, ListQuery, bad_request, next_cursor},
    members::known::{Known, known},
    state::Api,
};

#[derive(Serialize, ToSchema)]
pub(crate) struct PaymentView {
    payment: String,
    user_id: Option<String>,
    #[schema(value_type = String)]
    purpose: guerdon_domain::payments::Purpose,
    currency: String,
    paid: Amount,
    tax: Amount,
    list_price: Amount,
    cost: Option<Amount>,
    products: Vec<ProductView>,
    paid_at: String,
    known_at: String,
    recorded_at: String,
    program_version: u32,
    trace: Vec<RuleView>,
    commissions: Vec<CommissionView>,
    undone: Amount,
    disputed: bool,
    /// Amounts in minor units and times in milliseconds, as they are on record.
    #[schema(value_type = Object)]
    reversals: Reversals,
    /// The event behind it; the logs' lines about it have the same.
    correlation_id: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct ProductView {
    product: String,
    amount: Amount,
}

/// The decision of one rule.
#[derive(Serialize, ToSchema)]
struct RuleView {
    rule: String,
    level: u8,
    outcome: &'static str,
    code: &'static str,
    explanation: String,
    user_id: Option<String>,
    amount: Option<Amount>,
    currency: Option<String>,
    base: Option<Amount>,
}

#[derive(Serialize, ToSchema)]
struct CommissionView {
    commission_id: String,
    rule: String,
    level: u8,
    user_id: Option<String>,
    currency: String,
    amount: Amount,
    base: Amount,
    state: &'static str,
    void_reason: Option<&'static str>,
    /// The amount that reversals of the payment took back.
    clawed: Amount,
    /// The amount that the limits left of it, if one applied.
    allowed: Option<Amount>,
    frozen: bool,
    wallet: &'static str,
    due_at: String,
    program_version: u32,
}

/// A payment by its rail and id, as `stripe:in_123`: what it earned whom, and why not.
#[utoipa::path(
    get,
    path = "/api/admin/payments/{payment}",
    tag = "payments",
    params(("payment" = String, Path)),
    responses((status = 200, description = "Done", body = PaymentView))
)]
pub(crate) async fn explain(
    State(api): State<Arc<Api>>,
    Path(payment): Path<String>,
) -> Result<Response, Refusal> {
    let key = input::payment_key(&payment)?;
    match view_of(&api, &key).await? {
        Some(view) => Ok(Json(view).into_response()),
        None => {
            let detail = "No payment is on record under this key.";
            Err(Refusal(Problem::new(StatusCode::NOT_FOUND, "unknown_payment", "Unknown payment", detail)))
        }
    }
}

/// Answers a write about a payment with the payment as it is now. `before` is true for a repeated call.
pub(crate) async fn answer(api: &Api, key: &PaymentKey, before: bool) -> Result<Response, Refusal> {
    let view = view_of(api, key).await?;
    let view = view.ok_or_else(|| AppError::Unavailable("the payment is not readable yet".into()))?;
    Ok(replayed(Json(view).into_response(), before))
}

async fn view_of(api: &Api, key: &PaymentKey) -> Result<Option<PaymentView>, AppError> {
    let Some(explained) = guerdon_app::payments::explain_payment(&api.gate.app, key).await? else {
        return Ok(None);
    };
    Ok(views(api, vec![explained]).await?.pop())
}

/// Payments on one page: each brings its commissions along.
const MOST: i32 = 50;

/// A member's payments, newest first.
#[utoipa::path(
    get,
    path = "/api/admin/users/{user_id}/payments",
    tag = "payments",
    params(("user_id" = String, Path), ListQuery),
    responses((status = 200, description = "Done", body = Page<PaymentView>))
)]
pub(crate) async fn of_member(
    State(api): State<Arc<Api>>,
    Path(user_id): Path<String>,
    Paged { limit, after, .. }: Paged<ListQuery, PaymentKey>,
) -> Result<Response, Refusal> {
    let member = api.gate.app.member_id(input::user_id(&user_id)?);
    let (limit, before) = (limit.min(MOST), after);
    if let Some(key) = &before
        && payer_of(&api.gate.app, key).await?.is_none_or(|payer| payer != member)
    {
        return Err(bad_request("bad_cursor", "cursor must be a next_cursor of this list."));
    }
    let found = guerdon_app::payments::explain_member(&api.gate.app, &member, before.as_ref(), limit).await?;
    let next_cursor = next_cursor(&found, limit, |last| last.payment.payment.clone())?;
    Ok(Json(Page { items: views(&api, found).await?, next_cursor }).into_response())
}

pub(crate) async fn views(api: &Api, found: Vec<Explained>) -> Result<Vec<PaymentView>, AppError> {
    let known = known(api, found.iter().flat_map(people_of)).await?;
    Ok(found.into_iter().map(|explained| view(explained, &known)).collect())
}

fn people_of(explained: &Explained) -> Vec<MemberId> {
    let beneficiaries = explained.commissions.iter().map(|commission| commission.beneficiary.clone());
    beneficiaries.chain([explained.payment.member.clone()]).collect()
}

fn view(explained: Explained, known: &Known) -> PaymentView {
    let Explained { payment, commissions } = explained;
    let trace =
        payment.trace.iter().map(|candidate| rule_view(&payment.payment, candidate, &commissions, known));
    PaymentView {
        user_id: id_text(known.get(&payment.member).copied()),
        purpose: payment.purpose,
        currency: payment.paid.currency().to_string(),
        paid: Amount(payment.paid),
        tax: Amount(payment.tax),
        list_price: Amount(payment.tier),
        cost: payment.cost.map(Amount),
        paid_at: payment.paid_at.to_string(),
        known_at: payment.known_at.to_string(),
        recorded_at: payment.recorded_at.to_string(),
        program_version: payment.program_version,
        trace: trace.collect(),
        correlation_id: payment.correlation_id.clone(),
        undone: Amount(payment.reversals.undone(payment.paid)),
        disputed: payment.reversals.is_disputed(),
        products: payment
            .lines
            .into_iter()
            .map(|line| ProductView { product: line.product.into(), amount: Amount(line.amount) })
            .collect(),
        payment: payment.payment.to_string(),
        reversals: payment.reversals,
        commissions: commissions.into_iter().map(|commission| commission_view(commission, known)).collect(),
    }
}

fn rule_view(
    payment: &PaymentKey,
    candidate: &Candidate,
    commissions: &[Commission],
    known: &Known,
) -> RuleView {
    let mut view = RuleView {
        rule: candidate.rule.to_string(),
        level: candidate.level,
        outcome: "refused",
        code: "granted",
        explanation: String::new(),
        user_id: None,
        amount: None,
        currency: None,
        base: None,
    };
    match &candidate.verdict {
        Verdict::Refused { reason } => {
            view.code = reason.code();
            view.explanation = reason.explain().to_owned();
        }
        Verdict::Granted { beneficiary, reward, .. } => {
            let id = payment.commission(&candidate.rule, candidate.level).ok();
            let base = commissions.iter().find(|c| Some(&c.id) == id.as_ref()).map(|c| c.base);
            view.outcome = "granted";
            view.explanation = granted(*reward, base);
            view.user_id = id_text(known.get(beneficiary).copied());
            view.amount = Some(Amount(*reward));
            view.currency = Some(reward.currency().to_string());
            view.base = base.map(Amount);
        }
    }
    view
}

fn granted(reward: Money, base: Option<Money>) -> String {
    match base {
        Some(base) => format!("The rule grants {reward} on {base} net of tax."),
        None => format!("The rule grants {reward}."),
    }
}

fn commission_view(commission: Commission, known: &Known) -> CommissionView {
    let currency = commission.amount.currency();
    let void_reason = match commission.state {
        CommissionState::Void { reason: VoidReason::Reversed, .. } => Some("reversed"),
        CommissionState::Void { reason: VoidReason::Capped, .. } => Some("capped"),
        CommissionState::Void { reason: VoidReason::Unclaimed, .. } => Some("unclaimed"),
        _ => None,
    };
    CommissionView {
        user_id: id_text(known.get(&commission.beneficiary).copied()),
        currency: currency.to_string(),
        amount: Amount(commission.amount),
        base: Amount(commission.base),
        state: commission.state.as_str(),
        void_reason,
        clawed: Amount(Money::new(commission.clawed, currency)),
        allowed: commission.allowed.map(|minor| Amount(Money::new(minor, currency))),
        frozen: commission.frozen,
        wallet: commission.snapshot.rule.target.as_str(),
        due_at: commission.due_at.to_string(),
        program_version: commission.snapshot.version,
        level: commission.snapshot.level,
        rule: commission.snapshot.rule.id.into(),
        commission_id: commission.id.to_string(),
    }
}
