//! Members by the ids that operators know them by.

use std::collections::HashMap;

use guerdon_app::{error::AppError, statistics::members_of};
use guerdon_domain::ids::{MemberId, TelegramId};

use crate::state::Api;

/// Telegram ids of those that are still members.
pub(crate) type Known = HashMap<MemberId, TelegramId>;

/// Looks members up.
pub(crate) async fn known(api: &Api, people: impl IntoIterator<Item = MemberId>) -> Result<Known, AppError> {
    let mut people: Vec<_> = people.into_iter().collect();
    people.sort();
    people.dedup();
    let members = members_of(&api.gate.app, &people).await?;
    Ok(members.into_iter().map(|member| (member.id, member.telegram_id)).collect())
}
