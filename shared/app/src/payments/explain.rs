//! Explanations of payments: the verdict of each rule, and the state of the commissions.

use guerdon_domain::{
    commissions::Commission,
    ids::{MemberId, PaymentKey},
    payments::PaymentRecord,
};
use guerdon_store::table::metered;

use crate::{context::App, error::AppError};

/// A payment with the verdict of each rule, its commissions and its reversals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The payment and its trace.
    pub payment: PaymentRecord,
    /// The commissions that the payment earned, in their current state.
    pub commissions: Vec<Commission>,
}

/// Returns the payment and its commissions, if the payment is recorded.
pub async fn explain_payment(app: &App, payment: &PaymentKey) -> Result<Option<Explained>, AppError> {
    metered("explain_payment", async {
        let found = app.store.payments().find(payment).await?;
        Ok(explained(app, found.into_iter().collect()).await?.pop())
    })
    .await
}

/// Returns the member who made the payment, if it is recorded.
pub async fn payer_of(app: &App, payment: &PaymentKey) -> Result<Option<MemberId>, AppError> {
    Ok(app.store.payments().find(payment).await?.map(|payment| payment.member))
}

/// Explains a member's payments, newest first, after the payment `before`.
pub async fn explain_member(
    app: &App,
    member: &MemberId,
    before: Option<&PaymentKey>,
    limit: i32,
) -> Result<Vec<Explained>, AppError> {
    metered("explain_member", async {
        let before = match before {
            Some(key) => app.store.payments().find(key).await?.filter(|payment| payment.member == *member),
            None => None,
        };
        explained(app, app.store.payments().of(member, before.as_ref(), limit).await?).await
    })
    .await
}

/// Adds the commissions of payments.
pub async fn explained(app: &App, payments: Vec<PaymentRecord>) -> Result<Vec<Explained>, AppError> {
    let mut explained = Vec::with_capacity(payments.len());
    for payment in payments {
        let commissions = app.store.commissions().of(&payment).await?;
        explained.push(Explained { payment, commissions });
    }
    Ok(explained)
}
