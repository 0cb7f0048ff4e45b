//! What every use case needs: the table, the time, randomness, the rules in force.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use guerdon_domain::{
    ids::{MemberId, TelegramId},
    members::PseudonymKey,
    programs::ProgramVersion,
    referrals::Code,
    settings::{Preset, Settings},
    time::Timestamp,
};
use guerdon_store::table::Store;

use crate::{cached::Cached, entropy::Entropy, error::AppError};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// The machine's clock, which a test or an operator of the one-machine stack may move forward.
#[derive(Debug, Default)]
pub struct SystemClock {
    ahead_millis: AtomicI64,
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where time comes from")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let millis = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(millis.saturating_add(self.ahead_millis.load(Ordering::SeqCst)))
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct FixedClock {
    millis: AtomicI64,
}

impl FixedClock {
    /// A clock that shows `at`.
    pub const fn new(at: Timestamp) -> Self {
        Self { millis: AtomicI64::new(at.millis()) }
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.load(Ordering::SeqCst))
    }
}

/// The context of every use case. Clones are cheap.
#[derive(Clone)]
pub struct App {
    /// The table.
    pub(crate) store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The business's settings as shipped. What operators may change is in [`settings_now`](crate::settings::settings_now).
    pub preset: Arc<Preset>,
    /// What operators have set.
    pub settings: Cached<Settings>,
    /// The versions of the program that operators have set.
    pub programs: Cached<Vec<ProgramVersion>>,
    /// Ties Telegram ids to pseudonyms.
    pub pseudonyms: PseudonymKey,
}

impl App {
    /// The context of a process that has just started: nothing is in memory yet.
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        preset: Arc<Preset>,
        pseudonyms: PseudonymKey,
    ) -> Self {
        let (settings, programs) = (Cached::default(), Cached::default());
        Self { store, clock, entropy, preset, settings, programs, pseudonyms }
    }

    /// The table, for tests, benches and the worlds. A function calls a use case instead: a test holds that.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The same business in another process, which has nothing in memory.
    #[must_use]
    pub fn elsewhere(&self) -> Self {
        Self { settings: Cached::default(), programs: Cached::default(), ..self.clone() }
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The pseudonym of a Telegram user.
    pub fn member_id(&self, telegram_id: TelegramId) -> MemberId {
        MemberId::derive(&self.pseudonyms, telegram_id)
    }

    /// What stands for a member in a log line.
    pub fn tag(&self, member: &MemberId) -> String {
        self.pseudonyms.log_tag(member.as_str())
    }

    pub(crate) fn random_code(&self) -> Result<Code, AppError> {
        Ok(Code::from_random(self.entropy.code_bytes()?))
    }
}

/// A clock that can be moved forward: the one-machine stack's test clock.
pub trait MovableClock: Clock {
    /// Moves it forward, for good.
    fn advance(&self, seconds: i64);
}

impl MovableClock for SystemClock {
    fn advance(&self, seconds: i64) {
        self.ahead_millis.fetch_add(seconds.saturating_mul(1000), Ordering::SeqCst);
    }
}

impl MovableClock for FixedClock {
    fn advance(&self, seconds: i64) {
        self.millis.fetch_add(seconds.saturating_mul(1000), Ordering::SeqCst);
    }
}
