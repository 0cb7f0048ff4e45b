//! The HTTP server: connections with time limits, and room for the next one.
//!
//! Whoever sends half a request holds a connection, and with it a file handle. A head that is late closes its
//! connection, and so does one that stays idle. A body that is late is refused. When all places are taken, a new
//! connection gets the place of one that is waiting for its client: of a source that takes more than its share, or else one
//! that has never sent a whole request, the one that has waited longest. So half-sent requests, of one source or of
//! many, do not keep out a webhook.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request},
    middleware::Next,
    response::Response,
};
use guerdon_runtime::{
    http_body::MAX_BODY,
    problem::{Problem, too_large},
    source::Source,
};
use http::{HeaderValue, StatusCode, header};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use stripe_webhook::handler::MAX_EVENT;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::{AbortHandle, JoinSet},
    time::{sleep, timeout},
};
use tower::{ServiceBuilder, ServiceExt};

/// Limits of the server.
#[derive(Debug, Clone, Copy)]
pub struct Serving {
    /// The most connections at once.
    pub connections: usize,
    /// The time for a request's head, and for being idle before it.
    pub head: Duration,
    /// The time for a request's body.
    pub body: Duration,
}

impl Default for Serving {
    fn default() -> Self {
        Self { connections: 512, head: Duration::from_secs(20), body: Duration::from_secs(20) }
    }
}

/// A connection's place.
struct Place {
    source: String,
    /// The turn in which it began to wait for its client; none while a request of it is handled.
    waiting_since: Option<u64>,
    /// True after its first whole request.
    proven: bool,
    task: Option<AbortHandle>,
}

/// The places of all connections.
struct Places {
    most: usize,
    turns: AtomicU64,
    taken: Mutex<HashMap<u64, Place>>,
    freed: Notify,
}

impl Places {
    fn new(most: usize) -> Self {
        let (turns, taken, freed) = (AtomicU64::default(), Mutex::default(), Notify::new());
        Self { most, turns, taken, freed }
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<u64, Place>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self) -> u64 {
        self.turns.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes a place for a connection, if necessary from another one. None while every place handles a request.
    fn take(&self, source: &str) -> Option<u64> {
        let mut taken = self.taken();
        if taken.len() >= self.most {
            let evicted = evicted(&taken, self.most).and_then(|id| taken.remove(&id))?;
            if let Some(task) = evicted.task {
                task.abort();
            }
        }
        let id = self.turn();
        taken.insert(
            id,
            Place { source: source.to_owned(), waiting_since: Some(id), proven: false, task: None },
        );
        Some(id)
    }

    /// Remembers the task of a connection, to stop it.
    fn runs(&self, id: u64, task: AbortHandle) {
        match self.taken().get_mut(&id) {
            Some(place) => place.task = Some(task),
            // It is over already.
            None => task.abort(),
        }
    }

    /// Notes that a request is complete and is handled now, or that its answer is on the way.
    fn waits(&self, id: u64, waits: bool) {
        let turn = self.turn();
        if let Some(place) = self.taken().get_mut(&id) {
            place.waiting_since = waits.then_some(turn);
            place.proven |= !waits;
        }
        self.freed.notify_one();
    }

    fn leave(&self, id: u64) {
        self.taken().remove(&id);
        self.freed.notify_one();
    }
}

/// A source takes more than its share when it has more than this part of all places.
const SHARE: usize = 4;

/// The connection that gives up its place.
fn evicted(taken: &HashMap<u64, Place>, most: usize) -> Option<u64> {
    let mut sources: HashMap<&str, usize> = HashMap::new();
    for place in taken.values() {
        *sources.entry(&place.source).or_default() += 1;
    }
    let beyond_share = |place: &Place| {
        let places = sources.get(place.source.as_str()).copied().unwrap_or_default();
        if places > most / SHARE { places } else { 0 }
    };
    let waiting = taken.iter().filter_map(|(id, place)| Some((id, place, place.waiting_since?)));
    let first = waiting
        .max_by_key(|(_, place, since)| (beyond_share(place), !place.proven, std::cmp::Reverse(*since)));
    first.map(|(id, ..)| *id)
}

/// Gives the place back when the connection ends, in whatever way.
struct Leaving(Arc<Places>, u64);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.leave(self.1);
    }
}

