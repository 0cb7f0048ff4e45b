//! The records that a decision about a payment depends on.

use std::collections::BTreeMap;

use guerdon_domain::{
    ids::{MemberId, Rail, RuleId},
    members::Member,
    payments::{PaymentFacts, PaymentRecord, Place, Refusal, Verdict},
    programs::{Beneficiary, Decision, Party, Program, Rule, Surroundings, Trigger},
    referrals::{Referral, ReferralState},
    time::Timestamp,
};

use crate::{context::App, error::AppError, settings::settings_now};

/// Loads the records that the decision about a payment of `payer` at `paid_at` depends on.
pub(crate) async fn surroundings(
    app: &App,
    payer: Option<&Member>,
    program: &Program,
    paid_at: Timestamp,
) -> Result<Surroundings, AppError> {
    let payer = payer.filter(|_| !program.rules.is_empty());
    let found = match payer {
        Some(payer) => app.store.referrals().with_referrer(payer).await?,
        None => None,
    };
    let Some((referral, referrer)) = found else { return Ok(Surroundings::default()) };
    let upline = match referral.upline.as_ref().filter(|_| program.second_level) {
        Some(upline) => app.store.members().find(upline).await?,
        None => None,
    };
    let mut upline = upline.map(party);
    if let Some(upline) = &mut upline {
        upline.last_paid_at = last_paid(app, program, &upline.member, paid_at).await?;
    }
    let (referral, converted_by) = with_conversion(app, referral).await?;
    let mut around = Surroundings {
        referrer: referrer.map(party),
        upline,
        referral: Some(referral),
        converted_by,
        ..Surroundings::default()
    };
    first_payments(app, program, &mut around).await?;
    Ok(around)
}

/// Adds which rules that reward a first payment have rewarded one in their own place. Only where another rule's reward
/// converted the referral, or a conversion was undone, can one be there that its first payment does not show.
async fn first_payments(app: &App, program: &Program, around: &mut Surroundings) -> Result<(), AppError> {
    let Some(referral) = &around.referral else { return Ok(()) };
    if !referral.is_converted() && referral.undone == 0 {
        return Ok(());
    }
    let is_asked = |rule: &&Rule| {
        rule.trigger == Trigger::FirstPayment && around.converted_by.as_ref() != Some(&rule.id)
    };
    for rule in program.rules.iter().filter(is_asked) {
        let beneficiary = match rule.beneficiary {
            Beneficiary::Referrer => &referral.referrer,
            Beneficiary::Referee => &referral.referee,
            Beneficiary::Upline => match &referral.upline {
                Some(upline) => upline,
                None => continue,
            },
        };
        let of = (&referral.referee, &rule.id, rule.beneficiary.level());
        let mut attempt = 0;
        while let Some(first) =
            app.store.commissions().first(beneficiary, (referral.joined_at, attempt), of).await?
        {
            if !first.is_undone() || !settings_now(app).await?.undone_reopens {
                around.spent.insert(rule.id.clone(), first.paid_at);
                break;
            }
            attempt = attempt.saturating_add(1);
        }
        if attempt > 0 {
            around.undone.insert(rule.id.clone(), attempt);
        }
    }
    Ok(())
}

/// Returns the rules that `decision` would let reward a first payment, although the referee has made one before: another
/// rule's reward converted the referral, and this rule, which is newer, would have been satisfied by an earlier payment.
pub(crate) async fn rewarded_too_late(
    app: &App,
    program: &Program,
    (decision, payment): (&Decision, &PaymentFacts),
    around: &Surroundings,
) -> Result<BTreeMap<RuleId, Timestamp>, AppError> {
    let mut late = BTreeMap::new();
    let Some(referral) = around.referral.as_ref().filter(|referral| referral.is_converted()) else {
        return Ok(late);
    };
    for grant in &decision.grants {
        let rule = &grant.snapshot.rule;
        let is_new_here = matches!(grant.place, Place::Once { attempt: 0, .. });
        if rule.trigger != Trigger::FirstPayment || !is_new_here {
            continue;
        }
        let mut page = app.store.payments().until(&payment.member, payment.paid_at, MOST_PAYMENTS).await?;
        while let Some(oldest) = page.last().cloned() {
            if let Some(first) = page.iter().find(|before| is_first(program, rule, (before, payment), around))
            {
                late.insert(rule.id.clone(), first.paid_at);
                break;
            }
            if oldest.paid_at.is_seconds_before(referral.joined_at) {
                break;
            }
            page = app.store.payments().of(&payment.member, Some(&oldest), MOST_PAYMENTS).await?;
        }
    }
    Ok(late)
}

