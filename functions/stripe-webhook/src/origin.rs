//! The events of a deployment: those of its mode and of its accounts.

use guerdon_runtime::env::{ConfigError, optional};
use guerdon_stripe::event::EventOrigin;

/// The name of the setting that says whether the deployment books real money.
pub const MODE: &str = "GUERDON_STRIPE_MODE";

/// The name of the setting with the connected accounts whose events are booked.
pub const ACCOUNTS: &str = "GUERDON_STRIPE_ACCOUNTS";

/// The events that are this deployment's. One endpoint of a sandbox that points to the live deployment, or of a
/// platform whose connected accounts sell something else, must not book.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// True for real money, false for a sandbox.
    pub live: bool,
    /// The connected accounts, `acct_...`, whose events are booked as the own account's are.
    pub accounts: Vec<String>,
}

/// The reason why an event is another deployment's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// An event of a sandbox in the live deployment, or the other way round.
    OtherMode,
    /// An event of a connected account that is not configured.
    OtherAccount,
}

impl Foreign {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::OtherMode => "other_mode",
            Self::OtherAccount => "other_account",
        }
    }
}

impl Origin {
    /// Reads [`MODE`] (`live` or `test`) and [`ACCOUNTS`] (comma separated). Without a mode it is `live_by_default`.
    ///
    /// # Errors
    /// [`ConfigError`] for another mode, or an account that is none.
    pub fn from_env(live_by_default: bool) -> Result<Self, ConfigError> {
        let live = match optional(MODE).as_deref() {
            None => live_by_default,
            Some("live") => true,
            Some("test") => false,
            Some(_) => {
                return Err(ConfigError::Invalid { name: MODE, problem: "must be live or test".to_owned() });
            }
        };
        let accounts = optional(ACCOUNTS).unwrap_or_default();
        let accounts: Vec<_> =
            accounts.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect();
        if let Some(odd) = accounts.iter().find(|id| !id.starts_with("acct_")) {
            let problem = format!("must be ids of accounts, as acct_123; '{odd}' is none");
            return Err(ConfigError::Invalid { name: ACCOUNTS, problem });
        }
        Ok(Self { live, accounts })
    }

    /// Checks that the event is this deployment's.
    ///
    /// # Errors
    /// [`Foreign`] says why it is not.
    pub fn check(&self, event: &EventOrigin) -> Result<(), Foreign> {
        if event.livemode != self.live {
            return Err(Foreign::OtherMode);
        }
        match &event.account {
            Some(account) if !self.accounts.contains(account) => Err(Foreign::OtherAccount),
            _ => Ok(()),
        }
    }
}
