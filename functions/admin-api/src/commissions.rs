//! Commissions: of one member, and all of them as an export.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use guerdon_api::{
    output::{Page, Refusal, id_text},
    paging::Paged,
};
use guerdon_app::{
    commissions::{AdminCommission, Export},
    stored::CommissionCursor,
};
use guerdon_domain::money::Money;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    csv,
    input::{ListQuery, bad_request, encode_cursor, next_cursor, user_id},
    state::Api,
};

/// A commission in lists and exports. The field names are the export's columns too.
#[derive(Serialize, ToSchema)]
struct Row {
    commission_id: String,
    user_id: Option<String>,
    referred_user_id: Option<String>,
    amount: String,
    /// Of that, what refunds and disputes have taken back.
    clawed: String,
    currency: String,
    state: &'static str,
    payment: String,
    rule: String,
    program_version: u32,
    paid_at: String,
    booked_at: String,
    due_at: String,
}

fn row(item: AdminCommission) -> Row {
    let commission = item.commission;
    Row {
        commission_id: commission.id.to_string(),
        user_id: id_text(item.user_id),
        referred_user_id: id_text(item.referred_user_id),
        amount: commission.amount.to_major().to_string(),
        clawed: Money::new(commission.clawed, commission.amount.currency()).to_major().to_string(),
        currency: commission.amount.currency().to_string(),
        state: commission.state.as_str(),
        payment: commission.payment.to_string(),
        rule: commission.snapshot.rule.id.into(),
        program_version: commission.snapshot.version,
        paid_at: commission.paid_at.to_string(),
        booked_at: commission.booked_at.to_string(),
        due_at: commission.due_at.to_string(),
    }
}

/// A member's commissions, newest first.
#[utoipa::path(
    get,
    path = "/api/admin/credits/search",
    tag = "credits",
    params(ListQuery),
    responses((status = 200, description = "Done", body = Page<Row>))
)]
pub(crate) async fn search(
    State(api): State<Arc<Api>>,
    Paged { query, limit, after: before }: Paged<ListQuery, CommissionCursor>,
) -> Result<Response, Refusal> {
    let text = query.user_id.as_deref();
    let id = user_id(text.ok_or_else(|| bad_request("bad_user_id", "user_id is missing."))?)?;
    let member = api.gate.app.member_id(id);
    let found =
        guerdon_app::commissions::commissions_of(&api.gate.app, &member, before.as_ref(), limit).await?;
    let next_cursor = next_cursor(&found, limit, |c| CommissionCursor::of(&c.commission))?;
    Ok(Json(Page { items: found.into_iter().map(row).collect(), next_cursor }).into_response())
}

/// Referrers that one export call looks at: bounds the call, whatever their number.
const EXPORT_STEPS: u32 = 50;

/// The export's header, also of a page without rows.
const COLUMNS: [&str; 13] = [
    "commission_id",
    "user_id",
    "referred_user_id",
    "amount",
    "clawed",
    "currency",
    "state",
    "payment",
    "rule",
    "program_version",
    "paid_at",
    "booked_at",
    "due_at",
];

/// All commissions, referrer by referrer, as JSON or CSV; a CSV page names the next one in `X-Next-Cursor`.
#[utoipa::path(
    get,
    path = "/api/admin/credits/export",
    tag = "credits",
    params(ListQuery),
    responses((status = 200, description = "Done", content((Page<Row> = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn export(
    State(api): State<Arc<Api>>,
    Paged { query, limit, after }: Paged<ListQuery, Export>,
) -> Result<Response, Refusal> {
    let mut position: Option<Export> = Some(after.unwrap_or_default());
    let mut rows = Vec::new();
    for _ in 0..EXPORT_STEPS {
        let room = limit - i32::try_from(rows.len()).unwrap_or(limit);
        let Some(from) = position.take_if(|_| room > 0) else { break };
        let (found, next) = guerdon_app::commissions::export_credits(&api.gate.app, from, room).await?;
        rows.extend(found.into_iter().map(row));
        position = next;
    }
    let next_cursor = position.map(|position| encode_cursor(&position)).transpose()?;
    csv::answer(query.format.as_deref(), Page { items: rows, next_cursor }, ("credits", &COLUMNS))
}
