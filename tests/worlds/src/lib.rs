//! Worlds: seeded runs of the real use cases over the real store, with injected faults of every kind.
//!
//! A [`plan::Plan`] is a world drawn from a seed: members who brought each other, payments, all their reversals,
//! withdrawals, operators. Actors run it on one thread in virtual time. Every request to the table is a yield point
//! of the [`net::Net`]: it takes some time, meets locks of other transactions, is throttled, is lost before or after it
//! took effect, or is the last request of an actor that crashes. Messages arrive at least once, late, again, and
//! before what they are about. The state after each commit is checked at once ([`audit`]); the state at the end is
//! recounted ([`rest`]).
//!
//! One seed gives one run. A [`mutant::Mutant`] removes one guard, to test that the worlds detect it.
mod actors;
mod audit;
mod bank;
mod billing;
mod bills;
mod clock;
mod credit;
mod desk;
mod figures;
mod goods;
mod items;
pub mod kinds;
pub mod many;
pub mod mutant;
pub mod net;
mod paid;
pub mod plan;
pub mod play;
mod profit;
mod rates;
mod recount;
mod requests;
mod rest;
mod rules;
pub mod run;
mod scenes;
mod stream;
mod stripe;
mod tasks;
mod till;
mod withdrawals;
mod words;
mod world;
