//! Gamification: ranks, points and badges.
mod profile;

pub use profile::{ProfileView, StandingView, profile_view};
