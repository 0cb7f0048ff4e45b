//! Refusals of the use cases as problems.

use guerdon_app::{
    error::AppError,
    fraud::FraudRefusal,
    once::{CallRefusal, ChangeRefusal},
    operators::{OperatorError, SignInError},
    payments::BankRefusal,
    programs::ProgramRefusal,
    settings::SettingRefusal,
    withdrawals::WithdrawalError,
};
use guerdon_domain::settings::SettingError;
use guerdon_runtime::problem::{self, Problem};
use http::StatusCode;

use crate::output::Refusal;

impl From<ChangeRefusal> for Refusal {
    fn from(error: ChangeRefusal) -> Self {
        let (status, code, title) = match &error {
            ChangeRefusal::UnknownMember => (StatusCode::NOT_FOUND, "unknown_member", "Unknown member"),
            ChangeRefusal::BadAmount(_) => (StatusCode::BAD_REQUEST, "bad_amount", "Bad request"),
            ChangeRefusal::Insufficient(_) => {
                (StatusCode::CONFLICT, "insufficient_credit", "Not enough credit")
            }
            ChangeRefusal::NotReferred => (StatusCode::CONFLICT, "not_referred", "Not referred"),
            ChangeRefusal::NotPending(_) => (StatusCode::CONFLICT, "referral_not_pending", "Not pending"),
            ChangeRefusal::NoReward => (StatusCode::CONFLICT, "no_reward", "No reward"),
            ChangeRefusal::WouldNotConvert(_) => {
                (StatusCode::CONFLICT, "would_not_convert", "Would not convert")
            }
            ChangeRefusal::KeyReused => (StatusCode::CONFLICT, "idempotency_key_reused", "Key used before"),
            ChangeRefusal::App(_) => match error {
                ChangeRefusal::App(error) => return error.into(),
                _ => return Self(problem::internal()),
            },
        };
        let why = error.to_string();
        Self(Problem::new(
            status,
            code,
            title,
            format!("Nothing was changed: {}.", why.trim_end_matches('.')),
        ))
    }
}

/// Makes a refusal that says that nothing was changed, and why.
pub fn unchanged(
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    why: impl std::fmt::Display,
) -> Refusal {
    Refusal(Problem::new(status, code, title, format!("Nothing was changed: {why}.")))
}

const KEY_REUSED: (StatusCode, &str, &str) =
    (StatusCode::CONFLICT, "idempotency_key_reused", "Key used before");

impl From<CallRefusal> for Refusal {
    fn from(refusal: CallRefusal) -> Self {
        let (status, code, title) = KEY_REUSED;
        match refusal {
            CallRefusal::App(error) => error.into(),
            CallRefusal::KeyReused => unchanged(status, code, title, refusal),
        }
    }
}

impl From<ProgramRefusal> for Refusal {
    fn from(refusal: ProgramRefusal) -> Self {
        let (status, code, title) = match refusal {
            ProgramRefusal::App(error) => return error.into(),
            ProgramRefusal::Invalid(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "bad_program", "The program cannot be")
            }
            ProgramRefusal::Outdated(_) => {
                (StatusCode::CONFLICT, "outdated_program", "Another version is in force")
            }
            ProgramRefusal::KeyReused => KEY_REUSED,
        };
        unchanged(status, code, title, refusal)
    }
}

impl From<BankRefusal> for Refusal {
    fn from(refusal: BankRefusal) -> Self {
        let (status, code, title) = match refusal {
            BankRefusal::App(error) => return error.into(),
            BankRefusal::UnknownMember => (StatusCode::NOT_FOUND, "unknown_member", "Unknown member"),
            BankRefusal::UnknownProduct(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "unknown_product", "Unknown product")
            }
            BankRefusal::BadAmount(_) => (StatusCode::BAD_REQUEST, "bad_amount", "Bad request"),
            BankRefusal::ReferenceUsed => (StatusCode::CONFLICT, "reference_used", "Reference used before"),
            BankRefusal::KeyReused => KEY_REUSED,
        };
        unchanged(status, code, title, refusal)
    }
}

impl From<WithdrawalError> for Refusal {
    fn from(error: WithdrawalError) -> Self {
        use WithdrawalError as E;
        let status = match &error {
            E::App(_) => match error {
                E::App(error) => return error.into(),
                _ => return Self(problem::internal()),
            },
            E::Unknown | E::UnknownMember => StatusCode::NOT_FOUND,
            E::WrongState(_) | E::OneOpen(_) | E::SameOperator | E::KeyReused | E::Owes(_) => {
                StatusCode::CONFLICT
            }
            E::CoolingDown(_) => StatusCode::TOO_MANY_REQUESTS,
            E::BadAmount(_) | E::BadText(_) => StatusCode::BAD_REQUEST,
            E::NotOffered
            | E::MethodNotOffered
            | E::Destination(_)
            | E::BelowMinimum(_)
            | E::Insufficient { .. }
            | E::Barred
            | E::UnderReview => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let again_at = match &error {
            E::CoolingDown(at) => Some(at.to_http_date()),
            _ => None,
        };
        let Self(problem) = unchanged(status, error.code(), "Refused", error);
        Self(Problem { retry_at: again_at, ..problem })
    }
}

impl From<SettingRefusal> for Refusal {
    fn from(refusal: SettingRefusal) -> Self {
        let (status, code, title) = match refusal {
            SettingRefusal::App(error) => return error.into(),
            SettingRefusal::Bad(SettingError::Unknown(_)) => {
                (StatusCode::NOT_FOUND, "unknown_setting", "Unknown setting")
            }
            SettingRefusal::Bad(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "bad_setting", "It cannot be set so")
            }
        };
        unchanged(status, code, title, refusal)
    }
}

impl From<FraudRefusal> for Refusal {
    fn from(refusal: FraudRefusal) -> Self {
        let (status, code, title) = match refusal {
            FraudRefusal::App(error) => return error.into(),
            FraudRefusal::UnknownMember => (StatusCode::NOT_FOUND, "unknown_member", "Unknown member"),
            FraudRefusal::UnknownFlag => (StatusCode::NOT_FOUND, "unknown_flag", "Unknown flag"),
            FraudRefusal::AlreadyResolved(_) => {
                (StatusCode::CONFLICT, "already_resolved", "Resolved already")
            }
        };
        unchanged(status, code, title, refusal)
    }
}

impl From<SignInError> for Refusal {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Wrong => {
                let detail = "The id, the password or the token is wrong.";
                Self(Problem::new(StatusCode::UNAUTHORIZED, "wrong_credentials", "Not authenticated", detail))
            }
            SignInError::Locked(until) => {
                let detail = format!(
                    "Too many wrong passwords for this id. Try again after {until}, or ask the bot for a link with /admin."
                );
                let problem =
                    Problem::new(StatusCode::TOO_MANY_REQUESTS, "locked", "Too many attempts", detail);
                Self(problem.again_at(until.to_http_date()))
            }
            SignInError::App(error) => error.into(),
        }
    }
}

impl From<OperatorError> for Refusal {
    fn from(error: OperatorError) -> Self {
        match error {
            OperatorError::Unknown => {
                let detail = "Nothing was changed: no operator has this id.";
                Self(Problem::new(StatusCode::NOT_FOUND, "unknown_operator", "Unknown operator", detail))
            }
            OperatorError::Yourself => {
                let detail = "Nothing was changed: have another super admin do this to you.";
                Self(Problem::new(StatusCode::CONFLICT, "not_yourself", "Not yourself", detail))
            }
            OperatorError::App(error) => AppError::into(error),
        }
    }
}
