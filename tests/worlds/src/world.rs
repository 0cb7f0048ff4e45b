//! A running world: its plan, its network, its processes and the state of its actors.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
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
use guerdon_engine::engine::Engine;
use guerdon_store::table::Store;

use crate::{
    bank::Bank, clock::VirtualClock, net::Net, plan::Plan, requests::TABLE, run::Run, stripe::Stripe,
};

/// Shards of the table's change stream.
pub const SHARDS: u32 = 2;

/// Counts the running actors.
#[derive(Default)]
pub struct Tasks {
    pub open: Cell<usize>,
    pub idle: tokio::sync::Notify,
}

/// The requests of members, and the operators' view of them.
#[derive(Default)]
pub struct Asked {
    /// The amount that was entered, by the request's key.
    pub amounts: RefCell<BTreeMap<String, i64>>,
    /// Withdrawals that operators have seen.
    pub seen: RefCell<BTreeSet<String>>,
}

/// The shards that are read to their end.
#[derive(Default)]
pub struct Readers(pub [Cell<bool>; SHARDS as usize]);

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
pub struct World {
    pub plan: Plan,
    pub net: Arc<Net>,
    pub apps: Vec<App>,
    pub bank: Arc<Bank>,
    pub stripe: Arc<Stripe>,
    pub tasks: Tasks,
    pub asked: Asked,
    pub readers: Readers,
    /// The costs that operators have set, and when.
    pub costs: RefCell<Vec<(&'static str, Timestamp)>>,
    entropy: Arc<dyn Entropy>,
}

impl World {
    pub fn new(run: Run, engine: Engine) -> Self {
        let schedule = run.schedule.unwrap_or(run.seed);
        let plan = Plan::new(run.seed, schedule);
        let net = Net::new(engine, schedule, plan.faults, run.mutant, run.verbose);
        // The retry budget of SDK clients is kept by name for the whole process.
        static RUNS: AtomicU64 = AtomicU64::new(0);
        let name = format!("simulated-{}", RUNS.fetch_add(1, Ordering::Relaxed));
        let client = Engine::client_through(net.clone(), name, plan.attempts);
        let entropy: Arc<dyn Entropy> =
            Arc::new(Seeded(Mutex::new(fastrand::Rng::with_seed(schedule ^ 0xe27))));
        let store = Store::new(client, TABLE);
        let context = Context { plan: &plan, entropy: &entropy };
        let apps = (0..PROCESSES).map(|_| context.app(store.clone(), Arc::new(VirtualClock))).collect();
        let (bank, stripe) = (Arc::new(Bank::new(net.clone())), Arc::new(Stripe::new(net.clone())));
        let (tasks, asked) = (Tasks::default(), Asked::default());
        let (readers, costs) = (Readers::default(), RefCell::default());
        Self { plan, net, apps, bank, stripe, tasks, asked, readers, costs, entropy }
    }

    /// Another process of the same business, with this clock.
    pub fn elsewhere(&self, store: Store, clock: Arc<dyn Clock>) -> App {
        Context { plan: &self.plan, entropy: &self.entropy }.app(store, clock)
    }

    /// One of the processes.
    pub fn app(&self) -> &App {
        &self.apps[self.net.draw(PROCESSES as u64) as usize]
    }

    pub fn telegram(number: usize) -> TelegramId {
        #[expect(clippy::expect_used, reason = "a small number")]
        TelegramId::try_new(1000 + number as i64).expect("an id")
    }

    pub fn member(&self, number: usize) -> MemberId {
        self.apps[0].member_id(Self::telegram(number))
    }
}

/// What every process of a business has.
struct Context<'a> {
    plan: &'a Plan,
    entropy: &'a Arc<dyn Entropy>,
}

impl Context<'_> {
    #[expect(clippy::expect_used, reason = "a key of 32 bytes")]
    fn app(&self, store: Store, clock: Arc<dyn Clock>) -> App {
        let pseudonyms = PseudonymKey::try_new(vec![7; 32]).expect("a key");
        App::new(store, clock, self.entropy.clone(), Arc::new(self.plan.preset.clone()), pseudonyms)
    }
}
