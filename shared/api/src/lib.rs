//! Code that both HTTP APIs share: access, rate limits, reading requests, writing answers, answers stored under
//! idempotency keys, and the OpenAPI document.
//!
//! An API is one list, made by [`routes!`]: method, path, access, handler. The router, the check of access and the
//! OpenAPI document are made from that list, so none of them can miss a route.
pub mod access;
mod admit;
mod canonical;
pub mod credentials;
pub mod gate;
pub mod idempotency;
pub mod input;
pub mod openapi;
pub mod output;
pub mod paging;
pub mod refusals;
pub mod service;

/// Names that the expansion of [`routes!`] uses in the calling crate.
#[doc(hidden)]
pub mod reexports {
    pub use axum;
    pub use utoipa;
}
