//! Who the operators are.

use guerdon_domain::{
    ids::TelegramId,
    operators::{Operator, Role},
};
use guerdon_store::table::metered;
use serde_json::json;

use super::{
    password::Password,
    sign_in::{operator_name, trail},
};
use crate::{attempt::Attempts, context::App, error::AppError};

/// An operator was not changed.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// Nobody with this id is one.
    #[error("nobody with this id is an operator")]
    Unknown,
    /// Nobody changes or removes themselves: the last super admin could lock everybody out.
    #[error("operators do not change themselves")]
    Yourself,
    /// It could not be tried.
    #[error(transparent)]
    App(#[from] AppError),
}

/// Makes somebody an operator, or gives one another role and password, which ends their sessions and a lock.
/// Asked again it does the same again.
///
/// # Errors
/// [`OperatorError`].
pub async fn set_operator(
    app: &App,
    principal: &str,
    telegram_id: TelegramId,
    role: Role,
    password: &Password,
) -> Result<(), OperatorError> {
    metered("set_operator", async {
        let id = app.member_id(telegram_id);
        if principal == operator_name(app, &id) {
            return Err(OperatorError::Yourself);
        }
        let hash = password.hash(app)?;
        let mut attempts = Attempts::default();
        loop {
            let before = app.store.operators().find(&id).await.map_err(AppError::from)?;
            let operator = Operator {
                id: id.clone(),
                role,
                password: hash.clone(),
                attempts: 0,
                locked_until: None,
                generation: before.as_ref().map_or(1, |before| before.generation.saturating_add(1)),
                created_at: before.as_ref().map_or(app.now(), |before| before.created_at),
            };
            let written = match &before {
                Some(before) => app.store.operators().replace(before, &operator).await,
                None => app.store.operators().insert(&operator).await,
            };
            if written.map_err(AppError::from)? {
                let states =
                    [before.map(|before| before.role), Some(role)].map(|role| state(app, &operator, role));
                return Ok(trail(app, principal, "operator.set", states).await?);
            }
            attempts.at_once()?;
        }
    })
    .await
}

/// Takes an operator's access away: their sessions end with it.
///
/// # Errors
/// [`OperatorError`].
pub async fn remove_operator(
    app: &App,
    principal: &str,
    telegram_id: TelegramId,
) -> Result<(), OperatorError> {
    metered("remove_operator", async {
        let id = app.member_id(telegram_id);
        if principal == operator_name(app, &id) {
            return Err(OperatorError::Yourself);
        }
        let operator =
            app.store.operators().find(&id).await.map_err(AppError::from)?.ok_or(OperatorError::Unknown)?;
        app.store.operators().remove(&id).await.map_err(AppError::from)?;
        let states = [Some(operator.role), None].map(|role| state(app, &operator, role));
        Ok(trail(app, principal, "operator.removed", states).await?)
    })
    .await
}

/// What a line of the audit trail says of an operator.
fn state(app: &App, operator: &Operator, role: Option<Role>) -> String {
    json!({ "operator": operator_name(app, &operator.id), "role": role }).to_string()
}
