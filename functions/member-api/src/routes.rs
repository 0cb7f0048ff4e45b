//! Every route: who may call it, and its handler.

use std::sync::Arc;

use axum::Router;
use guerdon_api::{
    access::{Access, anyone, member, service},
    gate::Gate,
    routes,
};
use guerdon_domain::operators::{Role, Scope};
use guerdon_telegram::username::BotUsername;

use crate::{commissions, docs, members, payments, referrals, state::Api, statistics, wallets, withdrawals};

const SEES_USERS: Access = service(Scope::UsersRead).or_operator(Role::Admin);
const SEES_ORDERS: Access = service(Scope::OrdersRead).or_operator(Role::Admin);
const SEES_WALLETS: Access = service(Scope::WalletsRead).or_operator(Role::Admin).or_member();
const SEES_FIGURES: Access = service(Scope::ReferralsRead).or_operator(Role::Admin).or_member();
const MEMBER: Access = member();

/// Anybody, as often as the gateway lets them.
const PUBLIC: Access = anyone("");

/// The API as a service: the same in Lambda and on one machine.
pub fn router(gate: Gate, bot: BotUsername) -> Router {
    let api = Api { gate: Arc::new(gate.clone()), bot: Arc::new(bot) };
    guerdon_api::service::service(gate, ROUTES, handlers().with_state(api))
}

routes! { Api;
    PUBLIC => get "/r/{code}" referrals::click::follow;
    PUBLIC => get "/openapi.json" docs::openapi;
    PUBLIC => get "/docs" docs::page;
    PUBLIC => get "/docs/redoc.js" docs::script;
    service(Scope::UsersWrite) => post "/users/create" members::register::create;
    SEES_USERS => get "/users/{user_id}" members::view::one;
    SEES_USERS.or_member() => get "/users/{user_id}/referral-stats" statistics::stats_of;
    SEES_USERS => get "/users/{user_id}/referral-tree" referrals::tree::tree;
    service(Scope::OrdersWrite) => post "/orders/create" payments::create;
    SEES_ORDERS => get "/orders/{order_id}" payments::one;
    service(Scope::OrdersWrite) => post "/orders/{order_id}/payment-success" payments::paid;
    SEES_WALLETS => get "/wallet/{user_id}" wallets::one;
    SEES_WALLETS => get "/wallet/{user_id}/transactions" wallets::transactions;
    service(Scope::WithdrawalsWrite).or_member() => post "/withdrawals/create" withdrawals::create;
    service(Scope::TokensWrite) => post "/api/members/{user_id}/token" members::token::give;
    MEMBER => post "/api/referral/generate-code" referrals::code::generate;
    MEMBER => post "/api/referral/track" referrals::code::track;
    MEMBER => get "/api/referral/stats" statistics::stats;
    SEES_FIGURES => get "/api/referral/leaderboard" statistics::board;
    MEMBER => get "/api/referral/rewards" commissions::list;
    MEMBER => post "/api/referral/claim-reward" commissions::claim;
    SEES_FIGURES => get "/api/referral/analytics" statistics::analytics;
    SEES_FIGURES => get "/api/referral/trends" statistics::trends;
    service(Scope::ReferralsWrite).or_operator(Role::Admin) => post "/api/referral/convert" referrals::code::convert;
}
