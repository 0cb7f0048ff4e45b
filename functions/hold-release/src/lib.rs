//! The hourly sweep: releases commissions whose hold is over.
pub mod handler;
