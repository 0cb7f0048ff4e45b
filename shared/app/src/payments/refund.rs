//! Refunds that an operator records, because no provider reports them.

use guerdon_domain::{
    ids::PaymentKey,
    money::{Currency, Money},
    payments::{RefundStage, Reversal, ReversalKind},
};
use guerdon_store::table::metered;

use super::{Reversed, reverse_payment};
use crate::{
    audit::Line,
    context::App,
    error::AppError,
    once::{Call, CallRefusal, keep_answer},
};

/// The reason why a refund was not recorded. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RefundRefusal {
    /// No payment has this key.
    #[error("no payment is on record under this key")]
    UnknownPayment,
    /// Less is left of the payment.
    #[error("only {0} of the payment are left")]
    TooMuch(Money),
    /// The same key was used before with a different input.
    #[error("this Idempotency-Key was used for another request")]
    KeyReused,
    /// The operation did not complete.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<CallRefusal> for RefundRefusal {
    fn from(refusal: CallRefusal) -> Self {
        match refusal {
            CallRefusal::KeyReused => Self::KeyReused,
            CallRefusal::App(error) => Self::App(error),
        }
    }
}

/// Returns the currency of a payment on record.
pub async fn currency_of(app: &App, payment: &PaymentKey) -> Result<Option<Currency>, AppError> {
    Ok(app.store.payments().find(payment).await?.map(|payment| payment.paid.currency()))
}

/// Records that `amount` of a payment was given back, and takes its commissions back in proportion. The refund is named
/// after the call, so a repeated call changes nothing; the answer and the audit line follow the refund.
///
/// # Errors
/// [`RefundRefusal`]; an amount that is not above zero is corrupt.
pub async fn refund_by_hand(
    app: &App,
    call: &Call,
    payment: &PaymentKey,
    amount: Money,
    reason: &str,
) -> Result<(), RefundRefusal> {
    metered("refund_by_hand", async {
        if call.answered(app).await?.is_some() {
            return Ok(());
        }
        let record = app.store.payments().find(payment).await.map_err(AppError::from)?;
        let record = record.ok_or(RefundRefusal::UnknownPayment)?;
        let id = format!("operator-{}", call.id());
        let kind = ReversalKind::Refund { id, amount, stage: RefundStage::Succeeded };
        let reversal = Reversal { at: app.now(), kind };
        let undone = record.reversals.undone(record.paid);
        let left = record.paid.checked_sub(undone).map_err(AppError::from)?;
        let is_told = record.reversals.merged(&reversal, record.paid).map_err(AppError::from)?.is_none();
        if !is_told && amount.minor() > left.minor() {
            return Err(RefundRefusal::TooMuch(left));
        }
        if reverse_payment(app, payment, &reversal).await? == Reversed::UnknownPayment {
            return Err(RefundRefusal::UnknownPayment);
        }
        let state = |undone: Money| {
            serde_json::json!({ "payment": payment.to_string(), "undone": undone }).to_string()
        };
        let after = undone.checked_add(amount).map_err(AppError::from)?;
        let line = Line::new("payment.refund").about(record.member).because(reason);
        let line = line.states([state(undone), state(after)]);
        Ok(keep_answer(app, call, payment.to_string(), Some(line)).await?)
    })
    .await
}
