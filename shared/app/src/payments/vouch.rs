//! Payments that an operator confirms and that no provider reported.

use guerdon_domain::{
    ids::{ExternalPaymentId, MemberId, PaymentKey, Rail},
    money::Money,
    payments::PaymentFacts,
    referrals::ReferralState,
};
use guerdon_store::table::metered;

use crate::{
    commissions::settle_wallet,
    context::App,
    error::AppError,
    once::{Answer, Change, ChangeRefusal, MemberCall},
    payments::{Recorded, record_once},
    programs::{program_at, surroundings, with_conversion},
    settings::settings_now,
};

/// Converts a pending referral as if its referee had paid the cheapest qualifying plan. Operators use it for
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
        match record_once(app, &facts, &once).await? {
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
    let referral = with_conversion(app, referral).await?;
    let now = app.now();
    match referral.state {
        ReferralState::Pending if now < referral.expires_at => {}
        ReferralState::Converted { .. } => return Err(ChangeRefusal::NotPending("converted")),
        ReferralState::Pending | ReferralState::Expired => return Err(ChangeRefusal::NotPending("expired")),
    }
    let program = program_at(app, now).await?;
    let rule = program.headline().ok_or(ChangeRefusal::NotPending(EARNS_NOTHING))?;
    // The cheapest plan that satisfies the rule.
    let settings = settings_now(app).await?;
    let plans = settings.preset.plans.iter().map(|plan| plan.price);
    let tier = plans.filter(|price| price.minor() >= rule.minimum_payment.minor()).min_by_key(|p| p.minor());
    // Without a suitable plan, the rule's minimum payment.
    let tier = tier.unwrap_or(rule.minimum_payment);
    let tier = Money::new(tier.minor().max(1), tier.currency());
    let key = PaymentKey { rail: Rail::Manual, id: ExternalPaymentId::parse(referee.as_str())? };
    let purpose = rule.trigger.purpose();
    Ok(PaymentFacts { purpose, ..PaymentFacts::purchase(key, referee.clone(), tier, now) })
}

const EARNS_NOTHING: &str = "not one that earns anything";

/// Computes the operator's answer: the commission and the referrer's resulting credit.
async fn forecast(app: &App, request: &MemberCall, facts: &PaymentFacts) -> Result<Change, ChangeRefusal> {
    let program = program_at(app, facts.paid_at).await?;
    let payer = app.store.members().find(&facts.member).await?;
    let around = surroundings(app, payer.as_ref(), &program, facts.paid_at).await?;
    let decision = program.decide(facts, &around).map_err(AppError::from)?;
    let Some(grant) = decision.grants.first() else {
        return Err(ChangeRefusal::NotPending(EARNS_NOTHING));
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
