//! Metrics in the format of Prometheus, on a listener of their own: `GUERDON_METRICS_PORT`, on loopback.

use std::{
    fmt::{Display, Write},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::Context;
use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};
use guerdon_database::database::Database;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        family::Family,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};
use tokio::{net::TcpListener, time::Instant};

use crate::{
    backup::newest_age,
    parts::Parts,
    pumps,
    queue::{QueueName, wall_millis},
};

/// A request's route, as it is registered, and the class of its answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
    status: &'static str,
}

/// What is counted while the stack runs.
#[derive(Clone)]
pub(crate) struct Metrics {
    requests: Family<Route, Histogram>,
    registry: Arc<Registry>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        // From a millisecond to eight seconds.
        let requests = Family::<Route, Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(0.001, 2.0, 14))
        });
        let mut registry = Registry::with_prefix("guerdon");
        let help = "Time of requests by route and class of status";
        registry.register_with_unit("request_duration", help, Unit::Seconds, requests.clone());
        Self { requests, registry: Arc::new(registry) }
    }
}

/// Measures a request.
pub(crate) async fn measured(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let own = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    // The functions' routers tell theirs with the answer.
    let route = own.or_else(|| response.extensions().get::<MatchedPath>().cloned());
    let route = route.map_or_else(|| "unknown".to_owned(), |path| path.as_str().to_owned());
    let status = match response.status().as_u16() / 100 {
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    };
    let seconds = begun.elapsed().as_secs_f64();
    metrics.requests.get_or_create(&Route { route, status }).observe(seconds);
    response
}

/// What the metrics are read from.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) parts: Arc<Parts>,
    pub(crate) metrics: Metrics,
    /// The data folder, if there is one.
    pub(crate) folder: Option<PathBuf>,
    /// The folder of backups, if they are made.
    pub(crate) backups: Option<PathBuf>,
}

/// Listens on loopback and answers `/metrics`, `/health` and `/ready`.
pub(crate) async fn listen(port: u16) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address)
        .await
        .with_context(|| format!("GUERDON_METRICS_PORT: cannot listen on {address}"))
}

pub(crate) async fn serve(listener: TcpListener, sources: Sources) {
    let router = Router::new()
        .route("/metrics", get(exposed))
        .route("/health", get(|| async { "alive\n" }))
        .route("/ready", get(ready))
        .with_state(sources);
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(%error, "the metrics cannot be served");
    }
}

/// Whether requests can be answered: the database reads, and nothing is broken.
async fn ready(State(sources): State<Sources>) -> Response {
    match sources.parts.queues.depth(QueueName::Payments) {
        Ok(_) if sources.parts.queues.database().damages() > 0 => {
            (StatusCode::SERVICE_UNAVAILABLE, "the database is damaged: see the log\n").into_response()
        }
        Ok(_) => (StatusCode::OK, "ready\n").into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response(),
    }
}

async fn exposed(State(sources): State<Sources>) -> Response {
    let mut text = String::new();
    let written =
        gauges(&sources, &mut text).and_then(|()| Ok(encode(&mut text, &sources.metrics.registry)?));
    match written {
        Ok(()) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}\n")).into_response(),
    }
}

/// A figure as it is now.
fn gauge(text: &mut String, name: &str, help: &str, values: &[(impl Display, String)]) -> anyhow::Result<()> {
    writeln!(text, "# HELP guerdon_{name} {help}.\n# TYPE guerdon_{name} gauge")?;
    for (labels, value) in values {
        writeln!(text, "guerdon_{name}{labels} {value}")?;
    }
    Ok(())
}

fn gauges(sources: &Sources, text: &mut String) -> anyhow::Result<()> {
    let parts = &sources.parts;
    let (mut live, mut dead, mut age) = (Vec::new(), Vec::new(), Vec::new());
    let now = wall_millis();
    for queue in QueueName::ALL {
        let depth = parts.queues.depth(queue)?;
        let label = format!("{{queue=\"{}\"}}", queue.as_str());
        live.push((label.clone(), depth.live.to_string()));
        dead.push((label.clone(), depth.dead.to_string()));
        let oldest = depth.oldest.map_or(0, |sent| now.saturating_sub(sent).max(0) / 1000);
        age.push((label, oldest.to_string()));
    }
    gauge(text, "queue_messages", "Messages that wait or are being handled", &live)?;
    gauge(text, "queue_dead_letters", "Messages that were given up", &dead)?;
    gauge(text, "queue_oldest_seconds", "Age of the oldest message that waits", &age)?;
    let lag = pumps::lag(parts)?;
    let lag: Vec<_> = lag.iter().map(|(label, records)| (*label, records.to_string())).collect();
    gauge(text, "stream_lag_records", "Stream records that a reader has before it", &lag)?;
    database(parts.queues.database(), text)?;
    if let Some(folder) = &sources.folder {
        disk(folder, text)?;
    }
    if let Some(age) = sources.backups.as_deref().map(newest_age) {
        let age = age.map_or("+Inf".to_owned(), |age| age.as_secs().to_string());
        gauge(text, "backup_age_seconds", "Age of the newest backup", &[("", age)])?;
    }
    Ok(())
}

