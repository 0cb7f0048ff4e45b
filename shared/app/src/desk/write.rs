//! What operators change. Each change is one transaction with its audit line and its stored answer.

use guerdon_domain::{
    ids::{AdjustmentId, ExternalPaymentId, MemberId, PaymentKey, Rail, TelegramId},
    money::Money,
    payments::PaymentFacts,
    referrals::ReferralState,
    wallets::{Wallet, WalletError, WalletKind},
};
use guerdon_store::{Adjustment, AuditRecord, Fragment, StoredResponse, metered};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    App, AppError, Recorded,
    error::refusal,
    programs::program_at,
    record_payment::{record_with_trail, surroundings, with_conversion},
    settings_now, settle_wallet,
};

/// Who asks for a change, and under which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskRequest {
    /// The operator's credential, by name.
    pub principal: String,
    /// The `Idempotency-Key` they chose.
    pub key: String,
    /// SHA-256 of route and body.
    pub input_hash: String,
    /// Whom it concerns.
    pub user_id: TelegramId,
    /// Why, in the operator's words.
    pub reason: String,
}

/// What a change came to, as it was answered the first time and is answered again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Whom it concerned.
    pub user_id: TelegramId,
    /// The adjustment or commission that was made.
    pub id: String,
    /// How much was moved.
    pub amount: Money,
    /// Bill credit of the member afterwards, in the wallet or on the Stripe balance.
    pub credit_balance: Money,
}

/// A change that happened now, or the answer of the time it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Now.
    Applied(Change),
    /// Before, under the same key.
    AlreadyApplied(Change),
}

