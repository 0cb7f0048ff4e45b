//! Withdrawals by two steps: a member is shown what will happen, and a tap makes it happen.

use guerdon_domain::{
    ids::IntentId,
    intents::{Action, ActionKind, Intent},
    members::Member,
    money::Money,
    time::Timestamp,
    withdrawals::{Destination, PayoutMethod},
};
use guerdon_store::table::metered;

use super::{
    error::WithdrawalError,
    request::{NewRequest, WithdrawalAsked, ask, asked_under, check_request, check_standing, faster_twin},
};
use crate::{
    attempt::Attempts,
    context::App,
    error::AppError,
    intents::{IntentRefusal, intent_id, open_intent, tapped_intent},
    settings::settings_now,
};

/// A withdrawal that was not requested yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawalOffer {
    /// The id of the intent that requests it.
    pub id: IntentId,
    /// The amount.
    pub amount: Money,
    /// The destination, for its owner's eyes.
    pub destination: Destination,
    /// The instant from which it cannot be requested any more.
    pub until: Timestamp,
}

/// The result of a tap on the button that requests a withdrawal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmed {
    /// The withdrawal was requested, by this tap or an earlier one.
    Asked(Box<WithdrawalAsked>),
    /// The button does nothing.
    Refused(IntentRefusal),
}

/// Checks a withdrawal as a request would, and opens the intent that requests it. Moves no money. The message
/// `cause` opens one intent, however often it is delivered.
///
/// # Errors
/// [`WithdrawalError`]; nothing was changed.
pub async fn offer_withdrawal(
    app: &App,
    member: &Member,
    amount: Money,
    (method, destination): (PayoutMethod, &str),
    cause: &str,
) -> Result<WithdrawalOffer, WithdrawalError> {
    metered("offer_withdrawal", async {
        let settings = settings_now(app).await?;
        let (rules, destination) = check_request(app, &settings, amount, (method, destination))?;
        check_standing(app, &settings, rules, member, amount).await?;
        let id = intent_id(app, &member.id, ActionKind::Withdraw, cause);
        let nonce = app.entropy.nonce().map_err(AppError::from)?;
        let sealed = destination.seal(&app.pseudonyms, &id, nonce)?;
        let action = Action::Withdraw { amount, destination: sealed };
        let intent = open_intent(app, id, &member.id, action).await?;
        Ok(WithdrawalOffer { id: intent.id, amount, destination, until: intent.expires_at })
    })
    .await
}

/// Requests what the member was shown under the intent `id`. The intent is used up in the transaction of the
/// request, so taps at once and taps again find one withdrawal.
///
/// # Errors
/// [`WithdrawalError`]; nothing was changed.
pub async fn confirm_withdrawal(
    app: &App,
    member: &Member,
    id: &IntentId,
) -> Result<Confirmed, WithdrawalError> {
    metered("confirm_withdrawal", confirm(app, member, id)).await
}

async fn confirm(app: &App, member: &Member, id: &IntentId) -> Result<Confirmed, WithdrawalError> {
    if !id.may_be_of(&member.id) {
        return Ok(Confirmed::Refused(IntentRefusal::NotYours));
    }
    let key = format!("intent-{id}");
    let settings = settings_now(app).await?;
    let mut attempts = Attempts::default();
    loop {
        // First the intent and then the withdrawal: a tap that is faster writes both at once.
        let tapped = tapped_intent(app, &member.id, ActionKind::Withdraw, id).await?;
        if let Some(asked) = asked_under(app, &member.id, &key).await? {
            return Ok(Confirmed::Asked(WithdrawalAsked::AlreadyApplied(asked).into()));
        }
        let step = tapped.and_then(|before| Ok((before.clone(), before.use_up(app.now())?)));
        let (before, after) = match step {
            Ok(step) => step,
            Err(refusal) => return Ok(Confirmed::Refused(refusal)),
        };
        let (amount, destination) = shown(app, &before)?;
        let parts = (destination.method(), destination.expose());
        let (rules, destination) = check_request(app, &settings, amount, parts)?;
        let new = NewRequest { amount, destination: &destination, key: &key, uses: Some((&before, &after)) };
        let wallet = match check_standing(app, &settings, rules, member, amount).await {
            Ok(wallet) => wallet,
            Err(error) => {
                return faster_twin(app, &member.id, &new, error)
                    .await
                    .map(|asked| Confirmed::Asked(asked.into()));
            }
        };
        if let Some(withdrawal) = ask(app, wallet, &new).await? {
            return Ok(Confirmed::Asked(WithdrawalAsked::Applied(withdrawal).into()));
        }
        attempts.again(app).await?;
    }
}

/// The figures that the member was shown.
fn shown(app: &App, intent: &Intent) -> Result<(Money, Destination), WithdrawalError> {
    match &intent.action {
        Action::Withdraw { amount, destination } => {
            Ok((*amount, destination.open(&app.pseudonyms, &intent.id)?))
        }
        Action::Claim { .. } => Err(AppError::Corrupt("an intent of another kind".into()).into()),
    }
}
