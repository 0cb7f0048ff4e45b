//! The hourly expiry of codes and of referrals that never paid.
pub mod handler;