/// The place of a request's connection.
#[derive(Clone)]
struct At(Arc<Places>, u64);

/// Serves until it is dropped.
pub(crate) async fn serve(listener: TcpListener, router: Router, limits: Serving) {
    let places = Arc::new(Places::new(limits.connections));
    let mut connections = JoinSet::new();
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Mostly there is no file handle left; a connection that ends brings one.
                tracing::warn!(%error, "a connection was not accepted");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        let source = Source::of_address(peer.ip());
        let id = loop {
            let freed = places.freed.notified();
            match places.take(source.as_str()) {
                Some(id) => break id,
                None => freed.await,
            }
        };
        let at = At(places.clone(), id);
        let task = connections.spawn(connection(stream, peer, router.clone(), limits, at));
        places.runs(id, task);
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, limits: Serving, at: At) {
    let _leaving = Leaving(at.0.clone(), at.1);
    stream.set_nodelay(true).ok();
    let service = ServiceBuilder::new()
        .map_request(move |mut request: http::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().insert(at.clone());
            request.map(Body::new)
        })
        .service(router.into_service().boxed_clone());
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    // What a client did wrong on its connection is no error of ours.
    served.await.ok();
}

/// The path whose bodies may be longer than the others'.
const STRIPE: &str = "/api/stripe/webhook";

/// Reads the whole body in its time, and then lets the request be handled.
pub(crate) async fn whole(limits: Serving, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let at = parts.extensions.remove::<At>();
    let most = if parts.uri.path() == STRIPE { MAX_EVENT } else { MAX_BODY };
    let refused = match timeout(limits.body, to_bytes(body, most)).await {
        Ok(Ok(body)) => {
            let handling = at.map(Handling::new);
            let response = next.run(Request::from_parts(parts, Body::from(body))).await;
            drop(handling);
            return response;
        }
        Ok(Err(_)) => too_large(most),
        Err(_) => {
            let detail = "The rest of the body did not come in time.";
            Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", "Too slow", detail)
        }
    };
    let mut response = refused.into_response::<String>().map(Body::from);
    // The rest of the body is not read, so no further request can follow it.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// While it lives, the connection's request is handled and keeps its place.
struct Handling(At);

impl Handling {
    fn new(at: At) -> Self {
        at.0.waits(at.1, false);
        Self(at)
    }
}

impl Drop for Handling {
    fn drop(&mut self) {
        let At(places, id) = &self.0;
        places.waits(*id, true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_waiting_of_the_greediest_source_gives_up_its_place() {
        let places = Places::new(4);
        let taken: Vec<_> =
            ["stripe", "slow", "slow", "slow"].iter().map(|source| places.take(source).unwrap()).collect();
        places.waits(taken[1], false);
        let next = places.take("telegram").unwrap();
        let there = |id: u64| places.taken().contains_key(&id);
        assert_eq!([there(taken[0]), there(taken[1]), there(taken[2])], [true, true, false]);
        places.waits(taken[1], true);
        places.take("slow").unwrap();
        assert_eq!([there(taken[1]), there(taken[3]), there(next)], [true, false, true], "it waits only now");
    }

    #[test]
    fn half_sent_requests_of_many_sources_do_not_keep_out_a_source_that_sends_whole_ones() {
        let places = Places::new(64);
        let slow: Vec<_> = (0..64).map(|n| places.take(&format!("slow-{n}")).unwrap()).collect();
        let webhooks: Vec<_> = (0..10).map(|_| places.take("stripe").unwrap()).collect();
        let there = |id: &u64| places.taken().contains_key(id);
        assert!(!slow[..10].iter().any(there), "the longest waiting left");
        webhooks.iter().for_each(|id| places.waits(*id, false));
        webhooks.iter().for_each(|id| places.waits(*id, true));
        for n in 64..128 {
            places.take(&format!("slow-{n}")).unwrap();
        }
        assert!(webhooks.iter().all(there), "they have sent whole requests and are kept alive");
    }

    #[test]
    fn what_is_handled_keeps_its_place() {
        let places = Places::new(2);
        let taken = [places.take("a").unwrap(), places.take("a").unwrap()];
        taken.iter().for_each(|id| places.waits(*id, false));
        assert_eq!(places.take("b"), None);
        places.leave(taken[0]);
        assert!(places.take("b").is_some());
    }
}
