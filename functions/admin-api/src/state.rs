//! The state that every handler is given.

use guerdon_api::gate::Gate;
use guerdon_domain::ids::TelegramId;

/// The state of the API.
#[derive(Clone)]
pub struct Api {
    /// Access checks, and the use cases' context.
    pub gate: Gate,
    /// The Telegram id of the first super admin, who signs in with `SUPER_ADMIN_PASSWORD`.
    pub super_admin: Option<TelegramId>,
}
