//! Members whom an operator bars from rewards.

use guerdon_domain::{money::Money, wallets::WalletKind};
use guerdon_store::table::metered;

use crate::{
    context::App,
    error::{AppError, refusal},
    once::{Answer, Change, ChangeRefusal, MemberCall},
};

#[derive(Clone, Copy)]
enum Refused {
    Repeated,
    Unknown,
}

/// Bars a member from rewards, or allows rewards again. Booked commissions stay. A barred member earns no new
/// commissions and cannot withdraw.
pub async fn set_barred(app: &App, request: &MemberCall, barred: bool) -> Result<Answer, ChangeRefusal> {
    metered("set_barred", async {
        if let Some(answer) = request.answered(app).await? {
            return Ok(answer);
        }
        let id = app.member_id(request.user_id);
        let member = app.store.members().find(&id).await?.ok_or(ChangeRefusal::UnknownMember)?;
        let currency = app.preset.currency;
        let wallet = app.store.wallets().find(&id, WalletKind::BillCredit, currency).await?;
        let change = Change {
            user_id: request.user_id,
            id: request.call.id(),
            amount: Money::zero(currency),
            credit_balance: wallet.available().checked_add(wallet.held())?,
        };
        let action = if barred { "member.bar" } else { "member.unbar" };
        let states = [member.barred.to_string(), barred.to_string()];
        let once = request.once(app, &change, (action, &id), states)?;
        let mut writes = vec![app.store.members().bar(&id, barred, Refused::Unknown)?];
        writes.extend(once.fragments(app, Refused::Repeated)?);
        match refusal(app.store.commit(&writes).await)? {
            None => Ok(Answer::Applied(change)),
            Some(Refused::Unknown) => Err(ChangeRefusal::UnknownMember),
            Some(Refused::Repeated) => {
                request.answered(app).await?.ok_or(ChangeRefusal::App(AppError::Conflict))
            }
        }
    })
    .await
}
