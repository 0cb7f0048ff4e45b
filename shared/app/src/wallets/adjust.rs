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
    once::{Answer, Change, ChangeRefusal, MemberCall},
};

#[derive(Clone, Copy)]
enum Refused {
    Repeated,
    WalletChanged,
}

/// The most an operator can move in one call, in minor units. It limits the damage of a typing error.
const MOST_MINOR: i64 = 10_000_000;

/// Gives bill credit to a member.
pub async fn apply_credit(app: &App, request: &MemberCall, amount: Money) -> Result<Answer, ChangeRefusal> {
    metered("apply_credit", adjust(app, request, amount, "credit.apply")).await
}

/// Takes available bill credit back from the wallet. Credit that is already on the Stripe balance cannot be
/// taken back here.
pub async fn revoke_credit(app: &App, request: &MemberCall, amount: Money) -> Result<Answer, ChangeRefusal> {
    metered("revoke_credit", adjust(app, request, amount, "credit.revoke")).await
}

async fn adjust(
    app: &App,
    request: &MemberCall,
    amount: Money,
    action: &str,
) -> Result<Answer, ChangeRefusal> {
    if !(1..=MOST_MINOR).contains(&amount.minor()) || amount.currency() != app.preset.currency {
        let most = Money::new(MOST_MINOR, app.preset.currency);
        return Err(ChangeRefusal::BadAmount(format!("the amount must be above zero and at most {most}")));
    }
    if let Some(answer) = request.answered(app).await? {
        return Ok(answer);
    }
    let member = app.member_id(request.user_id);
    if app.store.members().find(&member).await?.is_none() {
        return Err(ChangeRefusal::UnknownMember);
    }
    settle_wallet(app, &member).await?;
    let mut attempts = Attempts::default();
    loop {
        let before = app.store.wallets().find(&member, WalletKind::BillCredit, amount.currency()).await?;
        let (change, writes) = match adjustment(app, request, &before, amount, action) {
            // A concurrent copy of this request may have taken the credit before this read of the wallet.
            Err(ChangeRefusal::Insufficient(why)) => {
                return request.answered(app).await?.ok_or(ChangeRefusal::Insufficient(why));
            }
            made => made?,
        };
        match refusal(app.store.commit(&writes).await)? {
            None => return Ok(Answer::Applied(change)),
            Some(Refused::Repeated) => {
                return request.answered(app).await?.ok_or(ChangeRefusal::App(AppError::Conflict));
            }
            Some(Refused::WalletChanged) => attempts.again(app).await?,
        }
    }
}

fn adjustment(
    app: &App,
    request: &MemberCall,
    before: &Wallet,
    amount: Money,
    action: &str,
) -> Result<(Change, Vec<Fragment<Refused>>), ChangeRefusal> {
    let now = app.now();
    let id = AdjustmentId::parse(request.call.id())?;
    let giving = action == "credit.apply";
    let posted = if giving {
        before.clone().give(amount, id.clone(), now)
    } else {
        before.clone().take(amount, id.clone(), now)
    };
    let (wallet, entry) = posted.map_err(|error| match error {
        WalletError::Insufficient { .. } => ChangeRefusal::Insufficient(error.to_string()),
        other => ChangeRefusal::App(other.into()),
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
        principal: request.call.principal.clone(),
        at: now,
    };
    let mut writes = app.store.wallets().post(&wallet, &entry, Refused::WalletChanged)?;
    writes.push(app.store.wallets().insert_adjustment(&adjustment, Refused::Repeated)?);
    let states = [serde_json::to_string(&before.buckets)?, serde_json::to_string(&wallet.buckets)?];
    let once = request.once(app, &change, (action, &wallet.member), states)?;
    writes.extend(once.fragments(app, Refused::Repeated)?);
    Ok((change, writes))
}
