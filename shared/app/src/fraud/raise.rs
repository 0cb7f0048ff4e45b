//! Flags raised from findings of the rules.

use guerdon_domain::{
    fraud::{Finding, FraudAction, FraudFlag},
    ids::{FraudFlagId, MemberId},
};
use guerdon_store::{fraud::Force, table::Fragment};

use crate::{
    attempt::Attempts,
    context::App,
    error::{AppError, refusal},
};

/// Stores a finding about a member: raises a flag, escalates an open one, or does nothing if it is already
/// recorded. One transaction stores the flag and its effect on the member.
pub(super) async fn raise(
    app: &App,
    subject: &MemberId,
    finding: &Finding,
    bucket: &str,
) -> Result<FraudFlag, AppError> {
    raise_once(app, subject, finding, bucket, &[]).await
}

/// Like [`raise`], for a finding that may be stored under one of the `former` ids.
pub(super) async fn raise_once(
    app: &App,
    subject: &MemberId,
    finding: &Finding,
    bucket: &str,
    former: &[FraudFlagId],
) -> Result<FraudFlag, AppError> {
    let mut attempts = Attempts::default();
    loop {
        let flag = FraudFlag::raise(subject.clone(), finding.clone(), bucket, app.now());
        let known = match app.store.flags().find(subject, &flag.id).await? {
            Some(known) => Some(known),
            None => app.store.flags().find_all(subject, former).await?.into_iter().find(|it| it.is_of(&flag)),
        };
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

/// Builds the writes of a flag and of its effect on the member.
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
