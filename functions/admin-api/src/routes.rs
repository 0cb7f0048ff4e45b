//! Every route: who may call it, and its handler.

use std::sync::Arc;

use axum::Router;
use guerdon_api::{
    Gate,
    access::{Access, anyone, operator},
    routes, service,
};
use guerdon_domain::{ids::TelegramId, operators::Role};

use crate::{
    attribution, audit, bank, batch, dashboard, fraud, jobs, link, lists, parked, payments, program, read,
    request, service_keys, settings, sign_in, statement, steps, withdrawals, write,
};

const ADMIN: Access = operator(Role::Admin);
const SUPER: Access = operator(Role::SuperAdmin);
/// Passwords and refresh tokens are guessed against everybody's allowance.
const SIGN_IN: Access = anyone("sign-in");

/// What the handlers need.
#[derive(Clone)]
pub struct Desk {
    /// Who may come in, and the use cases' context.
    pub gate: Gate,
    /// Who becomes the first super admin, by `SUPER_ADMIN_PASSWORD`.
    pub super_admin: Option<TelegramId>,
}

/// The API as a service: the same in Lambda and on one machine.
pub fn router(desk: Desk) -> Router {
    let gate = desk.gate.clone();
    service(gate, ROUTES, handlers().with_state(Arc::new(desk)))
}

routes! { Arc<Desk>;
    SIGN_IN => post "/admin/auth/login" sign_in::login;
    SIGN_IN => post "/admin/auth/refresh" sign_in::refresh;
    anyone("") => get "/admin/auth/link" link::page;
    SIGN_IN => post "/admin/auth/link" link::sign_in;
    ADMIN => post "/admin/auth/logout" sign_in::logout;
    ADMIN => get "/admin/auth/me" sign_in::me;
    SUPER => put "/api/admin/operators/{user_id}" sign_in::set;
    SUPER => delete "/api/admin/operators/{user_id}" sign_in::remove;
    SUPER => get "/api/admin/service-keys" service_keys::list;
    SUPER => post "/api/admin/service-keys" service_keys::make;
    SUPER => delete "/api/admin/service-keys/{id}" service_keys::revoke;
    ADMIN => get "/admin/dashboard/stats" dashboard::stats;
    ADMIN => get "/admin/dashboard/kpi" dashboard::kpi;
    ADMIN => get "/admin/dashboard/payment-monitoring" dashboard::payments;
    ADMIN => get "/admin/dashboard/users" lists::users;
    ADMIN => get "/admin/dashboard/orders" lists::orders;
    ADMIN => get "/admin/dashboard/referrers" lists::referrers;
    ADMIN => get "/withdrawals/admin/all" lists::withdrawals;
    ADMIN => post "/withdrawals/{id}/approve" steps::approve;
    ADMIN => post "/withdrawals/{id}/reject" steps::reject;
    ADMIN => post "/withdrawals/{id}/paid" steps::paid;
    ADMIN => get "/api/admin/audit" audit::list;
    ADMIN => get "/api/admin/jobs" jobs::list;
    ADMIN => get "/api/admin/parked" parked::list;
    ADMIN => post "/api/admin/parked/{id}/replay" parked::replay;
    ADMIN => get "/api/admin/credits/stats" read::stats;
    ADMIN => get "/api/admin/credits/top-referrers" read::top_referrers;
    ADMIN => get "/api/admin/credits/user/{user_id}" read::user;
    ADMIN => get "/api/admin/credits/search" read::search;
    ADMIN => get "/api/admin/credits/pending" read::pending;
    ADMIN => get "/api/admin/credits/export" read::export;
    ADMIN => post "/api/admin/credits/apply" write::apply;
    ADMIN => post "/api/admin/credits/revoke" write::revoke;
    ADMIN => post "/api/admin/credits/force-confirm" write::force_confirm;
    ADMIN => get "/api/admin/program" program::newest;
    SUPER => put "/api/admin/program" program::set;
    ADMIN => post "/api/admin/program/simulate" program::simulate;
    ADMIN => post "/api/admin/payments" bank::record;
    // The rest of the path: a reference may have a slash in it.
    ADMIN => get "/api/admin/payments/{*payment}" payments::explain;
    ADMIN => get "/api/admin/users/{user_id}/payments" payments::of_member;
    ADMIN => get "/api/admin/users/{user_id}/attribution" attribution::explain;
    ADMIN => get "/api/admin/users/{user_id}/statement" statement::statement;
    ADMIN => get "/api/admin/users/{user_id}/withdrawals" withdrawals::of_member;
    ADMIN => post "/api/admin/users/{user_id}/withdrawals" request::ask;
    ADMIN => post "/api/admin/users/{user_id}/bar" write::bar;
    ADMIN => post "/api/admin/users/{user_id}/unbar" write::unbar;
    ADMIN => get "/api/admin/withdrawals" withdrawals::list;
    ADMIN => post "/api/admin/withdrawals/export" batch::export;
    ADMIN => get "/api/admin/withdrawals/{id}" withdrawals::one;
    ADMIN => post "/api/admin/withdrawals/{id}/{step}" steps::step;
    ADMIN => get "/fraud/flags" fraud::list;
    ADMIN => post "/fraud/flags/create" fraud::create;
    ADMIN => post "/fraud/flags/{id}/resolve" fraud::resolve;
    ADMIN => post "/fraud/user/{user_id}/block" fraud::block;
    ADMIN => post "/fraud/user/{user_id}/run-checks" fraud::checks;
    ADMIN => post "/fraud/user/{user_id}/unblock" fraud::unblock;
    ADMIN => get "/settings/all" settings::all;
    SUPER => put "/settings/{key}" settings::set;
}
