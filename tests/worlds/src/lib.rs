//! Worlds: seeded runs of the real use cases over the real store, with injected faults of every kind.
//!
//! A [`Plan`] is a world drawn from a seed: members who brought each other, payments, all their reversals,
//! withdrawals, operators. Actors run it on one thread in virtual time. Every request to the table is a yield point
//! of the [`Net`]: it takes some time, meets locks of other transactions, is throttled, is lost before or after it
//! took effect, or is the last request of an actor that crashes. Messages arrive at least once, late, again, and
//! before what they are about. The state after each commit is checked at once ([`audit`]); the state at the end is
//! recounted ([`rest`]).
//!
//! One seed gives one run. A [`Mutant`] removes one guard, to test that the worlds detect it.
mod actors;
mod audit;
mod bank;
mod deeds;
mod many;
mod mutant;
mod net;
mod plan;
mod recount;
mod rest;
mod stream;
mod words;

use std::{
    collections::BTreeMap,
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use guerdon_app::{
    context::{App, Clock},
    entropy::{Entropy, EntropyError},
};
use guerdon_domain::{
    ids::{MemberId, TelegramId},
    members::PseudonymKey,
    time::Timestamp,
};
use guerdon_engine::Engine;
use guerdon_store::table::Store;
use tokio::time::Instant;

/// The start of every world: 2026-11-21T09:30:00Z.
pub const BEGINNING: Timestamp = Timestamp::from_seconds(1_795_253_400);

pub use many::{Tally, play_many};
pub use mutant::Mutant;
use net::Net;
pub use net::Traced;
pub use plan::{Kind, Plan};

/// The table.
const TABLE: &str = "simulated";

/// One run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Run {
    /// The world.
    pub seed: u64,
    /// The seed of the order of events; that of the world by default.
    pub schedule: Option<u64>,
    /// The guard that is missing.
    pub mutant: Option<Mutant>,
    /// Whether to keep a readable trace.
    pub verbose: bool,
}

/// The result of a run.
#[derive(Debug)]
pub struct Outcome {
    /// The violation, if there was one.
    pub violation: Option<String>,
    /// Trace and counts of the run.
    pub traced: Traced,
    /// The part of the final state that must not depend on the schedule.
    pub economy: BTreeMap<String, i64>,
}

thread_local! {
    static START: std::cell::Cell<Option<Instant>> = const { std::cell::Cell::new(None) };
}

/// Virtual milliseconds since the run began.
fn elapsed_millis() -> u64 {
    let since = START.get().map(|start| Instant::now().duration_since(start)).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The virtual clock that also moves tokio's timers.
struct VirtualClock;

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(elapsed_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(BEGINNING.millis() + elapsed)
    }
}

struct Seeded(Mutex<fastrand::Rng>);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill(bytes);
        Ok(())
    }
}

/// Processes that handle messages, each with its own memory of the program's versions.
const PROCESSES: usize = 2;

/// A running world.
struct World {
    plan: Plan,
    net: Arc<Net>,
    apps: Vec<App>,
    bank: Arc<bank::Bank>,
    tasks: actors::Tasks,
    desk: deeds::Desk,
    readers: stream::Readers,
}

impl World {
    fn new(run: Run, engine: Engine) -> Self {
        let schedule = run.schedule.unwrap_or(run.seed);
        let plan = Plan::new(run.seed, schedule);
        let net = Net::new(engine, schedule, plan.faults, run.mutant, run.verbose);
        // The retry budget of SDK clients is kept by name for the whole process.
        static RUNS: AtomicU64 = AtomicU64::new(0);
        let name = format!("simulated-{}", RUNS.fetch_add(1, Ordering::Relaxed));
        let client = Engine::client_through(net.clone(), name, plan.attempts);
        let entropy = Arc::new(Seeded(Mutex::new(fastrand::Rng::with_seed(schedule ^ 0xe27))));
        let preset = Arc::new(plan.preset.clone());
        #[expect(clippy::expect_used, reason = "a key of 32 bytes")]
        let pseudonyms = PseudonymKey::try_new(vec![7; 32]).expect("a key");
        let apps = (0..PROCESSES)
            .map(|_| {
                App::new(
                    Store::new(client.clone(), TABLE),
                    Arc::new(VirtualClock),
                    entropy.clone(),
                    preset.clone(),
                    pseudonyms.clone(),
                )
            })
            .collect();
        let bank = Arc::new(bank::Bank::new(net.clone()));
        let (tasks, desk) = (actors::Tasks::default(), deeds::Desk::default());
        Self { plan, net, apps, bank, tasks, desk, readers: stream::Readers::default() }
    }

    /// One of the processes.
    fn app(&self) -> &App {
        &self.apps[self.net.draw(PROCESSES as u64) as usize]
    }

    fn telegram(number: usize) -> TelegramId {
        #[expect(clippy::expect_used, reason = "a small number")]
        TelegramId::try_new(1000 + number as i64).expect("an id")
    }

    fn member(&self, number: usize) -> MemberId {
        self.apps[0].member_id(Self::telegram(number))
    }
}

/// Runs one run.
///
/// # Panics
/// When the engine cannot be opened.
pub fn play(run: Run) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    #[expect(clippy::expect_used, reason = "nothing works without a runtime")]
    let runtime = runtime.expect("a runtime");
    // The jitter of backon and of the SDK uses this generator.
    fastrand::seed(run.schedule.unwrap_or(run.seed));
    runtime.block_on(tokio::task::LocalSet::new().run_until(play_inside(run)))
}

async fn play_inside(run: Run) -> Outcome {
    START.set(Some(Instant::now()));
    // Any other engine with the same interface can be used here.
    let engine = Engine::memory_at(Arc::new(|| VirtualClock.now().seconds()));
    #[expect(clippy::expect_used, reason = "nothing works without a table")]
    Store::new(engine.client(), TABLE).create_table().await.expect("a table");
    let world = Rc::new(World::new(run, engine));
    let mut economy = BTreeMap::new();
    tokio::select! {
        biased;
        () = world.net.violated() => {}
        () = async {
            actors::run(&world).await;
            match rest::check(&world).await {
                Ok(found) => economy = found,
                Err(violation) => world.net.violate(format!("at rest: {violation}")),
            }
        } => {}
    }
    Outcome { violation: world.net.violation(), traced: world.net.traced(), economy }
}
