//! Accounts of operators.

use guerdon_domain::{
    ids::{PrincipalId, TelegramId},
    operators::{Operator, Role},
};
use guerdon_store::table::{Guarded, metered};
use serde_json::json;

use super::{
    password::Password,
    sign_in::{operator_name, trail},
};
use crate::{attempt::Attempts, context::App, error::AppError};

/// The reason why an operator was not changed.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// No operator has this id.
    #[error("no operator has this id")]
    Unknown,
    /// Operators cannot change or remove themselves, so that the last super admin cannot lock everybody out.
    #[error("operators do not change themselves")]
    Yourself,
    /// The change did not complete.
    #[error(transparent)]
    App(#[from] AppError),
}

/// Creates an operator, or sets the role and password of an existing one, which ends their sessions. A repeated call has
/// the same effect.
pub async fn set_operator(
    app: &App,
    principal: &PrincipalId,
    telegram_id: TelegramId,
    role: Role,
    password: &Password,
) -> Result<(), OperatorError> {
    metered("set_operator", async {
        let id = app.member_id(telegram_id);
        if *principal == operator_name(app, &id) {
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
            if written.map_err(AppError::from)? == Guarded::Written {
                let states =
                    [before.map(|before| before.role), Some(role)].map(|role| state(app, &operator, role));
                return Ok(trail(app, principal, "operator.set", states).await?);
            }
            attempts.at_once()?;
        }
    })
    .await
}

/// Removes an operator. Their sessions end.
pub async fn remove_operator(
    app: &App,
    principal: &PrincipalId,
    telegram_id: TelegramId,
) -> Result<(), OperatorError> {
    metered("remove_operator", async {
        let id = app.member_id(telegram_id);
        if *principal == operator_name(app, &id) {
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

/// Builds the state of an operator for an audit line.
fn state(app: &App, operator: &Operator, role: Option<Role>) -> String {
    json!({ "operator": operator_name(app, &operator.id), "role": role }).to_string()
}
