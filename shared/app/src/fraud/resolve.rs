//! Resolution of a flag by an operator.

use guerdon_domain::{
    fraud::{FraudAction, FraudFlag, FraudFlagState, FraudVerdict},
    ids::{FraudFlagId, MemberId, PrincipalId},
    time::Timestamp,
};
use guerdon_store::table::Reason;
use guerdon_store::{commissions::ReleaseDue, fraud::Force, table::metered};
use serde_json::json;

use super::{
    refusal::{FraudRefusal, line},
    shared::MOST_FLAGS,
};
use crate::{
    attempt::Attempts,
    commissions::settle_wallet,
    context::App,
    error::{AppError, refusal},
};

/// The most other flags that one dismissal resolves.
const MOST_ALIKE: usize = 40;

/// Resolves an open flag: one transaction with the effect on the member and an audit line. A dismissed flag
/// releases held commissions that are due, and dismisses the open flags that rest on the same evidence; a confirmed flag
/// stays in force. A repeated call of the same operator changes nothing.
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
            let flag = app.store.flags().find(subject, id).await?.ok_or(FraudRefusal::UnknownFlag)?;
            match &flag.state {
                FraudFlagState::Resolved { by, verdict: known, .. }
                    if by == principal && *known == verdict =>
                {
                    return Ok(flag);
                }
                FraudFlagState::Resolved { verdict, .. } => {
                    return Err(FraudRefusal::AlreadyResolved(*verdict));
                }
                FraudFlagState::Open => {}
            }
            let result = resolved(&flag, principal, verdict, note, app.now())?;
            let alike = match verdict {
                FraudVerdict::Dismissed => alike(app, &flag).await?,
                FraudVerdict::Confirmed => Vec::new(),
            };
            let (mut writes, mut force) = (Vec::new(), Force::default());
            for before in std::iter::once(flag).chain(alike) {
                let after = resolved(&before, principal, verdict, note, app.now())?;
                let states = [&before, &after].map(|flag| json!({ "flag": flag.id, "state": state(flag) }));
                let audit = line(app, (principal, "fraud.resolve"), subject, note, states)?;
                writes.push(app.store.flags().replace(&before, &after, ())?);
                writes.push(app.store.audit().insert(&audit, ())?);
                if before.in_force() >= FraudAction::Hold && after.in_force() < FraudAction::Hold {
                    force.lifted.push(after.id);
                }
            }
            let lifts = !force.lifted.is_empty();
            if lifts {
                writes.extend(app.store.flags().enforce(subject, &force, ())?);
                mark(app, subject).await?;
            }
            if refusal(app.store.commit(&writes).await)?.is_none() {
                if lifts {
                    settle_wallet(app, subject).await?;
                }
                return Ok(result);
            }
            attempts.again(app).await?;
        }
    })
    .await
}

fn resolved(
    flag: &FraudFlag,
    principal: &PrincipalId,
    verdict: FraudVerdict,
    note: &str,
    now: Timestamp,
) -> Result<FraudFlag, AppError> {
    let resolved = flag.clone().resolve(verdict, principal.clone(), note.to_owned(), now);
    resolved.map_err(|error| AppError::Corrupt(Reason::of(error)))
}

/// Returns the open flags that rest on the same evidence as `flag`.
async fn alike(app: &App, flag: &FraudFlag) -> Result<Vec<FraudFlag>, AppError> {
    if flag.evidence.fingerprint().is_none() {
        return Ok(Vec::new());
    }
    let all = app.store.flags().of(&flag.subject, None, MOST_FLAGS).await?.into_iter();
    Ok(all.filter(|other| flag.explains(other)).take(MOST_ALIKE).collect())
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
