//! Payments that are decided again: those of which a rule could not decide, because a cost was not known or a number of
//! the program was too large, once an operator has supplied what was missing.

use guerdon_domain::{
    ids::{PaymentKey, PlanId, PrincipalId, ProductId},
    money::Money,
    payments::{Candidate, PaymentFacts, PaymentLine, PaymentRecord, Refusal, Verdict},
    programs::Program,
    time::Timestamp,
};
use guerdon_store::table::{SHARDS, metered};
use serde::{Deserialize, Serialize};

use super::deciding::{Deciding, Refused, decision_writes};
use crate::{
    audit::Line,
    commissions::settle_wallet,
    context::App,
    error::{AppError, refusal},
    once::{Call, CallRefusal},
    programs::{program_at, program_now},
    settings::{settings_at, settings_now},
};

/// What an operator says about a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Supplied {
    /// Nothing: the costs of the settings and the program in force count.
    Nothing,
    /// The plan that was bought.
    Product(PlanId),
    /// What all that was bought costs to make.
    Cost(Money),
}

/// The reason why a payment was not decided again. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum DecideRefusal {
    /// No payment has this key.
    #[error("no payment is on record under this key")]
    UnknownPayment,
    /// Every rule has decided about the payment.
    #[error("every rule has decided about this payment")]
    Decided,
    /// The payment is undone as a whole.
    #[error("the payment is undone as a whole: nothing is left to decide about")]
    Undone,
    /// A rule still cannot decide.
    #[error("{}", .0.explain())]
    StillOpen(Refusal),
    /// No plan has this id.
    #[error("no plan has this id; there is: {0}")]
    UnknownProduct(String),
    /// The cost is negative, above what was paid, or in another currency than the business's.
    #[error("the cost must be 0 to the amount of the payment, in {0}")]
    BadCost(String),
    /// The same key was used before with a different input.
    #[error("this Idempotency-Key was used for another request")]
    KeyReused,
    /// The operation did not complete.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<CallRefusal> for DecideRefusal {
    fn from(refusal: CallRefusal) -> Self {
        match refusal {
            CallRefusal::KeyReused => Self::KeyReused,
            CallRefusal::App(error) => Self::App(error),
        }
    }
}

/// Who decides again, and why: for the audit trail.
#[derive(Debug, Clone, Copy)]
struct Author<'a> {
    call: &'a Call,
    reason: &'a str,
}

/// Decides the open rules of a payment again, with what the operator supplies. What was granted before stays. A rule whose
/// numbers did not fit is decided by the program in force now, the others by that of the payment's time: a payment that has
/// both kinds is decided by two calls, the others first. One transaction writes the payment, its new commissions, an audit
/// line and the answer.
///
/// # Errors
/// [`DecideRefusal`] says what is still missing.
pub async fn decide_again(
    app: &App,
    call: &Call,
    payment: &PaymentKey,
    supplied: &Supplied,
    reason: &str,
) -> Result<PaymentRecord, DecideRefusal> {
    metered("decide_again", async {
        if call.answered(app).await?.is_some() {
            let record = app.store.payments().find(payment).await.map_err(AppError::from)?;
            return record.ok_or(DecideRefusal::UnknownPayment);
        }
        // Numbers that do not fit are decided by another program than the rest: one of the two at a time.
        let others: fn(Refusal) -> bool = |reason| reason.is_open() && reason != Refusal::NotComputable;
        let numbers: fn(Refusal) -> bool = |reason| reason == Refusal::NotComputable;
        let author = Author { call, reason };
        let first = decide(app, payment, Ask { open: others, supplied }, Some(author)).await;
        if !matches!(first, Err(DecideRefusal::Decided | DecideRefusal::StillOpen(_))) {
            return first;
        }
        match decide(app, payment, Ask { open: numbers, supplied }, Some(author)).await {
            Err(DecideRefusal::Decided) => first,
            second => second,
        }
    })
    .await
}

/// Decides about what another payment of the same money stood in the way of, after that one was undone.
pub(crate) async fn decide_after(app: &App, payment: &PaymentKey) -> Result<(), AppError> {
    let is_blocked = |reason: Refusal| reason == Refusal::AlreadyConverted;
    match decide(app, payment, Ask { open: is_blocked, supplied: &Supplied::Nothing }, None).await {
        Err(DecideRefusal::App(error)) => Err(error),
        // Nothing to decide, or decided as before.
        _ => Ok(()),
    }
}

/// The rules to ask again, and what is said about the payment.
struct Ask<'a> {
    open: fn(Refusal) -> bool,
    supplied: &'a Supplied,
}

impl Ask<'_> {
    fn is_open(&self, candidate: &Candidate) -> bool {
        matches!(candidate.verdict, Verdict::Refused { reason } if (self.open)(reason))
    }
}

