//! The parts, put together.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use commission_worker::{StripeBalance, handler::Worker};
use guerdon_api::Gate;
use guerdon_app::context::{App, Clock, MovableClock, OsEntropy, SystemClock};
use guerdon_domain::ids::TelegramId;
use guerdon_engine::Engine;
use guerdon_runtime::{bus::EventBus, secrets::Secret};
use guerdon_simulator::{Plan, Sim, SimConfig};
use guerdon_store::table::{Meter, Store};
use notifier::handler::Notifier;
use stripe_webhook::handler::Door;
use telegram_webhook::handler::Bot;
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    bus::LocalBus,
    config::{Config, Data},
    gateway, polling, pumps,
    queue::{QueueName, Queues},
    schedule,
};

/// The table's name here.
pub const TABLE: &str = "guerdon";

/// What a simulated bot and account present themselves with.
const SIM_TOKEN: &str = "100000001:simulated-token-of-the-one-machine-stack";
const SIM_KEY: &str = "sk_test_simulated";

/// Everything the stack is made of.
pub(crate) struct Parts {
    pub(crate) app: App,
    pub(crate) clock: Arc<dyn MovableClock>,
    pub(crate) engine: Engine,
    pub(crate) meter: Arc<Meter>,
    pub(crate) queues: Queues,
    pub(crate) bot: Bot,
    pub(crate) door: Door,
    pub(crate) worker: Worker,
    pub(crate) notifier: Notifier,
    pub(crate) bus: Arc<dyn EventBus>,
    pub(crate) sim: Option<Sim>,
    pub(crate) gate: Gate,
    pub(crate) super_admin: Option<TelegramId>,
}

/// A running stack. Dropping it stops everything.
pub struct Stack {
    address: SocketAddr,
    parts: Arc<Parts>,
    tasks: JoinSet<()>,
}

impl Stack {
    /// Starts everything and listens.
    ///
    /// # Errors
    /// What stops it, in a sentence.
    pub async fn start(mut config: Config, clock: Arc<dyn MovableClock>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("cannot listen on {}; is another one running?", config.listen))?;
        let address = listener.local_addr()?;
        let base_url = format!("http://127.0.0.1:{}", address.port());
        if let Some(token) = config.secret(Secret::TelegramBotToken) {
            config.bot_username = polling::whoami(token).await?;
        }
        let polls = config.secret(Secret::TelegramBotToken).map(str::to_owned);
        let parts = Arc::new(parts(&mut config, clock, &base_url).await?);
        let router = gateway::router(parts.clone());
        let mut tasks = JoinSet::new();
        pumps::start(&parts, &mut tasks);
        tasks.spawn(schedule::run(parts.clone()));
        if let Some(token) = polls {
            tasks.spawn(polling::run(parts.clone(), token));
        }
        tasks.spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the HTTP server stopped");
            }
        });
        Ok(Self { address, parts, tasks })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The use cases' context, for tests and benchmarks that look behind the routes.
    pub fn app(&self) -> &App {
        &self.parts.app
    }

    /// What the table charged so far.
    pub fn meter(&self) -> &Meter {
        &self.parts.meter
    }

    /// Waits until queues and stream are empty. False when they were not within `patience`.
    pub async fn drain(&self, patience: Duration) -> bool {
        pumps::drain(&self.parts, patience).await
    }

    /// Stops and waits for all parts to be gone.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

