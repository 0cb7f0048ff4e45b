//! The worker behind the queue of bill credit.
//!
//! **credits** holds the bus's announcements of what may give a member credit to settle or post, or the fraud rules
//! something to say. A finding may hold what is earned, so both are done here, the finding first. This is the only
//! function that calls Stripe.
pub mod balance;
pub mod handler;
pub mod worker;
