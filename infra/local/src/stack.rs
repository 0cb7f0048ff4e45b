//! A running stack: the parts with everything that drives them.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use guerdon_app::context::{App, MovableClock};
use guerdon_engine::engine::Engine;
use guerdon_runtime::secrets::Secret;
use guerdon_store::table::Meter;
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    backup,
    config::{Config, Data},
    gateway,
    metrics::{self, Metrics, Sources},
    parts::{self, Parts},
    polling, pumps, schedule, server,
};

/// A running stack. Dropping it stops everything.
pub struct Stack {
    address: SocketAddr,
    parts: Arc<Parts>,
    local_token: String,
    tasks: JoinSet<()>,
}

impl Stack {
    /// Starts everything and listens.
    ///
    /// # Errors
    /// A sentence that says why it cannot start.
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
        let parts = Arc::new(parts::assemble(&mut config, clock, &base_url).await?);
        let metrics = Metrics::new();
        let router = gateway::router(parts.clone(), config.serving, metrics.clone());
        let mut tasks = JoinSet::new();
        pumps::start(&parts, &mut tasks);
        tasks.spawn(schedule::run(parts.clone(), config.jobs_off.clone()));
        let sources = Sources {
            parts: parts.clone(),
            metrics,
            folder: config.data.folder().map(Path::to_owned),
            backups: config.backups.as_ref().map(|plan| plan.folder.clone()),
        };
        if let Some(port) = config.metrics_port {
            tasks.spawn(metrics::serve(metrics::listen(port).await?, sources.clone()));
        }
        tasks.spawn(metrics::pulse(sources));
        if let (Some(plan), Data::Folder(folder)) = (config.backups.clone(), &config.data) {
            tasks.spawn(backup::run(folder.clone(), parts.queues.database().clone(), plan));
        }
        if let Some(token) = polls {
            tasks.spawn(polling::run(parts.clone(), token));
        }
        tasks.spawn(server::serve(listener, router, config.serving));
        Ok(Self { address, parts, local_token: config.local_token, tasks })
    }

    /// Returns the address that the stack listens on.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The use cases' context, for tests and benchmarks that look behind the routes.
    pub fn app(&self) -> &App {
        &self.parts.app
    }

    /// The table's engine, for tests that look at what is stored.
    pub fn engine(&self) -> &Engine {
        &self.parts.engine
    }

    /// The token that changes by `/local` and `/sim/api` require.
    pub fn local_token(&self) -> &str {
        &self.local_token
    }

    /// The table's charges so far.
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