/// The use cases on the data that the configuration names, without anything that runs: for commands. The
/// data must not be in use by a running stack.
///
/// # Errors
/// When the data cannot be opened.
pub fn app_on(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<App> {
    let (engine, _) = open(&config.data)?;
    app(config, Store::new(engine.client(), TABLE), clock)
}

fn app(config: &Config, store: Store, clock: Arc<dyn Clock>) -> anyhow::Result<App> {
    Ok(App::new(store, clock, Arc::new(OsEntropy), config.preset.clone(), config.pseudonym_key()?))
}

async fn parts(config: &mut Config, clock: Arc<dyn MovableClock>, base_url: &str) -> anyhow::Result<Parts> {
    let (engine, queues) = open(&config.data)?;
    if let Some(ahead) = queues.mark(schedule::CLOCK_AHEAD)? {
        clock.advance(ahead.parse().unwrap_or_default());
    }
    let meter = Arc::new(Meter::default());
    let store = Store::new(engine.client(), TABLE).with_meter(meter.clone());
    store.create_table().await.context("the table cannot be made")?;
    let app = app(config, store, clock.clone())?;
    let simulated = simulate(config, &clock, base_url)?;
    let secrets = config.secrets();
    let (telegram_url, stripe_url) = simulated.urls(base_url);
    let payments = queues.writer(QueueName::Payments);
    Ok(Parts {
        bot: Bot {
            app: app.clone(),
            secrets: secrets.clone(),
            username: config.bot_username.clone(),
            payment_link: config.payment_link.clone(),
            public_url: Some(config.public_url.clone().unwrap_or_else(|| base_url.to_owned())),
        },
        // A signature's age is real time, however far the test clock has been moved.
        door: Door {
            secrets: secrets.clone(),
            payments: payments.clone(),
            clock: Arc::new(SystemClock::default()),
        },
        worker: Worker {
            app: app.clone(),
            stripe: Arc::new(StripeBalance::new(secrets.clone(), stripe_url)),
            payments,
        },
        notifier: Notifier::new(app.clone(), secrets.clone(), telegram_url),
        bus: Arc::new(LocalBus::new(queues.clone(), clock.clone())),
        sim: simulated.sim,
        gate: Gate { app: app.clone(), secrets, limits: config.limits, origins: config.origins.clone() },
        super_admin: config.super_admin,
        app,
        clock,
        engine,
        meter,
        queues,
    })
}

fn open(data: &Data) -> anyhow::Result<(Engine, Queues)> {
    match data {
        Data::Memory => Ok((Engine::memory()?, Queues::open(None)?)),
        Data::Folder(folder) => {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("GUERDON_DATA: {} cannot be made", folder.display()))?;
            Ok((Engine::file(&folder.join("table.db"))?, Queues::open(Some(&folder.join("queues.db")))?))
        }
    }
}

/// Which of the two services are simulated.
struct Simulated {
    sim: Option<Sim>,
    telegram: bool,
    stripe: bool,
}

impl Simulated {
    fn urls(&self, base_url: &str) -> (Option<String>, Option<String>) {
        (
            self.telegram.then(|| format!("{base_url}/sim/telegram")),
            self.stripe.then(|| format!("{base_url}/sim/stripe/")),
        )
    }
}

/// Brings the simulator for what has no token, and gives it stand-in credentials.
fn simulate(config: &mut Config, clock: &Arc<dyn MovableClock>, base_url: &str) -> anyhow::Result<Simulated> {
    let telegram = config.secret(Secret::TelegramBotToken).is_none();
    let stripe = config.secret(Secret::StripeApiKey).is_none();
    if !telegram && !stripe {
        return Ok(Simulated { sim: None, telegram, stripe });
    }
    if telegram {
        config.secrets.insert(Secret::TelegramBotToken.variable(), SIM_TOKEN.to_owned());
    }
    if stripe {
        config.secrets.insert(Secret::StripeApiKey.variable(), SIM_KEY.to_owned());
        let checkout = || format!("{base_url}/sim/pay?plan={{plan}}");
        config.payment_link.get_or_insert_with(checkout);
    }
    let clock = clock.clone();
    let signing = config.secret(Secret::StripeWebhookSecret).unwrap_or_default();
    let sim = guerdon_simulator::new(SimConfig {
        base_url: base_url.to_owned(),
        bot_username: config.bot_username.as_str().to_owned(),
        brand: config.preset.brand.clone(),
        telegram_token: SIM_TOKEN.to_owned(),
        telegram_webhook_secret: config.secret(Secret::TelegramWebhookSecret).unwrap_or_default().to_owned(),
        stripe_api_key: SIM_KEY.to_owned(),
        // While a secret is rolled there are two; Stripe signs with the first of them.
        stripe_webhook_secret: signing.split(',').next().unwrap_or_default().trim().to_owned(),
        state_file: match &config.data {
            Data::Memory => None,
            Data::Folder(folder) => Some(folder.join("sim.json")),
        },
        clock: Arc::new(move || clock.now().seconds()),
        plans: config.preset.plans.iter().map(sim_plan).collect(),
    })?;
    Ok(Simulated { sim: Some(sim), telegram, stripe })
}

fn sim_plan(plan: &guerdon_domain::settings::Plan) -> Plan {
    Plan {
        id: plan.id.clone(),
        name: plan.name.clone(),
        price_minor: plan.price.minor(),
        currency: plan.price.currency().as_str().to_ascii_lowercase(),
    }
}
