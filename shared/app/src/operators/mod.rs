//! Operators: sign-in, accounts, and service keys.
mod accounts;
mod audit;
mod calls;
mod link;
mod password;
mod service_keys;
mod sign_in;

pub use accounts::{OperatorError, remove_operator, set_operator};
pub use audit::audit_trail;
pub use calls::count_call;
pub use link::{LINK_MINUTES, sign_in_by_link, sign_in_link};
pub use password::{Password, WeakPassword};
pub use service_keys::{
    KEY_PREFIX, NewServiceKey, make_service_key, revoke_service_key, service_key_is_in_force, service_keys,
    service_of,
};
pub use sign_in::{
    FirstOperator, MOST_ATTEMPTS, SESSION_HOURS, SignInError, SignedIn, operator_name, renew, session_of,
    sign_in, sign_out,
};

pub(crate) use sign_in::hash;
