//! Wallets and their statements.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{
    credentials::Principal,
    gate::Gate,
    input::encode_cursor,
    output::{Amount, Page, Refusal},
    paging::Paged,
};
use guerdon_app::wallets::credits_view;
use guerdon_domain::wallets::{Entry, Wallet};
use serde::Serialize;
use utoipa::ToSchema;

use crate::input::{PageQuery, UserRef, load, whose};

#[derive(Serialize, ToSchema)]
struct WalletView {
    user_id: String,
    /// `earnings`, `balance`, `bill_credit` or `credits`: where this business puts rewards.
    wallet: &'static str,
    currency: String,
    /// The amount that can be spent or withdrawn; due rewards are released first.
    available: Amount,
    /// The amount set aside for open withdrawals and for credit on its way to a bill.
    held: Amount,
    /// The amount that the member must pay back; the next rewards pay it first.
    owed: Amount,
    /// Rewards that wait for their hold to end.
    pending: Amount,
    /// The member's other wallets that are not empty.
    others: Vec<OtherWallet>,
}

#[derive(Serialize, ToSchema)]
struct OtherWallet {
    /// `earnings`, `balance`, `bill_credit` or `credits`.
    wallet: &'static str,
    currency: String,
    available: Amount,
    held: Amount,
    owed: Amount,
}

fn other(wallet: &Wallet) -> OtherWallet {
    OtherWallet {
        wallet: wallet.kind.as_str(),
        currency: wallet.currency.to_string(),
        available: Amount(wallet.available()),
        held: Amount(wallet.held()),
        owed: Amount(wallet.owed()),
    }
}

/// The wallet that a member's rewards come into, and all others that are not empty.
#[utoipa::path(
    get,
    path = "/wallet/{user_id}",
    tag = "wallets",
    params(("user_id" = String, Path, description = "A Telegram id, or a UUID that the API shows")),
    responses((status = 200, description = "The wallet", body = WalletView))
)]
pub(crate) async fn one(
    State(gate): State<Arc<Gate>>,
    Extension(principal): Extension<Principal>,
    Path(user_id): Path<String>,
) -> Result<Response, Refusal> {
    let member = whose(&gate, &principal, &UserRef::parse(&user_id)?)?;
    let member = load(&gate, &member).await?;
    let view = credits_view(&gate.app, &member, None, 1).await?;
    let Wallet { kind, currency, .. } = view.wallet;
    Ok(Json(WalletView {
        user_id: member.telegram_id.to_string(),
        wallet: kind.as_str(),
        currency: currency.to_string(),
        available: Amount(view.wallet.available()),
        held: Amount(view.wallet.held()),
        owed: Amount(view.wallet.owed()),
        pending: Amount(view.on_hold),
        others: view.others.iter().map(other).collect(),
    })
    .into_response())
}

#[derive(Serialize, ToSchema)]
struct Transaction {
    /// Counts from 1 without a gap.
    seq: u64,
    at: String,
    /// The kind of the entry, such as `commissions_released` or `withdrawal_paid`.
    kind: &'static str,
    currency: String,
    /// The change of the available amount; negative when it falls.
    amount: Amount,
    available_after: Amount,
    held_after: Amount,
    owed_after: Amount,
}

fn transaction(entry: Entry) -> Transaction {
    let money = |minor| Amount(guerdon_domain::money::Money::new(minor, entry.currency));
    Transaction {
        seq: entry.seq,
        at: entry.at.to_string(),
        kind: entry.kind.name(),
        currency: entry.currency.to_string(),
        amount: money(entry.delta.available),
        available_after: money(entry.after.available),
        held_after: money(entry.after.held),
        owed_after: money(entry.after.owed),
    }
}

/// The statement of the wallet that a member's rewards come into, newest first.
#[utoipa::path(
    get,
    path = "/wallet/{user_id}/transactions",
    tag = "wallets",
    params(
        ("user_id" = String, Path, description = "A Telegram id, or a UUID that the API shows"),
        PageQuery
    ),
    responses((status = 200, description = "A page", body = Page<Transaction>))
)]
pub(crate) async fn transactions(
    State(gate): State<Arc<Gate>>,
    Extension(principal): Extension<Principal>,
    Path(user_id): Path<String>,
    Paged { limit, after, .. }: Paged<PageQuery, u64>,
) -> Result<Response, Refusal> {
    let member = whose(&gate, &principal, &UserRef::parse(&user_id)?)?;
    let member = load(&gate, &member).await?;
    let view = credits_view(&gate.app, &member, after, limit).await?;
    let full = i32::try_from(view.entries.len()).unwrap_or(i32::MAX) >= limit;
    let next_cursor = view.next_before.filter(|_| full).map(|seq| encode_cursor(&seq)).transpose()?;
    let items: Vec<_> = view.entries.into_iter().map(transaction).collect();
    Ok(Json(Page { items, next_cursor }).into_response())
}
