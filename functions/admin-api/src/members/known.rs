//! Members by the ids that operators know them by.

use std::collections::HashMap;

use guerdon_app::error::AppError;
use guerdon_domain::ids::{MemberId, TelegramId};

use crate::state::Api;

/// Telegram ids of those that are still members.
pub(crate) type Known = HashMap<MemberId, TelegramId>;

/// Looks members up, a hundred a request.
pub(crate) async fn known(api: &Api, people: impl IntoIterator<Item = MemberId>) -> Result<Known, AppError> {
    let mut people: Vec<_> = people.into_iter().collect();
    people.sort();
    people.dedup();
    let mut known = Known::new();
    for chunk in people.chunks(100) {
        let members = api.gate.app.store.members().find_all(chunk).await?;
        known.extend(members.into_iter().map(|member| (member.id, member.telegram_id)));
    }
    Ok(known)
}
