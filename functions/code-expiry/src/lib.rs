//! The hourly expiry of codes, and of referrals that never led to a payment.
pub mod handler;
