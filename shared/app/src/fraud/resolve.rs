//! Resolution of a flag by an operator.

use guerdon_domain::{
    fraud::{FraudAction, FraudFlag, FraudFlagState, FraudVerdict},
    ids::{FraudFlagId, MemberId, PrincipalId},
};
use guerdon_store::table::Reason;
use guerdon_store::{commissions::ReleaseDue, fraud::Force, table::metered};
use serde_json::json;

use super::refusal::{FraudRefusal, line};
use crate::{
    attempt::Attempts,
    commissions::settle_wallet,
    context::App,
    error::{AppError, refusal},
};

/// Resolves an open flag: one transaction with the effect on the member and an audit line. A dismissed flag
/// releases held commissions that are due; a confirmed flag stays in force. A repeated call of the same
/// operator changes nothing.
pub async fn resolve_flag(
    app: &App,
    principal: &PrincipalId,
    (subject, id): (&MemberId, &FraudFlagId),
    verdict: FraudVerdict,
    note: &str,
) -> Result<FraudFlag, FraudRefusal> {
    metered("resolve_flag", async {
        let mut attempts = Attempts::default();
        loop {
            let before = app.store.flags().find(subject, id).await?.ok_or(FraudRefusal::UnknownFlag)?;
            match &before.state {
                FraudFlagState::Resolved { by, verdict: known, .. }
                    if by == principal && *known == verdict =>
                {
                    return Ok(before);
                }
                FraudFlagState::Resolved { verdict, .. } => {
                    return Err(FraudRefusal::AlreadyResolved(*verdict));
                }
                FraudFlagState::Open => {}
            }
            let held = before.in_force() >= FraudAction::Hold;
            let after = before.clone().resolve(verdict, principal.clone(), note.to_owned(), app.now());
            let after = after.map_err(|error| AppError::Corrupt(Reason::of(error)))?;
            let lifts = held && after.in_force() < FraudAction::Hold;
            let states = [&before, &after].map(|flag| json!({ "flag": flag.id, "state": state(flag) }));
            let audit = line(app, (principal, "fraud.resolve"), subject, note, states)?;
            let mut writes =
                vec![app.store.flags().replace(&before, &after, ())?, app.store.audit().insert(&audit, ())?];
            if lifts {
                writes.extend(app.store.flags().enforce(subject, &Force::of(&after), ())?);
                mark(app, subject).await?;
            }
            if refusal(app.store.commit(&writes).await)?.is_none() {
                if lifts {
                    settle_wallet(app, subject).await?;
                }
                return Ok(after);
            }
            attempts.again(app).await?;
        }
    })
    .await
}

fn state(flag: &FraudFlag) -> &'static str {
    match &flag.state {
        FraudFlagState::Open => "open",
        FraudFlagState::Resolved { verdict, .. } => verdict.as_str(),
    }
}

/// Adds a due marker for the sweep, which dropped its markers while the hold was in force. The marker is
/// written before the hold is lifted, so that the sweep settles the member if a later step fails.
pub(super) async fn mark(app: &App, member: &MemberId) -> Result<(), AppError> {
    Ok(app.store.commissions().mark_due(&ReleaseDue::of(member.clone(), app.now(), app.now())).await?)
}
