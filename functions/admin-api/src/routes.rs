//! Every route: who may call it, and its handler.

use std::sync::Arc;

use axum::Router;
use guerdon_api::{
    access::{Access, anyone, operator},
    routes,
    service::service,
};
use guerdon_domain::operators::Role;

use crate::{
    commissions, fraud, jobs, members, operators, payments, programs, referrals, settings, state::Api,
    statistics, verification, wallets, withdrawals,
};

const ADMIN: Access = operator(Role::Admin);
const SUPER: Access = operator(Role::SuperAdmin);
/// The ways to sign in have allowances apart, so guesses at one close none of the others.
const PASSWORD: Access = anyone("password");
const REFRESH: Access = anyone("refresh_token");
const LINK: Access = anyone("sign_in_link");

/// The API as a service: the same in Lambda and on one machine.
pub fn router(api: Api) -> Router {
    let gate = api.gate.clone();
    service(gate, ROUTES, handlers().with_state(Arc::new(api)))
}

routes! { Arc<Api>;
    PASSWORD => post "/admin/auth/login" operators::sign_in::login;
    REFRESH => post "/admin/auth/refresh" operators::sign_in::refresh;
    anyone("") => get "/admin/auth/link" operators::link::page;
    LINK => post "/admin/auth/link" operators::link::sign_in;
    ADMIN => post "/admin/auth/logout" operators::sign_in::logout;
    ADMIN => get "/admin/auth/me" operators::accounts::me;
    SUPER => put "/api/admin/operators/{user_id}" operators::accounts::set;
    SUPER => delete "/api/admin/operators/{user_id}" operators::accounts::remove;
    SUPER => get "/api/admin/service-keys" operators::service_keys::list;
    SUPER => post "/api/admin/service-keys" operators::service_keys::make;
    SUPER => delete "/api/admin/service-keys/{id}" operators::service_keys::revoke;
    ADMIN => get "/admin/dashboard/stats" statistics::dashboard::stats;
    ADMIN => get "/admin/dashboard/kpi" statistics::dashboard::kpi;
    ADMIN => get "/admin/dashboard/payment-monitoring" statistics::dashboard::payments;
    ADMIN => get "/admin/dashboard/users" members::list::users;
    ADMIN => get "/admin/dashboard/orders" payments::orders::orders;
    ADMIN => get "/admin/dashboard/referrers" referrals::list::referrers;
    ADMIN => get "/withdrawals/admin/all" withdrawals::list::withdrawals;
    ADMIN => post "/withdrawals/{id}/approve" withdrawals::steps::approve;
    ADMIN => post "/withdrawals/{id}/reject" withdrawals::steps::reject;
    ADMIN => post "/withdrawals/{id}/paid" withdrawals::steps::paid;
    ADMIN => get "/api/admin/audit" operators::audit::list;
    ADMIN => get "/api/admin/jobs" jobs::list;
    SUPER => get "/api/admin/verification" verification::show;
    SUPER => post "/api/admin/verification/{id}/acknowledge" verification::acknowledge;
    ADMIN => get "/api/admin/parked" payments::parked::list;
    ADMIN => post "/api/admin/parked/{id}/replay" payments::parked::replay;
    ADMIN => get "/api/admin/credits/stats" statistics::credits::stats;
    ADMIN => get "/api/admin/credits/top-referrers" statistics::credits::top_referrers;
    ADMIN => get "/api/admin/credits/user/{user_id}" members::view::user;
    ADMIN => get "/api/admin/credits/search" commissions::search;
    ADMIN => get "/api/admin/credits/pending" referrals::list::pending;
    ADMIN => get "/api/admin/credits/export" commissions::export;
    ADMIN => post "/api/admin/credits/apply" wallets::adjust::apply;
    ADMIN => post "/api/admin/credits/revoke" wallets::adjust::revoke;
    ADMIN => post "/api/admin/credits/force-confirm" payments::vouch::force_confirm;
    ADMIN => get "/api/admin/program" programs::newest;
    SUPER => put "/api/admin/program" programs::set;
    ADMIN => post "/api/admin/program/simulate" programs::simulate;
    ADMIN => get "/api/admin/undecided" payments::undecided::list;
    ADMIN => post "/api/admin/undecided" payments::undecided::decide;
    ADMIN => post "/api/admin/undecided/all" payments::undecided::decide_them_all;
    ADMIN => post "/api/admin/refunds" payments::refund::refund;
    ADMIN => post "/api/admin/payments" payments::bank::record;
    // The rest of the path: a reference may have a slash in it.
    ADMIN => get "/api/admin/payments/{*payment}" payments::explain::explain;
    ADMIN => get "/api/admin/users/{user_id}/payments" payments::explain::of_member;
    ADMIN => get "/api/admin/users/{user_id}/attribution" referrals::attribution::explain;
    ADMIN => get "/api/admin/users/{user_id}/statement" wallets::statement::statement;
    ADMIN => get "/api/admin/users/{user_id}/withdrawals" withdrawals::list::of_member;
    ADMIN => post "/api/admin/users/{user_id}/withdrawals" withdrawals::request::ask;
    ADMIN => post "/api/admin/users/{user_id}/bar" members::bar::bar;
    ADMIN => post "/api/admin/users/{user_id}/unbar" members::bar::unbar;
    ADMIN => get "/api/admin/users/{user_id}/customers" members::customers::list;
    ADMIN => post "/api/admin/users/{user_id}/customers" members::customers::link;
    ADMIN => get "/api/admin/withdrawals" withdrawals::list::list;
    ADMIN => post "/api/admin/withdrawals/export" withdrawals::export::export;
    ADMIN => get "/api/admin/withdrawals/{id}" withdrawals::list::one;
    ADMIN => post "/api/admin/withdrawals/{id}/{step}" withdrawals::steps::step;
    ADMIN => get "/fraud/flags" fraud::list::list;
    ADMIN => post "/fraud/flags/create" fraud::resolve::create;
    ADMIN => post "/fraud/flags/{id}/resolve" fraud::resolve::resolve;
    ADMIN => post "/fraud/user/{user_id}/block" fraud::block::block;
    ADMIN => post "/fraud/user/{user_id}/run-checks" fraud::block::checks;
    ADMIN => post "/fraud/user/{user_id}/unblock" fraud::block::unblock;
    ADMIN => get "/settings/all" settings::all;
    SUPER => put "/settings/{key}" settings::set;
}
