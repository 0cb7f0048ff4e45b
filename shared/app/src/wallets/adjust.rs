//! Bill credit that operators give and take.

use guerdon_domain::{
    ids::AdjustmentId,
    money::Money,
    wallets::{Adjustment, Wallet, WalletError, WalletKind},
};
use guerdon_store::table::{Fragment, metered};

use crate::{
    attempt::Attempts,
    commissions::settle_wallet,
    context::App,
    error::{AppError, refusal},
    once::{Answer, Change, DeskError, DeskRequest, answered, desk_trail},
};

#[derive(Clone, Copy)]
enum Refused {
    Repeated,
    WalletChanged,
}

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
    if app.store.members().find(&member).await?.is_none() {
        return Err(DeskError::UnknownMember);
    }
    settle_wallet(app, &member).await?;
    let mut attempts = Attempts::default();
    loop {
        let before = app.store.wallets().find(&member, WalletKind::BillCredit, amount.currency()).await?;
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
            Some(Refused::WalletChanged) => attempts.again(app).await?,
        }
    }
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
    let mut writes = app.store.wallets().post(&wallet, &entry, Refused::WalletChanged)?;
    writes.push(app.store.wallets().insert_adjustment(&adjustment, Refused::Repeated)?);
    let states = (serde_json::to_string(&before.buckets)?, serde_json::to_string(&wallet.buckets)?);
    let (audit, response) = desk_trail(app, request, action, &wallet.member, states, &change)?;
    writes.extend(app.store.requests().audited(&audit, &response, Refused::Repeated)?);
    Ok((change, writes))
}