async fn decide(
    app: &App,
    payment: &PaymentKey,
    ask: Ask<'_>,
    author: Option<Author<'_>>,
) -> Result<PaymentRecord, DecideRefusal> {
    let mut deciding = Deciding::default();
    loop {
        let before = app.store.payments().find(payment).await.map_err(AppError::from)?;
        let before = before.ok_or(DecideRefusal::UnknownPayment)?;
        if !before.trace.iter().any(|candidate| ask.is_open(candidate)) {
            return Err(DecideRefusal::Decided);
        }
        if before.is_undone() {
            return Err(DecideRefusal::Undone);
        }
        let facts = supplied(app, &before, ask.supplied).await?;
        let program = deciding_program(app, &before, &ask).await?;
        let payer = app.store.members().find(&before.member).await.map_err(AppError::from)?;
        let (around, decision) = deciding.decide(app, &program, &facts, payer.as_ref()).await?;
        let after = after(&before, &facts, &program, (&decision.trace, &ask));
        if let Some(reason) = still_open(&before, &after, &ask) {
            return Err(reason);
        }
        let now = app.now();
        let mut writes = vec![
            app.store
                .payments()
                .decide_again(&before, &after, Refused::PaymentMoved)
                .map_err(AppError::from)?,
        ];
        writes.extend(decision_writes(app, &after, around.referral.as_ref(), decision, now)?);
        if let Some(author) = author {
            let line = audit_line(&before, &after, author.reason)?;
            let once = author.call.once(app, payment.to_string(), line);
            writes.extend(once.fragments(app, Refused::RequestAnswered).map_err(AppError::from)?);
        }
        match refusal(app.store.commit(&writes).await)? {
            None => return settled(app, after).await,
            Some(refused) => deciding.learn(app, refused).await?,
        }
    }
}

/// The reason why nothing would be written: no rule's decision changes.
fn still_open(before: &PaymentRecord, after: &PaymentRecord, ask: &Ask<'_>) -> Option<DecideRefusal> {
    if before.trace != after.trace {
        return None;
    }
    after.trace.iter().find_map(|candidate| match candidate.verdict {
        Verdict::Refused { reason } if ask.is_open(candidate) => Some(DecideRefusal::StillOpen(reason)),
        _ => None,
    })
}

async fn settled(app: &App, record: PaymentRecord) -> Result<PaymentRecord, DecideRefusal> {
    // Without a hold period the referrer receives the credit at once. If this fails, the commission's own event settles it.
    for (_, beneficiary, _) in record.grants() {
        settle_wallet(app, beneficiary).await?;
    }
    Ok(record)
}

/// The payment's facts with what is known now.
async fn supplied(
    app: &App,
    record: &PaymentRecord,
    supplied: &Supplied,
) -> Result<PaymentFacts, DecideRefusal> {
    let mut facts = record.facts();
    let settings = settings_at(app, record.paid_at).await?;
    match supplied {
        Supplied::Nothing => {}
        Supplied::Cost(cost) => {
            let most = if cost.currency() == facts.paid.currency() { facts.paid.minor() } else { i64::MAX };
            if cost.currency() != app.preset.currency || !(0..=most).contains(&cost.minor()) {
                return Err(DecideRefusal::BadCost(app.preset.currency.to_string()));
            }
            facts.cost = Some(*cost);
        }
        Supplied::Product(plan) => {
            let plans = &settings.preset.plans;
            if !plans.iter().any(|known| known.id == *plan) {
                let known: Vec<_> = plans.iter().map(|plan| plan.id.as_str()).collect();
                return Err(DecideRefusal::UnknownProduct(known.join(", ")));
            }
            let product = ProductId::from(plan);
            if facts.lines.is_empty() {
                facts.lines = vec![PaymentLine::unit(product, facts.paid)];
            } else {
                facts
                    .lines
                    .iter_mut()
                    .filter(|line| line.cost.is_none())
                    .for_each(|line| line.product = product.clone());
            }
        }
    }
    settings.preset.price(&mut facts);
    // A cost that was set since is the only one that is known.
    settings_now(app).await?.preset.price(&mut facts);
    Ok(facts)
}

/// The program that decides the open rules, without the others.
async fn deciding_program(app: &App, record: &PaymentRecord, ask: &Ask<'_>) -> Result<Program, AppError> {
    let too_large = |candidate: &Candidate| {
        matches!(candidate.verdict, Verdict::Refused { reason: Refusal::NotComputable })
    };
    let program = if record.trace.iter().any(|candidate| ask.is_open(candidate) && too_large(candidate)) {
        program_now(app).await?
    } else {
        program_at(app, record.paid_at).await?
    };
    let is_open =
        |id: &_| record.trace.iter().any(|candidate| candidate.rule == *id && ask.is_open(candidate));
    Ok(program.with_rules(|rule| is_open(&rule.id)))
}

