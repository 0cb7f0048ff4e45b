//! The state that every handler is given.

use guerdon_api::gate::Gate;
use guerdon_domain::ids::TelegramId;

/// The state of the API.
#[derive(Clone)]
pub struct Api {
    /// Who may come in, and the use cases' context.
    pub gate: Gate,
    /// Who becomes the first super admin, by `SUPER_ADMIN_PASSWORD`.
    pub super_admin: Option<TelegramId>,
}
