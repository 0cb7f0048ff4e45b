//! The worker that consumes the queue of bill credit.
//!
//! **credits** holds the bus's announcements of changes after which a member may have credit to settle or post, or a
//! fraud rule may report a finding. A finding may hold what was earned, so one function does both, the fraud rules
//! first. A payment intent whose event waits is looked up here, too: this is the only function that calls Stripe.
pub mod account;
pub mod handler;
pub mod worker;
