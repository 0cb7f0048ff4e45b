//! The Stripe adapter: verifies the signature of a webhook, reads its event, and (feature `client`) posts
//! bill credit.
//!
//! ```
//! use guerdon_domain::time::Timestamp;
//! use guerdon_stripe::{event::{EventObject, StripeEvent}, signature::{WebhookSecret, sign, verify}};
//!
//! let secret = WebhookSecret::try_new("whsec_of_this_endpoint")?;
//! let now = Timestamp::from_seconds(1_795_253_400);
//! let body = br#"{"object":"event","id":"evt_A1","type":"customer.created","created":1795253390,
//!     "data":{"object":{"object":"customer","id":"cus_A1","metadata":{"telegram_id":"700000001"}}}}"#;
//!
//! // Stripe does this step, and so does the simulator.
//! let header = sign(body, &secret, now);
//!
//! verify(&header, body, &[secret], now)?;
//! let event = StripeEvent::parse(body)?;
//! let EventObject::Customer(customer) = &event.object else { return Err("a customer".into()) };
//! assert_eq!(customer.member_hint().map(|id| id.get()), Some(700_000_001));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Why the events are read here and not by a Stripe library
//! A generated library is pinned to one API version and refuses an event of another. Stripe renders each
//! event in the version that its endpoint (or the account) was created with, fields move between versions
//! (<https://docs.stripe.com/changelog>), and an event that we refuse is a payment that we lose. So a small
//! file of ours reads each object: it knows every place a field has had, accepts an id as text or as an
//! expanded object, and ignores the rest. Money is the exception: an amount is never guessed, and a missing
//! one is an error.
//!
//! # Privacy
//! Names, addresses, e-mails and free texts stay in the payload: no struct here has a field for them, and no
//! error quotes a payload's content.
#[cfg(feature = "client")]
pub mod call_error;
pub mod charge;
pub mod checkout;
#[cfg(feature = "client")]
pub mod client;
pub mod credit_note;
pub mod customer;
pub mod dispute;
pub mod event;
pub mod invoice;
pub mod invoice_payment;
#[cfg(feature = "client")]
pub mod lookup;
pub mod payment_intent;
mod reads;
pub mod refund;
pub mod signature;
pub mod slim;
pub mod subscription;
mod wire;
