//! A finding becomes a flag.

use guerdon_domain::{
    fraud::{Finding, FraudAction, FraudFlag},
    ids::MemberId,
};
use guerdon_store::{fraud::Force, table::Fragment};

use crate::{
    attempt::Attempts,
    context::App,
    error::{AppError, refusal},
};

/// Keeps what was found about a member: a new flag, a stronger hand of one that is open, or nothing, when it is known.
/// The flag and what it does to its subject are one transaction.
pub(super) async fn raise(
    app: &App,
    subject: &MemberId,
    finding: &Finding,
    bucket: &str,
) -> Result<FraudFlag, AppError> {
    let mut attempts = Attempts::default();
    loop {
        let flag = FraudFlag::raise(subject.clone(), finding.clone(), bucket, app.now());
        let known = app.store.flags().find(subject, &flag.id).await?;
        let after = match &known {
            None => flag,
            Some(known) => match known.strengthened(finding) {
                Some(stronger) => stronger,
                None => return Ok(known.clone()),
            },
        };
        let writes = raised(app, known.as_ref(), &after)?;
        if refusal(app.store.commit(&writes).await)?.is_none() {
            let (member, signal) = (app.tag(subject), after.signal.as_str());
            tracing::info!(member, signal, enforced = after.enforced.as_str(), "flag raised");
            return Ok(after);
        }
        attempts.again(app).await?;
    }
}

/// The flag, and what it does to its subject.
pub(super) fn raised(
    app: &App,
    before: Option<&FraudFlag>,
    after: &FraudFlag,
) -> Result<Vec<Fragment<()>>, AppError> {
    let mut writes = vec![match before {
        None => app.store.flags().insert(after, ())?,
        Some(before) => app.store.flags().replace(before, after, ())?,
    }];
    if after.in_force() >= FraudAction::Hold {
        writes.extend(app.store.flags().enforce(&after.subject, &Force::of(after), ())?);
    }
    Ok(writes)
}