fn database(database: &Database, text: &mut String) -> anyhow::Result<()> {
    let work = database.work();
    let of = |count: &std::sync::atomic::AtomicU64| [("", count.load(Ordering::Relaxed).to_string())];
    gauge(text, "commits", "Commits of the database, ever", &[("", database.commits().to_string())])?;
    gauge(text, "database_writes", "Writes since the start", &of(&work.writes))?;
    gauge(text, "database_syncs", "Syncs since the start", &of(&work.syncs))?;
    gauge(text, "database_sync_micros", "Microseconds of all syncs since the start", &of(&work.sync_micros))?;
    gauge(text, "database_failed_commits", "Commits that failed since the start", &of(&work.failures))?;
    gauge(text, "database_damages", "Reads and writes that met a damaged page", &of(&work.damages))?;
    gauge(
        text,
        "database_disk_full",
        "Writes that failed on a full disk since the start",
        &of(&work.shortages),
    )
}

fn disk(folder: &Path, text: &mut String) -> anyhow::Result<()> {
    let size = |file: &str| std::fs::metadata(folder.join(file)).map_or(0, |file| file.len()).to_string();
    let bytes =
        [("{file=\"table.db\"}", size("table.db")), ("{file=\"table.db-wal\"}", size("table.db-wal"))];
    gauge(text, "database_bytes", "Size of the database's files", &bytes)?;
    match free_bytes(folder) {
        Some(free) => {
            gauge(text, "disk_free_bytes", "Room on the data folder's disk", &[("", free.to_string())])
        }
        None => Ok(()),
    }
}

/// Room on the folder's disk for this user.
fn free_bytes(folder: &Path) -> Option<u64> {
    #[cfg(unix)]
    return rustix::fs::statvfs(folder).ok().map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    #[cfg(not(unix))]
    None
}

/// Room below which a line warns: 1 GB.
const LITTLE: u64 = 1 << 30;
const PULSE: Duration = Duration::from_mins(5);

/// Logs how the stack is, every five minutes, and warns of little room, stalled readers and growing queues.
pub(crate) async fn pulse(sources: Sources) {
    let mut before = None;
    loop {
        tokio::time::sleep(PULSE).await;
        match health(&sources) {
            Ok(now) => {
                now.log(before.as_ref());
                before = Some(now);
            }
            Err(error) => tracing::error!(
                code = "not_healthy",
                error = format!("{error:#}"),
                "the database cannot be read"
            ),
        }
    }
}

struct Health {
    waiting: u64,
    dead: u64,
    lag: u64,
    commits: u64,
    free: Option<u64>,
}

fn health(sources: &Sources) -> anyhow::Result<Health> {
    let mut health = Health {
        waiting: 0,
        dead: 0,
        lag: pumps::lag(&sources.parts)?.iter().map(|(_, records)| *records).max().unwrap_or_default(),
        commits: sources.parts.queues.database().commits(),
        free: sources.folder.as_deref().and_then(free_bytes),
    };
    for queue in QueueName::ALL {
        let depth = sources.parts.queues.depth(queue)?;
        health.waiting += depth.live;
        health.dead += depth.dead;
    }
    Ok(health)
}

impl Health {
    fn log(&self, before: Option<&Self>) {
        let Self { waiting, dead, lag, commits, free } = self;
        tracing::info!(waiting, dead, lag, commits, free_bytes = free, "health");
        if free.is_some_and(|free| free < LITTLE) {
            tracing::warn!(
                code = "little_room",
                free_bytes = free,
                "the disk is nearly full; writes fail when it is"
            );
        }
        let Some(before) = before else { return };
        if *lag > 1000 && lag >= &before.lag {
            tracing::warn!(code = "stream_stalled", lag, "a reader of the stream does not keep up");
        }
        if *waiting > 1000 && waiting >= &before.waiting {
            tracing::warn!(code = "queue_grows", waiting, "the queues do not get shorter");
        }
    }
}
