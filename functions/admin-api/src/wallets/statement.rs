//! A member's statement, now or as of a time.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{
    output::{Amount, Refusal},
    pages,
    paging::Paged,
};
use guerdon_app::{
    commissions::settle_wallet,
    members::find_member,
    once::ChangeRefusal,
    programs::{program_now, reward_wallet},
    wallets::{balance_at, entries_of, wallet_of},
};
use guerdon_domain::{
    money::{Currency, Money},
    wallets::{Buckets, Entry},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    input::{self, bad_request, encode_cursor},
    state::Api,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatementQuery {
    /// `bill_credit`, `earnings`, `balance` or `credits`; the one that rewards come into when it is left out.
    wallet: Option<String>,
    /// Of the wallet; the deployment's own when it is left out.
    currency: Option<String>,
    /// An instant, as `2026-11-21T00:00:00Z`, with everything that happened in its second; now when it is left out.
    at: Option<String>,
    /// 1 to 200, 50 when it is left out.
    #[param(value_type = Option<i32>)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

pages!(StatementQuery);

#[derive(Serialize, ToSchema)]
struct Statement {
    user_id: String,
    wallet: &'static str,
    currency: String,
    at: String,
    available: Amount,
    held: Amount,
    owed: Amount,
    items: Vec<Line>,
    next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Line {
    seq: u64,
    at: String,
    kind: &'static str,
    reference: String,
    available: Amount,
    held: Amount,
    owed: Amount,
    available_after: Amount,
    held_after: Amount,
    owed_after: Amount,
    hash: String,
    /// The id of the event that caused the entry; log lines about it have the same id.
    correlation_id: Option<String>,
}

/// A wallet's statement: at an instant, or now.
#[utoipa::path(
    get,
    path = "/api/admin/users/{user_id}/statement",
    tag = "wallets",
    params(("user_id" = String, Path), StatementQuery),
    responses((status = 200, description = "Done", body = Statement))
)]
pub(crate) async fn statement(
    State(api): State<Arc<Api>>,
    Path(user_id): Path<String>,
    Paged { query, limit, after: mut before }: Paged<StatementQuery, u64>,
) -> Result<Response, Refusal> {
    let app = &api.gate.app;
    let user_id = input::user_id(&user_id)?;
    let member = app.member_id(user_id);
    let (kind, currency) = match (query.wallet.as_deref(), query.currency.as_deref()) {
        (None, None) => reward_wallet(&app.preset, &*program_now(app).await?),
        (None, Some(_)) => {
            return Err(bad_request("bad_wallet", "wallet is missing, where there is a currency."));
        }
        (Some(wallet), currency) => {
            let currency = currency.map_or(Ok(app.preset.currency), input::currency)?;
            (input::wallet_kind(wallet)?, currency)
        }
    };
    find_member(app, &member).await?.ok_or(ChangeRefusal::UnknownMember)?;
    let (at, buckets) = match query.at.as_deref() {
        None => {
            if before.is_none() {
                settle_wallet(app, &member).await?;
            }
            let wallet = wallet_of(app, &member, kind, currency).await?;
            (app.now(), wallet.buckets)
        }
        Some(_) if currency != app.preset.currency => {
            let detail = format!("at is offered for wallets in {} only.", app.preset.currency);
            return Err(bad_request("bad_time", detail));
        }
        Some(text) => {
            let found = balance_at(app, &member, kind, input::instant("at", text)?).await?;
            let after = found.entry.map_or(1, |entry| entry.seq + 1);
            before = Some(before.map_or(after, |before| before.min(after)));
            (found.at, found.buckets)
        }
    };
    let entries = entries_of(app, (&member, kind, currency), before, limit).await?;
    let full = i32::try_from(entries.len()).unwrap_or(i32::MAX) >= limit;
    let last = entries.last().map(|entry| entry.seq).filter(|seq| full && *seq > 1);
    let next_cursor = last.map(|seq| encode_cursor(&seq)).transpose()?;
    let [available, held, owed] = in_buckets(buckets, currency);
    let items = entries.into_iter().map(line).collect();
    let (user_id, wallet, currency, at) =
        (user_id.to_string(), kind.as_str(), currency.to_string(), at.to_string());
    let statement = Statement { user_id, wallet, currency, at, available, held, owed, items, next_cursor };
    Ok(Json(statement).into_response())
}

fn in_buckets(buckets: Buckets, currency: Currency) -> [Amount; 3] {
    [buckets.available, buckets.held, buckets.owed].map(|minor| Amount(Money::new(minor, currency)))
}

fn line(entry: Entry) -> Line {
    let money = |minor| Amount(Money::new(minor, entry.currency));
    let [available_after, held_after, owed_after] = in_buckets(entry.after, entry.currency);
    Line {
        seq: entry.seq,
        at: entry.at.to_string(),
        kind: entry.kind.name(),
        reference: entry.kind.reference().to_owned(),
        available: money(entry.delta.available),
        held: money(entry.delta.held),
        owed: money(entry.delta.owed),
        available_after,
        held_after,
        owed_after,
        hash: entry.hash.clone(),
        correlation_id: entry.correlation_id,
    }
}
