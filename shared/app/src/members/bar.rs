//! Members whom an operator bars from rewards.

use guerdon_domain::{money::Money, wallets::WalletKind};
use guerdon_store::table::metered;

use crate::{
    context::App,
    error::{AppError, refusal},
    once::{Answer, Change, DeskError, DeskRequest, answered, desk_trail},
};

#[derive(Clone, Copy)]
enum Refused {
    Repeated,
    Unknown,
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
        let member = app.store.members().find(&id).await?.ok_or(DeskError::UnknownMember)?;
        let currency = app.preset.currency;
        let wallet = app.store.wallets().find(&id, WalletKind::BillCredit, currency).await?;
        let change = Change {
            user_id: request.user_id,
            id: request.digest(),
            amount: Money::zero(currency),
            credit_balance: wallet.available().checked_add(wallet.held())?,
        };
        let action = if barred { "member.bar" } else { "member.unbar" };
        let states = (member.barred.to_string(), barred.to_string());
        let (audit, response) = desk_trail(app, request, action, &id, states, &change)?;
        let mut writes = vec![app.store.members().bar(&id, barred, Refused::Unknown)?];
        writes.extend(app.store.requests().audited(&audit, &response, Refused::Repeated)?);
        match refusal(app.store.commit(&writes).await)? {
            None => Ok(Answer::Applied(change)),
            Some(Refused::Unknown) => Err(DeskError::UnknownMember),
            Some(Refused::Repeated) => {
                answered(app, request).await?.ok_or(DeskError::App(AppError::Conflict))
            }
        }
    })
    .await
}
