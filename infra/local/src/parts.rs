//! The parts of a stack, which pumps, routes and schedules share.

use std::sync::Arc;

use anyhow::Context;
use billing_worker::account::StripeAccount;
use guerdon_api::gate::Gate;
use guerdon_app::context::{App, Clock, MovableClock, SystemClock};
use guerdon_app::entropy::OsEntropy;
use guerdon_app::events::RELAYED;
use guerdon_app::memory::Failures;
use guerdon_app::statistics::PROJECTED;
use guerdon_database::database::Database;
use guerdon_domain::ids::TelegramId;
use guerdon_engine::engine::Engine;
use guerdon_runtime::bus::EventBus;
use guerdon_simulator::sim::Sim;
use guerdon_store::table::{Meter, Store};
use notifier::handler::Notifier;
use stripe_webhook::handler::Webhook;
use telegram_webhook::state::{Bot, Telegram};

use crate::{
    bus::LocalBus,
    config::{Config, Data},
    data::Access,
    files::{DATABASE, WITNESS},
    guard::Guard,
    proxies::Proxies,
    queue::{self, QueueName, Queues},
    simulated::simulate,
};

/// The table's name here.
pub(crate) const TABLE: &str = "guerdon";

/// The mark with the seconds by which the test clock is ahead, so that a restart does not turn time back.
pub(crate) const CLOCK_AHEAD: &str = "clock:ahead_seconds";

/// Everything the stack is made of.
pub(crate) struct Parts {
    pub(crate) app: App,
    pub(crate) clock: Arc<dyn MovableClock>,
    pub(crate) engine: Engine,
    pub(crate) meter: Arc<Meter>,
    pub(crate) queues: Queues,
    pub(crate) bot: Bot,
    pub(crate) stripe_webhook: Webhook,
    pub(crate) commissions: commission_worker::worker::Worker,
    pub(crate) billing: billing_worker::worker::Worker,
    pub(crate) notifier: Notifier,
    pub(crate) bus: Arc<dyn EventBus>,
    pub(crate) sim: Option<Sim>,
    /// Whether neither Telegram nor Stripe is the real one.
    pub(crate) simulates_all: bool,
    pub(crate) keeps_stream: bool,
    pub(crate) guard: Guard,
    pub(crate) proxies: Proxies,
    pub(crate) gate: Gate,
    pub(crate) super_admin: Option<TelegramId>,
}

/// The use cases on the data that the configuration names, without anything that runs: for commands.
///
/// # Errors
/// Fails if the data cannot be opened.
pub fn app_on(config: &Config, access: Access, clock: Arc<dyn Clock>) -> anyhow::Result<App> {
    let Data::Folder(folder) = &config.data else {
        anyhow::bail!("GUERDON_DATA is in memory: there is no data that a command could use");
    };
    // Of data that is lost the database itself says more.
    let is_there = [DATABASE, WITNESS].iter().any(|file| folder.join(file).exists());
    anyhow::ensure!(is_there, "there is no data in {}", folder.display());
    let engine = Engine::on(access.open(config, folder)?)?;
    app(config, Store::new(engine.client(), TABLE), clock)
}

fn app(config: &Config, store: Store, clock: Arc<dyn Clock>) -> anyhow::Result<App> {
    Ok(App::new(store, clock, Arc::new(OsEntropy), config.preset.clone(), config.pseudonym_key()?))
}

/// Opens the data and makes the parts. Nothing runs yet.
pub(crate) async fn assemble(
    config: &mut Config,
    clock: Arc<dyn MovableClock>,
    base_url: &str,
) -> anyhow::Result<Parts> {
    let (engine, queues) = open(config, clock.clone())?;
    let meter = Arc::new(Meter::default());
    let store = Store::new(engine.client(), TABLE).with_meter(meter.clone());
    store.create_table().await.context("the table cannot be made")?;
    let read: Vec<_> = PROJECTED.into_iter().chain(RELAYED).collect();
    engine.stream_only(TABLE, "type", &read)?;
    let app = app(config, store, clock.clone())?;
    let simulated = simulate(config, &clock, base_url)?;
    if let Some(ahead) = queues.mark(CLOCK_AHEAD)? {
        // Real payments have real times.
        if simulated.all() {
            clock.advance(ahead.parse().unwrap_or_default());
        } else {
            tracing::warn!(
                ahead_seconds = ahead,
                "the test clock was moved; beside a real token it is not used"
            );
        }
    }
    let secrets = config.secrets();
    let (telegram_url, stripe_url) = simulated.urls(base_url);
    let stripe = Arc::new(StripeAccount::new(secrets.clone(), stripe_url));
    let payments = queues.writer(QueueName::Payments);
    let bus: Arc<dyn EventBus> = Arc::new(LocalBus::new(queues.clone(), clock.clone()));
    Ok(Parts {
        bot: Bot {
            app: app.clone(),
            secrets: secrets.clone(),
            username: config.bot_username.clone(),
            payment_link: config.payment_link.clone(),
            public_url: Some(config.public_url.clone().unwrap_or_else(|| base_url.to_owned())),
            telegram: Telegram::new(telegram_url.clone()),
        },
        // A signature's age is real time, however far the test clock has been moved.
        stripe_webhook: Webhook {
            secrets: secrets.clone(),
            payments: payments.clone(),
            origin: config.stripe_origin.clone(),
            clock: Arc::new(SystemClock::default()),
            // Its minutes are real ones.
            failures: Failures::default(),
        },
        commissions: commission_worker::worker::Worker { app: app.clone(), payments, bus: bus.clone() },
        billing: billing_worker::worker::Worker { app: app.clone(), stripe: stripe.clone(), intents: stripe },
        notifier: Notifier::new(app.clone(), secrets.clone(), telegram_url),
        bus,
        simulates_all: simulated.all(),
        keeps_stream: config.keeps_stream,
        sim: simulated.sim,
        guard: Guard::new(config.public_url.as_deref(), &config.hosts, &config.local_token),
        proxies: Proxies::new(&config.proxies),
        gate: Gate { app: app.clone(), secrets, limits: config.limits, origins: config.origins.clone() },
        super_admin: config.super_admin,
        app,
        clock,
        engine,
        meter,
        queues,
    })
}

/// Opens the data. A table in memory has the clock of the stack: an item expires when its own time has come.
fn open(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<(Engine, Queues)> {
    match &config.data {
        Data::Memory => {
            let engine = Engine::memory_at(Arc::new(move || clock.now().seconds()));
            Ok((engine, Queues::on(Database::memory(&[queue::SCHEMA])?)?))
        }
        Data::Folder(folder) => {
            let database = Access::Write.open(config, folder)?;
            Ok((Engine::on(database.clone())?, Queues::on(database)?))
        }
    }
}
