//! Every route: who may call it, and its handler.

use std::sync::Arc;

use axum::{Router, extract::FromRef};
use guerdon_api::{
    Gate,
    access::{Access, anyone, member, service},
    routes,
};
use guerdon_domain::operators::{Role, Scope};
use guerdon_telegram::username::BotUsername;

use crate::{clicks, codes, docs, figures, orders, rewards, tokens, tree, users, wallets, withdrawals};

const SEES_USERS: Access = service(Scope::UsersRead).or_operator(Role::Admin);
const SEES_ORDERS: Access = service(Scope::OrdersRead).or_operator(Role::Admin);
const SEES_WALLETS: Access = service(Scope::WalletsRead).or_operator(Role::Admin).or_member();
const SEES_FIGURES: Access = service(Scope::ReferralsRead).or_operator(Role::Admin).or_member();
const MEMBER: Access = member();

/// Anybody, as often as the gateway lets them.
const PUBLIC: Access = anyone("");

/// What the handlers need.
#[derive(Clone)]
pub struct Front {
    /// Who may come in, and the use cases' context.
    pub gate: Arc<Gate>,
    /// Where shared links lead.
    pub bot: Arc<BotUsername>,
}

impl FromRef<Front> for Arc<Gate> {
    fn from_ref(front: &Front) -> Self {
        front.gate.clone()
    }
}

impl FromRef<Front> for Arc<BotUsername> {
    fn from_ref(front: &Front) -> Self {
        front.bot.clone()
    }
}

/// The API as a service: the same in Lambda and on one machine.
pub fn router(gate: Gate, bot: BotUsername) -> Router {
    let front = Front { gate: Arc::new(gate.clone()), bot: Arc::new(bot) };
    guerdon_api::service(gate, ROUTES, handlers().with_state(front))
}

routes! { Front;
    PUBLIC => get "/r/{code}" clicks::follow;
    PUBLIC => get "/openapi.json" docs::openapi;
    PUBLIC => get "/docs" docs::page;
    PUBLIC => get "/docs/redoc.js" docs::script;
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
