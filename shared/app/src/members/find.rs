//! The lookup of a member by id.

use guerdon_domain::{ids::MemberId, members::Member};

use crate::{context::App, error::AppError};

/// Finds the member with this id.
pub async fn find_member(app: &App, id: &MemberId) -> Result<Option<Member>, AppError> {
    Ok(app.store.members().find(id).await?)
}
