//! Payments explained: what each rule said, and what became of what it granted.

use guerdon_domain::{
    commissions::Commission,
    ids::{MemberId, PaymentKey},
    payments::PaymentRecord,
};
use guerdon_store::table::metered;

use crate::{context::App, error::AppError};

/// A payment with all that came of it: what each rule said, the commissions, what undid it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The payment and its trace.
    pub payment: PaymentRecord,
    /// The commissions it earned, as they stand now.
    pub commissions: Vec<Commission>,
}

/// Explains a payment, if it is recorded.
///
/// # Errors
/// [`AppError`].
pub async fn explain_payment(app: &App, payment: &PaymentKey) -> Result<Option<Explained>, AppError> {
    metered("explain_payment", async {
        let Some(payment) = app.store.payments().find(payment).await? else { return Ok(None) };
        let commissions = app.store.commissions().of(&payment).await?;
        Ok(Some(Explained { payment, commissions }))
    })
    .await
}

/// Whose payment it is, if it is recorded.
///
/// # Errors
/// [`AppError`].
pub async fn payer_of(app: &App, payment: &PaymentKey) -> Result<Option<MemberId>, AppError> {
    Ok(app.store.payments().find(payment).await?.map(|payment| payment.member))
}

/// Explains a member's payments, newest first, after the payment `before` in that order.
///
/// # Errors
/// [`AppError`].
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
        let mut explained = Vec::new();
        for payment in app.store.payments().of(member, before.as_ref(), limit).await? {
            let commissions = app.store.commissions().of(&payment).await?;
            explained.push(Explained { payment, commissions });
        }
        Ok(explained)
    })
    .await
}
