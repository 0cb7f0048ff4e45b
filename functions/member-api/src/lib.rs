//! The API of services and members: registration, orders, wallets, withdrawals, and referral codes with their
//! figures and rewards.
//!
//! Two documented APIs keep their paths and names: that of the OTT system (snake_case, called by a service with its
//! key), and that of the referral-code system under `/api/referral` (camelCase, called by a member with a token that a
//! service gave them). Besides, it follows shared links (`/r/{code}`) and describes both APIs (`/openapi.json`,
//! `/docs`). [`routes::ROUTES`] says who may call what. Errors are RFC 9457 problems.
//!
//! One module for each concern. They stand on [`state`] and `input`; `routes` stands on all of them.
mod commissions;
mod docs;
mod input;
mod members;
mod payments;
mod referrals;
pub mod routes;
pub mod state;
mod statistics;
mod wallets;
mod withdrawals;