/// True when `before` satisfied the rule. A payment that the rule itself has decided did not, or the rule has rewarded
/// an even earlier one.
fn is_first(
    program: &Program,
    rule: &Rule,
    (before, payment): (&PaymentRecord, &PaymentFacts),
    around: &Surroundings,
) -> bool {
    if before.payment == payment.key || before.is_undone() {
        return false;
    }
    match before.trace.iter().find(|candidate| candidate.rule == rule.id).map(|known| &known.verdict) {
        Some(Verdict::Refused { reason }) => *reason == Refusal::AlreadyConverted,
        Some(Verdict::Granted { .. }) => true,
        None => program.is_satisfied(rule, &before.facts(), around),
    }
}

/// Number of payments in one read.
const MOST_PAYMENTS: i32 = 50;

fn party(member: Member) -> Party {
    Party { barred: member.is_barred(), last_paid_at: None, member: member.id }
}

/// Number of payments in one read.
const PAYMENTS: i32 = 10;

/// Returns the time of the latest payment of `member` until `paid_at`, if the program asks for it. Every payment is
/// listed, whatever program is in force, so a new program finds it too. Only money that settled and was not undone as a
/// whole counts.
pub(crate) async fn last_paid(
    app: &App,
    program: &Program,
    member: &MemberId,
    paid_at: Timestamp,
) -> Result<Option<Timestamp>, AppError> {
    let Some(days) = program.upline_active_days else { return Ok(None) };
    let since = paid_at.plus_days(days.saturating_neg());
    let mut page = app.store.payments().until(member, paid_at, PAYMENTS).await?;
    loop {
        if let Some(found) = page.iter().find(|payment| is_sale(payment)) {
            return Ok(Some(found.paid_at));
        }
        let Some(oldest) = page.last().filter(|oldest| oldest.paid_at >= since) else { return Ok(None) };
        page = app.store.payments().of(member, Some(oldest), PAYMENTS).await?;
    }
}

fn is_sale(payment: &PaymentRecord) -> bool {
    payment.payment.rail != Rail::Manual && payment.paid.is_positive() && !payment.is_undone()
}

/// Returns the referral with its conversion, and the rule whose commission that is. The stream updates the referral a moment later, so the conversion's places
/// are read in any case: a commission there may be new, restored, or undone as a whole. After the last one that is
/// undone the next payment may convert.
pub(crate) async fn with_conversion(
    app: &App,
    referral: Referral,
) -> Result<(Referral, Option<RuleId>), AppError> {
    let mut seen = Referral { undone: 0, ..referral.clone() };
    loop {
        let Some(first) = app.store.commissions().conversion(&seen).await? else {
            let state = if seen.is_converted() { ReferralState::Pending } else { seen.state };
            return Ok((Referral { state, ..seen }, None));
        };
        // The setting is asked for only when something was undone: most payments follow a conversion that stands.
        if first.is_undone() && (seen.undone < referral.undone || settings_now(app).await?.undone_reopens) {
            seen.undone = seen.undone.saturating_add(1);
            continue;
        }
        let state = ReferralState::Converted { payment: first.payment, at: first.paid_at };
        return Ok((Referral { state, ..seen }, Some(first.snapshot.rule.id)));
    }
}
