//! A stand-in for Telegram and Stripe on one machine, with a page where one person is several users.
//!
//! The local stack mounts [`Sim::router`](sim::Sim::router) beside its own routes. Guerdon's outgoing clients are pointed at it
//! (`/sim/telegram` instead of `https://api.telegram.org`, `/sim/stripe/` instead of `https://api.stripe.com/`), and
//! what the simulated people do comes back to Guerdon's webhooks over loopback HTTP, signed as the real services
//! sign: `POST {base_url}/telegram/webhook` and `POST {base_url}/api/stripe/webhook`.
//!
//! ```no_run
//! # use guerdon_simulator::{config::{Plan, SimConfig, SimError}, sim::Sim};
//! # fn main() -> Result<(), SimError> {
//! let sim = Sim::try_new(SimConfig {
//!     base_url: "http://127.0.0.1:8080".into(),
//!     bot_username: "guerdon_bot".into(),
//!     brand: "Guerdon".into(),
//!     telegram_token: "110201543:simulated".into(),
//!     telegram_webhook_secret: "made-up-at-the-start".into(),
//!     stripe_api_key: "sk_test_simulated".into(),
//!     stripe_webhook_secret: "whsec_simulated".into(),
//!     page_token: String::new(),
//!     state_file: None,
//!     clock: std::sync::Arc::new(|| 1_793_000_000),
//!     plans: vec![Plan {
//!         id: "basic".into(), name: "Basic".into(), price_minor: 3_900, currency: "usd".into(),
//!     }],
//! })?;
//! let routes: axum::Router = sim.router();
//! # Ok(()) }
//! ```
//!
//! # The contract with the gateway
//! The gateway calls [`Sim::record_reply`](sim::Sim::record_reply) with the body of **every** answer of the Telegram webhook: Telegram
//! executes a reply that names a `method`. The simulator ignores the answers to its own posts, so each reply counts
//! once. [`Sim::observe_update`](sim::Sim::observe_update) is optional: with it, hand-made updates show up on the page and the answers to
//! their callbacks land in the right chat.
//!
//! # Routes
//! | route | body or parameters |
//! |---|---|
//! | `GET /sim` | the page |
//! | `GET /sim/pay` | `plan`, `client_reference_id`: the stand-in checkout; its form POSTs to the same path |
//! | `GET, POST /sim/telegram/bot<token>/<method>` | the Bot API |
//! | `/sim/stripe/v1/...` | the Stripe API |
//! | `GET /sim/api/state` | `?user=<id>&revision=<n>`: everything the page shows, or `{"unchanged":true}` |
//! | `POST /sim/api/users` | `{"first_name", "last_name"?, "username"?, "language_code"?, "id"?}` |
//! | `POST /sim/api/telegram/send` | `{"user_id", "text"}` |
//! | `POST /sim/api/telegram/forward` | `{"user_id", "from_user_id", "message_id"}`: a message of another chat, or of the same |
//! | `POST /sim/api/telegram/tap` | `{"user_id", "message_id", "row", "column"}`, or `"data"` for row and column |
//! | `POST /sim/api/telegram/open` | `{"user_id", "url"}`: a deep link to the bot |
//! | `POST /sim/api/telegram/block` | `{"user_id", "blocked"}` |
//! | `POST /sim/api/telegram/pay` | `{"user_id", "message_id"}`: pays an invoice message |
//! | `POST /sim/api/telegram/fail` | `{"next", "status"?, "retry_after"?, "after_commit"?}` |
//! | `GET /sim/api/telegram/outbox/<chat_id>` | `[{method, payload}]` |
//! | `GET /sim/api/telegram/calls` | every Bot API call with its status, refused ones too |
//! | `GET /sim/api/telegram/updates` | `[{update_id, body, status, attempts}]` as sent |
//! | `POST /sim/api/stripe/subscribe` | `{"user_id", "plan"}` |
//! | `POST /sim/api/stripe/next-invoice` | `{"user_id"}`: a draft renewal |
//! | `POST /sim/api/stripe/finalize` | `{"user_id", "invoice"?, "pay"?}`: applies the balance; pays unless `false` |
//! | `POST /sim/api/stripe/void` | `{"user_id", "invoice"?}`: gives the applied credit back |
//! | `POST /sim/api/stripe/refund` | `{"user_id", "invoice"?, "amount_minor"?}`: all that is left, by default |
//! | `POST /sim/api/stripe/cancel` | `{"user_id"}` |
//! | `GET /sim/api/stripe/events` | `?customer=<id>`: `[{id, type, body, signature_header, status, ...}]` in order |
//! | `POST /sim/api/stripe/hold` | `{"hold"}`: events are recorded but not delivered |
//! | `POST /sim/api/stripe/deliver` | `{"id"}` sends one (again), `{"held":true}` all that wait, signed anew |
//! | `POST /sim/api/stripe/fail` | `{"next", "status"?, "after_commit"?, "sticky"?}` |
//! | `GET /sim/api/stripe/calls` | `[{method, path, idempotency_key, params}]` |
//! | `GET /sim/api/stripe/customers/<id>` | the customer with its lines, invoices and subscriptions |
//!
//! Actions answer `{"ok":true, ...}` after their updates or events were delivered (or gave up), and a sentence in
//! `{"ok":false,"error":...}` when they cannot be done.
//!
//! # Where it differs from the real services, and why
//! - A Stripe customer that was never seen is created when it is named (ids that begin with `cus_missing` are
//!   not): people post hand-made signed events to the stack, and Guerdon then calls about their customers.
//! - Likewise an edit of a message that was never sent is taken, and any chat id can be written to.
//! - A billing period is thirty days, and a draft waits for a button where Stripe waits an hour.
//! - An injected failure is not remembered under the idempotency key (`after_commit` remembers the success
//!   behind it), unless it is `sticky`, which is what Stripe does with its own 500s.
//! - Logs keep their last 2,000 entries. The snapshot is written whole after each change: leave `state_file` out
//!   of load tests.
//!
//! It exists for one machine: it speaks plain HTTP, posts to loopback addresses only, and its secrets are made up.
#![recursion_limit = "256"]

mod answer;
pub mod config;
mod form;
mod injection;
mod log;
mod page;
mod saver;
pub mod sim;
mod snapshot;
mod stripe;
mod telegram;
mod view;
mod world;