/// The payment after its open rules were decided again. A rule that is not in the program any more grants nothing.
fn after(
    before: &PaymentRecord,
    facts: &PaymentFacts,
    program: &Program,
    (decided, ask): (&[Candidate], &Ask<'_>),
) -> PaymentRecord {
    let again = |candidate: &Candidate| {
        if !ask.is_open(candidate) {
            return candidate.clone();
        }
        let version = Some(program.version).filter(|version| *version != before.program_version);
        match decided.iter().find(|decided| decided.rule == candidate.rule) {
            Some(decided) => Candidate { version, ..decided.clone() },
            None => {
                let verdict = Verdict::Refused { reason: Refusal::RuleWithdrawn };
                Candidate { version, verdict, ..candidate.clone() }
            }
        }
    };
    PaymentRecord {
        trace: before.trace.iter().map(again).collect(),
        lines: facts.lines.clone(),
        cost: facts.cost_of(&[]).unwrap_or_default(),
        decisions: before.decisions.saturating_add(1),
        ..before.clone()
    }
}

fn audit_line(before: &PaymentRecord, after: &PaymentRecord, reason: &str) -> Result<Line, AppError> {
    let state = |record: &PaymentRecord| {
        let rules: Vec<_> = record
            .trace
            .iter()
            .map(|candidate| match &candidate.verdict {
                Verdict::Refused { reason } => format!("{}: {}", candidate.rule, reason.code()),
                Verdict::Granted { reward, .. } => format!("{}: {reward}", candidate.rule),
            })
            .collect();
        let known = serde_json::json!({
            "payment": record.payment.to_string(), "cost": record.cost, "rules": rules,
        });
        known.to_string()
    };
    let line = Line::new("payment.decide").about(before.member.clone()).because(reason);
    Ok(line.states([state(before), state(after)]))
}

/// The position in the list of payments that wait for a decision: the shard, and the last payment returned from it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undecided {
    /// The shard.
    pub shard: u8,
    /// The last payment returned.
    pub after: Option<PaymentKey>,
}

/// Lists a page of payments that wait for a decision, shard by shard, the oldest of each first. Also returns the position
/// of the next page. A page has at most 100.
pub async fn undecided_payments(
    app: &App,
    from: Undecided,
    limit: i32,
) -> Result<(Vec<PaymentRecord>, Option<Undecided>), AppError> {
    metered("undecided_payments", async {
        let limit = limit.clamp(1, 100);
        let mut after = match &from.after {
            Some(key) => app.store.payments().find(key).await?,
            None => None,
        };
        for shard in from.shard..SHARDS {
            let mut found = app.store.payments().undecided(shard, after.as_ref(), limit).await?;
            after = None;
            let full = i32::try_from(found.len()).unwrap_or(i32::MAX) >= limit;
            let last = found.last().map(|payment| payment.payment.clone());
            let next = if full {
                Some(Undecided { shard, after: last })
            } else {
                (shard + 1 < SHARDS).then_some(Undecided { shard: shard + 1, after: None })
            };
            // The index can lag behind.
            found.retain(PaymentRecord::is_undecided);
            if !found.is_empty() || next.is_none() {
                return Ok((found, next));
            }
        }
        Ok((Vec::new(), None))
    })
    .await
}

/// The result of deciding all that can be decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct DecidedAll {
    /// Payments that were decided.
    pub decided: u32,
    /// Payments that still wait.
    pub open: u32,
}

/// Decides all waiting payments again with the costs and the program in force, until `until`. What was not reached is left
/// for the next call. Each payment that is decided gets an audit line.
pub async fn decide_all(
    app: &App,
    principal: &PrincipalId,
    reason: &str,
    until: Timestamp,
) -> Result<DecidedAll, AppError> {
    metered("decide_all", async {
        let (mut all, mut from) = (DecidedAll::default(), Some(Undecided::default()));
        while let Some(position) = from.filter(|_| app.now() <= until) {
            let (page, next) = undecided_payments(app, position, 100).await?;
            for payment in page {
                let ask = Ask { open: Refusal::is_open, supplied: &Supplied::Nothing };
                // One answer for each state of each payment: what was decided is not decided twice.
                let key = format!("decide-{}-{}", payment.payment, payment.decisions);
                let call = Call { principal: principal.clone(), input_hash: key.clone(), key };
                match decide(app, &payment.payment, ask, Some(Author { call: &call, reason })).await {
                    Ok(record) if !record.is_undecided() => all.decided += 1,
                    Err(DecideRefusal::App(error)) => return Err(error),
                    _ => all.open += 1,
                }
            }
            from = next;
        }
        Ok(all)
    })
    .await
}
