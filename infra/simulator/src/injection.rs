//! Failures that a test orders.

use serde::{Deserialize, Serialize};

/// "Make the next N calls fail": the same for both stand-ins.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Injection {
    pub next: u32,
    #[serde(default = "Injection::server_error")]
    pub status: u16,
    /// The call takes effect, only its answer is lost.
    #[serde(default)]
    pub after_commit: bool,
    /// Stripe only: the failing answer is what the idempotency key remembers, as with Stripe's own 500s.
    #[serde(default)]
    pub sticky: bool,
    /// Telegram only: goes into `parameters.retry_after`.
    #[serde(default)]
    pub retry_after: Option<u32>,
}

impl Injection {
    fn server_error() -> u16 {
        500
    }

    /// Uses one failure up.
    pub(crate) fn take(slot: &mut Option<Self>) -> Option<Self> {
        let injection = slot.as_mut().filter(|injection| injection.next > 0)?;
        injection.next -= 1;
        let taken = *injection;
        if taken.next == 0 {
            *slot = None;
        }
        Some(taken)
    }
}
