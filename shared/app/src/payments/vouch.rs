//! Payments that an operator confirms and that no provider reported.

use guerdon_domain::{
    ids::{ExternalPaymentId, MemberId, PaymentKey, ProductId, Rail},
    money::Money,
    payments::{PaymentFacts, PaymentLine, Place, Refusal, Verdict},
    programs::{Beneficiary, Decision, Grant, Program, Rule},
    referrals::ReferralState,
    settings::Plan,
};
use guerdon_store::table::metered;

use crate::{
    commissions::settle_wallet,
    context::App,
    error::AppError,
    once::{Answer, Change, ChangeRefusal, MemberCall},
    payments::{Along, Recorded, priced, record_along},
    programs::{program_at, surroundings, with_conversion},
    settings::settings_now,
};

/// Converts a pending referral as if its referee had paid the cheapest qualifying plan. Refused, and nothing is written,
/// when that payment would not convert it: the reason is the rule's own. Operators use it for
/// payments that no provider reported. The key on the manual rail is the referee's id, so it applies once per
/// referee. One transaction writes the payment, the commission, the audit line and the answer.
pub async fn force_confirm(app: &App, request: &MemberCall) -> Result<Answer, ChangeRefusal> {
    metered("force_confirm", async {
        if let Some(answer) = request.answered(app).await? {
            return Ok(answer);
        }
        let referee = app.member_id(request.user_id);
        let facts = match forced_payment(app, &referee).await {
            // A concurrent copy of the same request may have been first.
            Err(ChangeRefusal::NotPending(state)) => {
                return request.answered(app).await?.ok_or(ChangeRefusal::NotPending(state));
            }
            facts => facts?,
        };
        let change = forecast(app, request, &facts).await?;
        let states = ["\"pending\"", "\"converted\""].map(str::to_owned);
        let once = request.once(app, &change, ("referral.force_confirm", &referee), states)?;
        let along = Along { once: Some(&once), must_convert: true, ..Along::default() };
        let recorded = match record_along(app, &facts, along).await {
            // Another payment of the referee was first: say how it is now.
            Err(AppError::Conflict) => {
                forecast(app, request, &facts).await?;
                Err(AppError::Conflict)
            }
            recorded => recorded,
        };
        match recorded? {
            Recorded::Applied(record) => {
                // Without a hold period the referrer receives the credit at once. If this fails, the
                // commission's own event settles it.
                for (_, beneficiary, _) in record.grants() {
                    settle_wallet(app, beneficiary).await?;
                }
                Ok(Answer::Applied(change))
            }
            Recorded::AlreadyApplied(_) => {
                request.answered(app).await?.ok_or(ChangeRefusal::NotPending("converted"))
            }
        }
    })
    .await
}

/// Builds the payment that the operator confirms, if the referral is still pending.
async fn forced_payment(app: &App, referee: &MemberId) -> Result<PaymentFacts, ChangeRefusal> {
    let member = app.store.members().find(referee).await?.ok_or(ChangeRefusal::UnknownMember)?;
    let referral = app.store.referrals().of(&member).await?.ok_or(ChangeRefusal::NotReferred)?;
    let (referral, _) = with_conversion(app, referral).await?;
    let now = app.now();
    match referral.state {
        ReferralState::Pending if now < referral.expires_at => {}
        ReferralState::Converted { .. } => return Err(ChangeRefusal::NotPending("converted")),
        ReferralState::Pending | ReferralState::Expired => return Err(ChangeRefusal::NotPending("expired")),
    }
    let program = program_at(app, now).await?;
    let rule = program.headline().ok_or(ChangeRefusal::NoReward)?;
    let key = PaymentKey { rail: Rail::Manual, id: ExternalPaymentId::parse(referee.as_str())? };
    let settings = settings_now(app).await?;
    let (plan, product) = cheapest(&settings.preset.plans, rule);
    // Without a suitable plan, the rule's minimum payment.
    let paid = plan.map_or(rule.minimum_payment, |plan| plan.price);
    let paid = Money::new(paid.minor().max(1), paid.currency());
    let facts = PaymentFacts::purchase(key, referee.clone(), paid, now);
    let lines = product.into_iter().map(|product| PaymentLine::unit(product, paid)).collect();
    let facts = PaymentFacts { purpose: rule.trigger.purpose(), lines, ..facts };
    Ok(priced(app, &facts).await?)
}

/// The cheapest plan that satisfies the rule, and the product by which the rule knows it.
fn cheapest<'a>(plans: &'a [Plan], rule: &Rule) -> (Option<&'a Plan>, Option<ProductId>) {
    let product = |plan: &Plan| match rule.products.as_slice() {
        [] => Some(ProductId::from(&plan.id)),
        products => products.iter().find(|product| plan.is_for(product)).cloned(),
    };
    let enough = plans.iter().filter(|plan| plan.price.minor() >= rule.minimum_payment.minor());
    let suitable = enough.filter_map(|plan| Some((plan, product(plan)?)));
    match suitable.min_by_key(|(plan, _)| plan.price.minor()) {
        Some((plan, product)) => (Some(plan), Some(product)),
        None => (None, rule.products.first().cloned()),
    }
}

/// The reason why the payment would not convert: that of the first rule that rewards the referrer.
fn reason(program: &Program, decision: &Decision) -> Refusal {
    let of_referrer = program.rules.iter().zip(&decision.trace);
    let of_referrer = of_referrer.filter(|(rule, _)| rule.beneficiary == Beneficiary::Referrer);
    let refused = of_referrer.filter_map(|(_, candidate)| match candidate.verdict {
        Verdict::Refused { reason } => Some(reason),
        Verdict::Granted { .. } => None,
    });
    refused.into_iter().next().unwrap_or(Refusal::AlreadyConverted)
}

/// Computes the operator's answer: the commission and the referrer's resulting credit.
async fn forecast(app: &App, request: &MemberCall, facts: &PaymentFacts) -> Result<Change, ChangeRefusal> {
    let program = program_at(app, facts.paid_at).await?;
    let payer = app.store.members().find(&facts.member).await?;
    let around = surroundings(app, payer.as_ref(), &program, facts.paid_at).await?;
    let decision = program.decide(facts, &around);
    let converts = |grant: &&Grant| matches!(grant.place, Place::Conversion { .. });
    let Some(grant) = decision.grants.iter().find(converts) else {
        return Err(ChangeRefusal::WouldNotConvert(reason(&program, &decision)));
    };
    let (kind, currency) = (grant.snapshot.rule.target, grant.amount.currency());
    let wallet = app.store.wallets().find(&grant.beneficiary, kind, currency).await?;
    let netted = Money::new(grant.amount.minor().min(wallet.buckets.owed), currency);
    let balance = wallet.available().checked_add(wallet.held())?.checked_add(grant.amount)?;
    Ok(Change {
        user_id: request.user_id,
        id: grant.commission.to_string(),
        amount: grant.amount,
        credit_balance: balance.checked_sub(netted)?,
    })
}
