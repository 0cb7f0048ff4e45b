//! The one file of the one-machine stack: an SQLite database whose pages have checksums, whose commits are synced
//! together before anything is acknowledged, and which is never shortened or rewritten when it is damaged.
//!
//! Callers write and read through [`database::Database`]; each gets a [`group::Ticket`] that says when all that they
//! wrote or saw is on the disk.
mod checkpoint;
#[expect(unsafe_code, reason = "SQLite learns of its checksum VFS by one call of C")]
mod checksums;
mod commit;
pub mod copy;
pub mod database;
pub mod error;
pub mod group;
mod open;
pub mod shared;
mod witness;
