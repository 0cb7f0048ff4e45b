//! The reasons why a withdrawal, or a step of one, is refused.

use guerdon_domain::{
    ids::WithdrawalId,
    money::Money,
    withdrawals::{DestinationError, WithdrawalState, WrongState},
};

use crate::error::AppError;

/// The reason why a step was refused. Nothing was changed. The stable `code` is part of the API.
#[derive(Debug, thiserror::Error)]
pub enum WithdrawalError {
    /// The business does not offer withdrawals.
    #[error("withdrawals are not offered")]
    NotOffered,
    /// The business does not offer this payout method.
    #[error("this payout method is not offered")]
    MethodNotOffered,
    /// The destination is not well formed.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// The amount is zero, negative, or in another currency.
    #[error("the amount must be above zero, in {0}")]
    BadAmount(guerdon_domain::money::Currency),
    /// The amount is less than the minimum.
    #[error("the least you can withdraw is {0}")]
    BelowMinimum(Money),
    /// The amount is more than the available balance.
    #[error("{available} is available")]
    Insufficient {
        /// The available balance.
        available: Money,
    },
    /// The member owes an amount, which is deducted from the next rewards first.
    #[error("{0} is owed and is taken off the next rewards first")]
    Owes(Money),
    /// Another withdrawal is open.
    #[error("another withdrawal is under way")]
    OneOpen(WithdrawalId),
    /// The last withdrawal was too recent.
    #[error("the next withdrawal is possible from {0}")]
    CoolingDown(guerdon_domain::time::Timestamp),
    /// The member is barred from rewards.
    #[error("this account cannot withdraw; please contact support")]
    Barred,
    /// A fraud flag holds what the member has earned.
    #[error("this account is under review; nothing is paid out until the review is done")]
    UnderReview,
    /// No member has this id.
    #[error("there is no such member")]
    UnknownMember,
    /// No withdrawal has this id.
    #[error("there is no such withdrawal")]
    Unknown,
    /// The step is not possible in the current state of the withdrawal.
    #[error("the withdrawal is {}", .0.as_str())]
    WrongState(WithdrawalState),
    /// The operator who approved the withdrawal must not pay it.
    #[error("another operator than the one who approved it must pay it")]
    SameOperator,
    /// A reason or a proof is missing or too long.
    #[error("{0} must be 1 to 500 characters")]
    BadText(&'static str),
    /// The key was used for another request.
    #[error("this idempotency key was used for another request")]
    KeyReused,
    /// The step did not complete.
    #[error(transparent)]
    App(#[from] AppError),
}

impl WithdrawalError {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotOffered => "withdrawals_not_offered",
            Self::MethodNotOffered => "method_not_offered",
            Self::Destination(_) => "bad_destination",
            Self::BadAmount(_) => "bad_amount",
            Self::BelowMinimum(_) => "below_minimum",
            Self::Insufficient { .. } => "insufficient_funds",
            Self::Owes(_) => "owes_money",
            Self::OneOpen(_) => "withdrawal_open",
            Self::CoolingDown(_) => "cooling_down",
            Self::Barred => "member_barred",
            Self::UnderReview => "under_review",
            Self::UnknownMember => "unknown_member",
            Self::Unknown => "unknown_withdrawal",
            Self::WrongState(_) => "wrong_state",
            Self::SameOperator => "same_operator",
            Self::BadText(_) => "bad_text",
            Self::KeyReused => "key_reused",
            Self::App(error) => error.code(),
        }
    }
}

macro_rules! app_error_from {
    ($($error:ty),*) => {$(
        impl From<$error> for WithdrawalError {
            fn from(error: $error) -> Self {
                Self::App(error.into())
            }
        }
    )*};
}

app_error_from!(
    guerdon_store::table::StoreError,
    guerdon_domain::ids::IdError,
    guerdon_domain::money::MoneyError,
    guerdon_domain::wallets::WalletError
);

impl From<WrongState> for WithdrawalError {
    fn from(error: WrongState) -> Self {
        Self::WrongState(error.0)
    }
}

/// Checks that no bar and no fraud flag prevents a withdrawal of the member.
pub(super) fn check_member(member: &guerdon_domain::members::Member) -> Result<(), WithdrawalError> {
    if member.is_barred() {
        return Err(WithdrawalError::Barred);
    }
    if member.is_on_hold() { Err(WithdrawalError::UnderReview) } else { Ok(()) }
}

pub(super) fn check_text(text: &str, what: &'static str) -> Result<(), WithdrawalError> {
    let length = text.trim().chars().count();
    if (1..=500).contains(&length) { Ok(()) } else { Err(WithdrawalError::BadText(what)) }
}
