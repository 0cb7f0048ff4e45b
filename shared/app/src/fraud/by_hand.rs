//! Fraud decisions of operators: raise a flag, block a member, unblock a member.

use guerdon_domain::{
    fraud::{Finding, FraudAction, FraudFlag, Signal},
    ids::{FraudFlagId, MemberId, PrincipalId, TelegramId},
    members::Member,
};
use guerdon_store::{fraud::Force, table::metered};
use serde_json::json;

use super::{
    raise::raised,
    refusal::{FraudRefusal, line, random},
    resolve::mark,
};
use crate::{
    attempt::Attempts,
    commissions::settle_wallet,
    context::App,
    error::{AppError, refusal},
};

/// A flag that an operator raises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByHand<'a> {
    /// The operator.
    pub principal: &'a PrincipalId,
    /// The member that the flag is about.
    pub user_id: TelegramId,
    /// The action to enforce.
    pub action: FraudAction,
    /// The reason.
    pub reason: &'a str,
    /// The operator's key, which identifies the flag in a repeated call.
    pub key: Option<&'a str>,
}

/// Raises a flag for an operator: one transaction with the enforced action and an audit line.
pub async fn flag_by_hand(app: &App, by_hand: &ByHand<'_>) -> Result<FraudFlag, FraudRefusal> {
    metered("flag_by_hand", async {
        let member = member_of(app, by_hand.user_id).await?;
        raise_by_hand(app, &member.id, by_hand, "fraud.flag").await
    })
    .await
}

/// Blocks a member: they earn no more rewards and cannot withdraw. Does nothing if the member is blocked
/// already.
pub async fn block_member(app: &App, by_hand: &ByHand<'_>) -> Result<FraudFlag, FraudRefusal> {
    metered("block_member", async {
        let member = member_of(app, by_hand.user_id).await?;
        let rejects: Vec<_> = member.rejects.iter().take(MOST_FLAGS).cloned().collect();
        let known = app.store.flags().find_all(&member.id, &rejects).await?;
        if let Some(block) = known.into_iter().find(|flag| flag.signal == Signal::Manual) {
            return Ok(block);
        }
        let block = ByHand { action: FraudAction::Reject, ..by_hand.clone() };
        raise_by_hand(app, &member.id, &block, "fraud.block").await
    })
    .await
}

async fn member_of(app: &App, user_id: TelegramId) -> Result<Member, FraudRefusal> {
    app.store.members().find(&app.member_id(user_id)).await?.ok_or(FraudRefusal::UnknownMember)
}

async fn raise_by_hand(
    app: &App,
    subject: &MemberId,
    by_hand: &ByHand<'_>,
    action: &'static str,
) -> Result<FraudFlag, FraudRefusal> {
    let (principal, reason) = (by_hand.principal, by_hand.reason);
    let finding = Finding::manual(by_hand.action, principal.clone(), reason.to_owned());
    let bucket = match by_hand.key {
        Some(key) => format!("{principal}\n{key}"),
        None => random(app)?,
    };
    let flag = FraudFlag::raise(subject.clone(), finding, &bucket, app.now());
    let mut attempts = Attempts::default();
    loop {
        // An earlier try of this call raised the flag, before the answer was stored.
        if let Some(known) = app.store.flags().find(subject, &flag.id).await? {
            return Ok(known);
        }
        let mut writes = raised(app, None, &flag)?;
        let after = json!({ "flag": flag.id, "action": flag.action });
        let audit = line(app, (principal, action), subject, reason, [serde_json::Value::Null, after])?;
        writes.push(app.store.audit().insert(&audit, ())?);
        if refusal(app.store.commit(&writes).await)?.is_none() {
            return Ok(flag);
        }
        attempts.again(app).await?;
    }
}

/// Maximum number of flags that one transaction lifts.
const MOST_FLAGS: usize = 90;

/// Dismisses every flag in force about a member, confirmed ones too, and removes an operator's bar. Releases
/// held commissions that are due. Does nothing if nothing is in force. Returns the lifted flags.
pub async fn unblock_member(
    app: &App,
    principal: &PrincipalId,
    user_id: TelegramId,
    reason: &str,
) -> Result<Vec<FraudFlag>, FraudRefusal> {
    metered("unblock_member", async {
        let (mut lifted, mut attempts) = (Vec::new(), Attempts::default());
        loop {
            let member = member_of(app, user_id).await?;
            let mut ids: Vec<FraudFlagId> = member.holds.union(&member.rejects).cloned().collect();
            ids.truncate(MOST_FLAGS);
            if ids.is_empty() && !member.barred {
                settle_wallet(app, &member.id).await?;
                return Ok(lifted);
            }
            mark(app, &member.id).await?;
            match lift(app, (principal, reason), &member, ids).await? {
                Some(flags) => lifted.extend(flags),
                None => attempts.again(app).await?,
            }
        }
    })
    .await
}

/// Lifts the flags `ids`. Returns `None` if another writer changed one of them.
async fn lift(
    app: &App,
    (principal, reason): (&PrincipalId, &str),
    member: &Member,
    ids: Vec<FraudFlagId>,
) -> Result<Option<Vec<FraudFlag>>, AppError> {
    let (mut writes, mut lifted) = (Vec::new(), Vec::new());
    for before in app.store.flags().find_all(&member.id, &ids).await? {
        let after = before.clone().lift(principal.clone(), reason.to_owned(), app.now());
        writes.push(app.store.flags().replace(&before, &after, ())?);
        lifted.push(after);
    }
    let states = [
        json!({ "barred": member.barred, "flags": ids }),
        json!({ "barred": false, "flags": Vec::<FraudFlagId>::new() }),
    ];
    let audit = line(app, (principal, "fraud.unblock"), &member.id, reason, states)?;
    writes.push(app.store.audit().insert(&audit, ())?);
    let force = Force { lifted: ids, unbarred: member.barred, ..Force::default() };
    writes.extend(app.store.flags().enforce(&member.id, &force, ())?);
    Ok(refusal(app.store.commit(&writes).await)?.is_none().then_some(lifted))
}
