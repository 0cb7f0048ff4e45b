//! What both HTTP APIs share: who may call what and how often, reading requests, writing answers, answers kept
//! under their keys, and the description of it all.
//!
//! An API is one list, made by [`routes!`]: method, path, who may, handler. The router, the check of access and the
//! OpenAPI document come from that list, so none of them can forget a route.
pub mod access;
mod admit;
mod credentials;
pub mod idempotency;
pub mod input;
pub mod openapi;
pub mod output;
mod refusals;
mod service;

pub use access::{Access, Route};
pub use admit::{Gate, Limits, origins};
pub use credentials::{Principal, Who};
pub use output::{Amount, Page, Refusal};
pub use refusals::unchanged;
pub use service::service;

/// What [`routes!`] names on behalf of the crate that uses it.
#[doc(hidden)]
pub mod reexports {
    pub use axum;
    pub use utoipa;
}
