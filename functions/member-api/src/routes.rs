//! Every route: who may call it, and its handler.

use std::sync::Arc;

use axum::Router;
use guerdon_api::{
    Gate,
    access::{Access, member, service},
    routes,
};
use guerdon_domain::{Role, Scope};

use crate::{codes, figures, orders, rewards, tokens, tree, users, wallets, withdrawals};

const SEES_USERS: Access = service(Scope::UsersRead).or_operator(Role::Admin);
const SEES_ORDERS: Access = service(Scope::OrdersRead).or_operator(Role::Admin);
const SEES_WALLETS: Access = service(Scope::WalletsRead).or_operator(Role::Admin).or_member();
const SEES_FIGURES: Access = service(Scope::ReferralsRead).or_operator(Role::Admin).or_member();
const MEMBER: Access = member();

/// The API as a service: the same in Lambda and on one machine.
pub fn router(gate: Gate) -> Router {
    let handlers = handlers().with_state(Arc::new(gate.clone()));
    guerdon_api::service(gate, ROUTES, handlers)
}

routes! { Arc<Gate>;
    service(Scope::UsersWrite) => post "/users/create" users::create;
    SEES_USERS => get "/users/{user_id}" users::one;
    SEES_USERS.or_member() => get "/users/{user_id}/referral-stats" users::stats;
    SEES_USERS => get "/users/{user_id}/referral-tree" tree::tree;
    service(Scope::OrdersWrite) => post "/orders/create" orders::create;
    SEES_ORDERS => get "/orders/{order_id}" orders::one;
    service(Scope::OrdersWrite) => post "/orders/{order_id}/payment-success" orders::paid;
    SEES_WALLETS => get "/wallet/{user_id}" wallets::one;
    SEES_WALLETS => get "/wallet/{user_id}/transactions" wallets::transactions;
    service(Scope::WithdrawalsWrite).or_member() => post "/withdrawals/create" withdrawals::create;
    service(Scope::TokensWrite) => post "/api/members/{user_id}/token" tokens::give;
    MEMBER => post "/api/referral/generate-code" codes::generate;
    MEMBER => post "/api/referral/track" codes::track;
    MEMBER => get "/api/referral/stats" figures::stats;
    SEES_FIGURES => get "/api/referral/leaderboard" figures::board;
    MEMBER => get "/api/referral/rewards" rewards::list;
    MEMBER => post "/api/referral/claim-reward" rewards::claim;
    SEES_FIGURES => get "/api/referral/analytics" figures::analytics;
    SEES_FIGURES => get "/api/referral/trends" figures::trends;
    service(Scope::ReferralsWrite).or_operator(Role::Admin) => post "/api/referral/convert" codes::convert;
}