/// Why a change was refused. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// Nobody of that id is known.
    #[error("no member has this user id")]
    UnknownMember,
    /// The amount is zero, negative, too large, or in the wrong currency.
    #[error("{0}")]
    BadAmount(String),
    /// There is less to take than asked.
    #[error("{0}")]
    Insufficient(String),
    /// The member was not referred by anybody.
    #[error("this member was not referred by anybody")]
    NotReferred,
    /// The referral is converted or expired.
    #[error("this referral is {0}, not pending")]
    NotPending(&'static str),
    /// The same key came with another input before.
    #[error("this Idempotency-Key was used for another request")]
    KeyReused,
    /// It did not complete.
    #[error(transparent)]
    App(#[from] AppError),
}

macro_rules! app_error {
    ($($error:ty),*) => {$(
        impl From<$error> for DeskError {
            fn from(error: $error) -> Self {
                Self::App(error.into())
            }
        }
    )*};
}
app_error!(
    guerdon_store::StoreError,
    guerdon_domain::ids::IdError,
    guerdon_domain::money::MoneyError,
    serde_json::Error
);

#[derive(Clone, Copy)]
enum Refused {
    Repeated,
    WalletChanged,
}

const TRIES: u32 = 25;
/// The most an operator may move at once, in minor units: a slip of the finger stays bounded.
const MOST_MINOR: i64 = 10_000_000;

/// Gives bill credit by hand.
///
/// # Errors
/// [`DeskError`].
pub async fn apply_credit(app: &App, request: &DeskRequest, amount: Money) -> Result<Answer, DeskError> {
    metered("apply_credit", adjust(app, request, amount, "credit.apply")).await
}

/// Takes bill credit back by hand: what is available in the wallet. What lies on the Stripe balance
/// already is out of reach here.
///
/// # Errors
/// [`DeskError`].
pub async fn revoke_credit(app: &App, request: &DeskRequest, amount: Money) -> Result<Answer, DeskError> {
    metered("revoke_credit", adjust(app, request, amount, "credit.revoke")).await
}

async fn adjust(app: &App, request: &DeskRequest, amount: Money, action: &str) -> Result<Answer, DeskError> {
    if !(1..=MOST_MINOR).contains(&amount.minor()) || amount.currency() != app.preset.currency {
        let most = Money::new(MOST_MINOR, app.preset.currency);
        return Err(DeskError::BadAmount(format!("the amount must be above zero and at most {most}")));
    }
    if let Some(answer) = answered(app, request).await? {
        return Ok(answer);
    }
    let member = app.member_id(request.user_id);
    if app.store.member(&member).await?.is_none() {
        return Err(DeskError::UnknownMember);
    }
    settle_wallet(app, &member).await?;
    for tries in 1..=TRIES {
        let before = app.store.wallet(&member, WalletKind::BillCredit, amount.currency()).await?;
        let (change, writes) = match adjustment(app, request, &before, amount, action) {
            // Perhaps a twin of this very request took it, before the wallet was read.
            Err(DeskError::Insufficient(why)) => {
                return answered(app, request).await?.ok_or(DeskError::Insufficient(why));
            }
            made => made?,
        };
        match refusal(app.store.commit(&writes).await)? {
            None => return Ok(Answer::Applied(change)),
            Some(Refused::Repeated) => {
                return answered(app, request).await?.ok_or(DeskError::App(AppError::Conflict));
            }
            Some(Refused::WalletChanged) => crate::pause(app, tries).await,
        }
    }
    Err(DeskError::App(AppError::Conflict))
}

fn adjustment(
    app: &App,
    request: &DeskRequest,
    before: &Wallet,
    amount: Money,
    action: &str,
) -> Result<(Change, Vec<Fragment<Refused>>), DeskError> {
    let now = app.now();
    let id = AdjustmentId::parse(request.digest())?;
    let giving = action == "credit.apply";
    let posted = if giving {
        before.clone().give(amount, id.clone(), now)
    } else {
        before.clone().take(amount, id.clone(), now)
    };
    let (wallet, entry) = posted.map_err(|error| match error {
        WalletError::Insufficient { .. } => DeskError::Insufficient(error.to_string()),
        other => DeskError::App(other.into()),
    })?;
    let change = Change {
        user_id: request.user_id,
        id: id.to_string(),
        amount,
        credit_balance: wallet.available().checked_add(wallet.held())?,
    };
    let signed = if giving { amount } else { amount.checked_neg()? };
    let adjustment = Adjustment {
        id,
        member: wallet.member.clone(),
        amount: signed,
        reason: request.reason.clone(),
        principal: request.principal.clone(),
        at: now,
    };
    let mut writes = app.store.post(&wallet, &entry, Refused::WalletChanged)?;
    writes.push(app.store.insert_adjustment(&adjustment, Refused::Repeated)?);
    let states = (serde_json::to_string(&before.buckets)?, serde_json::to_string(&wallet.buckets)?);
    let (audit, response) = trail(app, request, action, &wallet.member, states, &change)?;
    writes.extend(app.store.audited(&audit, &response, Refused::Repeated)?);
    Ok((change, writes))
}

/// Converts a pending referral as if its referee had paid the cheapest qualifying tier: for payments that
/// an operator knows of and we never saw. The key on the manual rail is the referee, so it happens once;
/// payment, commission, audit line and answer are one transaction.
///
/// # Errors
/// [`DeskError`].
pub async fn force_confirm(app: &App, request: &DeskRequest) -> Result<Answer, DeskError> {
    metered("force_confirm", async {
        if let Some(answer) = answered(app, request).await? {
            return Ok(answer);
        }
        let referee = app.member_id(request.user_id);
        let facts = match forced_payment(app, &referee).await {
            // A twin of this very request may have been faster.
            Err(DeskError::NotPending(state)) => {
                return answered(app, request).await?.ok_or(DeskError::NotPending(state));
            }
            facts => facts?,
        };
        let change = forecast(app, request, &facts).await?;
        let states = ("\"pending\"".to_owned(), "\"converted\"".to_owned());
        let (audit, response) = trail(app, request, "referral.force_confirm", &referee, states, &change)?;
        match record_with_trail(app, &facts, Some((&audit, &response))).await? {
            Recorded::Applied(record) => {
                // The credit is the referrer's at once where there is no hold; should this fail, the
                // commission's own event settles it.
                for (_, beneficiary, _) in record.grants() {
                    settle_wallet(app, beneficiary).await?;
                }
                Ok(Answer::Applied(change))
            }
            Recorded::AlreadyApplied(_) => {
                answered(app, request).await?.ok_or(DeskError::NotPending("converted"))
            }
        }
    })
    .await
}

/// The payment that an operator vouches for, if the referral is still pending.
async fn forced_payment(app: &App, referee: &MemberId) -> Result<PaymentFacts, DeskError> {
    let member = app.store.member(referee).await?.ok_or(DeskError::UnknownMember)?;
    let referral = app.store.referral_of(&member).await?.ok_or(DeskError::NotReferred)?;
    let referral = with_conversion(app, referral).await?;
    let now = app.now();
    match referral.state {
        ReferralState::Pending if now < referral.expires_at => {}
        ReferralState::Converted { .. } => return Err(DeskError::NotPending("converted")),
        ReferralState::Pending | ReferralState::Expired => return Err(DeskError::NotPending("expired")),
    }
    let program = program_at(app, now).await?;
    let rule = program.headline().ok_or(DeskError::NotPending(EARNS_NOTHING))?;
    // The cheapest plan that satisfies the rule, as if it had been bought.
    let settings = settings_now(app).await?;
    let plans = settings.preset.plans.iter().map(|plan| plan.price);
    let tier = plans.filter(|price| price.minor() >= rule.minimum_payment.minor()).min_by_key(|p| p.minor());
    // Where nothing has a price, the least that counts as paid.
    let tier = tier.unwrap_or(rule.minimum_payment);
    let tier = Money::new(tier.minor().max(1), tier.currency());
    let key = PaymentKey { rail: Rail::Manual, id: ExternalPaymentId::parse(referee.as_str())? };
    let purpose = rule.trigger.purpose();
    Ok(PaymentFacts { purpose, ..PaymentFacts::purchase(key, referee.clone(), tier, now) })
}

const EARNS_NOTHING: &str = "not one that earns anything";

/// What the operator is told: the commission, and the referrer's credit with it.
async fn forecast(app: &App, request: &DeskRequest, facts: &PaymentFacts) -> Result<Change, DeskError> {
    let program = program_at(app, facts.paid_at).await?;
    let payer = app.store.member(&facts.member).await?;
    let around = surroundings(app, payer.as_ref(), &program).await?;
    let decision = program.decide(facts, &around).map_err(AppError::from)?;
    let Some(grant) = decision.grants.first() else {
        return Err(DeskError::NotPending(EARNS_NOTHING));
    };
    let (kind, currency) = (grant.snapshot.rule.target, grant.amount.currency());
    let wallet = app.store.wallet(&grant.beneficiary, kind, currency).await?;
    let netted = Money::new(grant.amount.minor().min(wallet.buckets.owed), currency);
    let balance = wallet.available().checked_add(wallet.held())?.checked_add(grant.amount)?;
    Ok(Change {
        user_id: request.user_id,
        id: grant.commission.to_string(),
        amount: grant.amount,
        credit_balance: balance.checked_sub(netted)?,
    })
}

/// Bars a member from rewards, or lets them have rewards again. What is booked stays; what they would earn
/// from now on is refused, and they cannot withdraw.
///
/// # Errors
/// [`DeskError`].
pub async fn set_barred(app: &App, request: &DeskRequest, barred: bool) -> Result<Answer, DeskError> {
    metered("set_barred", async {
        if let Some(answer) = answered(app, request).await? {
            return Ok(answer);
        }
        let id = app.member_id(request.user_id);
        let member = app.store.member(&id).await?.ok_or(DeskError::UnknownMember)?;
        let currency = app.preset.currency;
        let wallet = app.store.wallet(&id, WalletKind::BillCredit, currency).await?;
        let change = Change {
            user_id: request.user_id,
            id: request.digest(),
            amount: Money::zero(currency),
            credit_balance: wallet.available().checked_add(wallet.held())?,
        };
        let action = if barred { "member.bar" } else { "member.unbar" };
        let states = (member.barred.to_string(), barred.to_string());
        let (audit, response) = trail(app, request, action, &id, states, &change)?;
        let mut writes = vec![app.store.bar_member(&id, barred, Refused::WalletChanged)?];
        writes.extend(app.store.audited(&audit, &response, Refused::Repeated)?);
        match refusal(app.store.commit(&writes).await)? {
            None => Ok(Answer::Applied(change)),
            Some(Refused::WalletChanged) => Err(DeskError::UnknownMember),
            Some(Refused::Repeated) => {
                answered(app, request).await?.ok_or(DeskError::App(AppError::Conflict))
            }
        }
    })
    .await
}

impl DeskRequest {
    /// The change's own id: the same principal and key always give the same one.
    fn digest(&self) -> String {
        let digest = Sha256::digest(format!("{}\n{}", self.principal, self.key));
        hex::encode(&digest[..16])
    }
}

async fn answered(app: &App, request: &DeskRequest) -> Result<Option<Answer>, DeskError> {
    let Some(stored) = app.store.stored_response(&request.principal, &request.key).await? else {
        return Ok(None);
    };
    if stored.input_hash != request.input_hash {
        return Err(DeskError::KeyReused);
    }
    Ok(Some(Answer::AlreadyApplied(serde_json::from_str(&stored.body)?)))
}

fn trail(
    app: &App,
    request: &DeskRequest,
    action: &str,
    member: &MemberId,
    (before, after): (String, String),
    change: &Change,
) -> Result<(AuditRecord, StoredResponse), DeskError> {
    let now = app.now();
    let audit = AuditRecord {
        id: request.digest(),
        at: now,
        principal: request.principal.clone(),
        action: action.to_owned(),
        member: Some(member.clone()),
        reason: request.reason.clone(),
        before,
        after,
    };
    let response = StoredResponse {
        principal: request.principal.clone(),
        key: request.key.clone(),
        input_hash: request.input_hash.clone(),
        body: serde_json::to_string(change)?,
        at: now,
    };
    Ok((audit, response))
}
