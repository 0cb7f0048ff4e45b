//! A member by their id.

use guerdon_domain::{ids::MemberId, members::Member};

use crate::{context::App, error::AppError};

/// The member of this id, if there is one.
///
/// # Errors
/// [`AppError`].
pub async fn find_member(app: &App, id: &MemberId) -> Result<Option<Member>, AppError> {
    Ok(app.store.members().find(id).await?)
}
