//! The context of every use case: the table, the clock, randomness and the rules in force.

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

use crate::{cached::Cached, entropy::Entropy, error::AppError, memory::Memory};

/// Returns the current time.
pub trait Clock: Send + Sync {
    /// Returns the current time.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine. A test or an operator of the one-machine stack can move it forward.
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

/// A clock that does not move until it is advanced.
#[derive(Debug)]
pub struct FixedClock {
    millis: AtomicI64,
}

impl FixedClock {
    /// Creates a clock that shows `at`.
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
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The settings of the business as shipped. [`settings_now`](crate::settings::settings_now) returns the
    /// settings that operators can change.
    pub preset: Arc<Preset>,
    /// The settings that operators have changed.
    pub settings: Cached<Settings>,
    /// The versions of the program that operators have set.
    pub programs: Cached<Vec<ProgramVersion>>,
    /// The key that derives pseudonyms from Telegram ids.
    pub pseudonyms: PseudonymKey,
    /// What this process remembers of its callers.
    pub memory: Memory,
}

impl App {
    /// Creates the context of a new process, with nothing in memory.
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        preset: Arc<Preset>,
        pseudonyms: PseudonymKey,
    ) -> Self {
        let (settings, programs) = (Cached::default(), Cached::default());
        Self { store, clock, entropy, preset, settings, programs, pseudonyms, memory: Memory::default() }
    }

    /// Returns the table, for tests, benches and the worlds. A function calls a use case instead; a test
    /// checks this.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Creates the context of another process of the same business, with nothing in memory.
    #[must_use]
    pub fn elsewhere(&self) -> Self {
        let memory = Memory::default();
        Self { settings: Cached::default(), programs: Cached::default(), memory, ..self.clone() }
    }

    /// Returns the current time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns the pseudonym of a Telegram user.
    pub fn member_id(&self, telegram_id: TelegramId) -> MemberId {
        MemberId::derive(&self.pseudonyms, telegram_id)
    }

    /// Returns a pseudonym of a member that is safe to log.
    pub fn tag(&self, member: &MemberId) -> String {
        self.pseudonyms.log_tag(member.as_str())
    }

    /// Logs that a credential was refused, in a call from `source`, which is not logged itself.
    pub fn authentication_failed(&self, credential: &str, code: &str, source: &str) {
        let source = self.pseudonyms.log_tag(&format!("source:{source}"));
        self.memory.failures.report(credential, code, &source, self.now());
    }

    pub(crate) fn random_code(&self) -> Result<Code, AppError> {
        Ok(Code::from_random(self.entropy.code_bytes()?))
    }
}

/// A clock that can be moved forward: the test clock of the one-machine stack.
pub trait MovableClock: Clock {
    /// Moves the clock forward permanently.
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
