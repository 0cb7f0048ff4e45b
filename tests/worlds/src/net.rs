//! The network between the SDK and the engine: every request takes some time, may be refused or lost, or may be the
//! last request of an actor that crashes. Each commit is checked at once.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    future::Future,
    hash::{DefaultHasher, Hash, Hasher},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use guerdon_engine::{
    engine::Engine,
    wire::{Wire, WireAnswer},
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    audit::Audit,
    clock::elapsed_millis,
    mutant::{Mutant, Rewritten},
    requests::{ItemKey, key_of, writes_of, written_key},
};

thread_local! {
    /// True when the actor that is polled has just crashed.
    static CRASHED: Cell<bool> = const { Cell::new(false) };
    /// True when the actor is spared: no more faults are injected for it.
    static SPARED: Cell<bool> = const { Cell::new(false) };
    /// The name of the actor that is polled.
    static ACTOR: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A future that ends with none when its actor crashes. The inner future is then dropped at once.
pub struct Mortal<F> {
    name: String,
    spared: bool,
    inner: Option<Pin<Box<F>>>,
}

impl<F> Mortal<F> {
    /// Runs `inner` as the actor of this name; when `spared`, without faults.
    pub fn new(name: &str, spared: bool, inner: F) -> Self {
        Self { name: name.to_owned(), spared, inner: Some(Box::pin(inner)) }
    }
}

impl<F: Future> Future for Mortal<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        ACTOR.with_borrow_mut(|actor| actor.clone_from(&self.name));
        SPARED.set(self.spared);
        let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
        match inner.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if CRASHED.take() => {
                self.inner = None;
                Poll::Ready(None)
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

/// Trace and counts of a run.
#[derive(Debug, Default)]
pub struct Traced {
    /// One line for each request, when a trace is wanted.
    pub lines: Option<Vec<String>>,
    /// Hash of all commits, in order.
    pub hash: u64,
    /// Requests.
    pub requests: u64,
    /// Writes that were committed.
    pub commits: u64,
    /// Faults that were injected: lost, throttled, conflicting, crashed.
    pub faults: u64,
    /// Among these, writes that met the lock of another one.
    pub conflicts: u64,
}

struct State {
    rng: fastrand::Rng,
    /// Keys of transactions between prepare and commit.
    locked: BTreeSet<ItemKey>,
    /// Time of the last write of each key, because indexes are updated late.
    written: BTreeMap<ItemKey, Instant>,
    /// Tokens of committed requests, so that the SDK's own retries change nothing.
    tokens: BTreeSet<String>,
    traced: Traced,
    audit: Audit,
    /// True when requests have no more faults and take no time.
    calm: bool,
    violation: Option<String>,
}

/// The network and the table behind it.
pub struct Net {
    /// The table.
    pub engine: Engine,
    faults: u32,
    mutant: Option<Mutant>,
    state: Mutex<State>,
    broken: tokio::sync::Notify,
    /// Not a `watch`, because the order in which it wakes its waiters does not follow from the seed.
    commits: tokio::sync::Notify,
}

enum Trouble {
    None,
    Lost,
    LostAfter,
    Crash,
    CrashAfter,
    Refused(WireAnswer),
}

impl Net {
    /// Makes a network whose faults follow from `schedule`, each with a rate of `faults` in a thousand.
    pub fn new(
        engine: Engine,
        schedule: u64,
        faults: u32,
        mutant: Option<Mutant>,
        verbose: bool,
    ) -> Arc<Self> {
        let state = State {
            rng: fastrand::Rng::with_seed(schedule),
            locked: BTreeSet::new(),
            written: BTreeMap::new(),
            tokens: BTreeSet::new(),
            traced: Traced { lines: verbose.then(Vec::new), ..Traced::default() },
            audit: Audit::default(),
            calm: false,
            violation: None,
        };
        let broken = tokio::sync::Notify::new();
        let commits = tokio::sync::Notify::new();
        Arc::new(Self { engine, faults, mutant, state: Mutex::new(state), broken, commits })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws a number below `end`.
    pub fn draw(&self, end: u64) -> u64 {
        self.state().rng.u64(0..end)
    }

    /// Ends faults and delays.
    pub fn calm_down(&self) {
        self.state().calm = true;
    }

    /// Returns whether faults and delays have ended.
    pub fn is_calm(&self) -> bool {
        self.state().calm
    }

    /// Ends with the first commit after this call.
    pub fn next_commit(&self) -> tokio::sync::futures::Notified<'_> {
        self.commits.notified()
    }

    /// Reports a violation, which ends the run.
    pub fn violate(&self, what: impl Into<String>) {
        let mut state = self.state();
        if state.violation.is_none() {
            let what = what.into();
            let line = format!("VIOLATION {what}");
            state.violation = Some(what);
            note(&mut state, line);
            drop(state);
            self.broken.notify_one();
        }
    }

    /// Waits for a violation.
    pub async fn violated(&self) {
        self.broken.notified().await;
    }

    /// The first violation.
    pub fn violation(&self) -> Option<String> {
        self.state().violation.clone()
    }

    /// Adds a line to the trace.
    pub fn note(&self, line: impl FnOnce() -> String) {
        let mut state = self.state();
        if state.traced.lines.is_some() {
            let line = line();
            note(&mut state, line);
        }
    }

    /// Returns trace and counts.
    pub fn traced(&self) -> Traced {
        std::mem::take(&mut self.state().traced)
    }

    async fn pass(&self, most: u64) {
        let millis = {
            let mut state = self.state();
            if state.calm { 0 } else { state.rng.u64(0..most) }
        };
        if millis > 0 {
            tokio::time::sleep(Duration::from_millis(millis)).await;
        }
    }

    fn trouble(&self, operation: &str, request: Option<&Value>) -> Trouble {
        let mut state = self.state();
        if state.calm || self.faults == 0 || SPARED.get() {
            return Trouble::None;
        }
        let drawn = state.rng.u32(0..1000);
        let trouble = match drawn / self.faults {
            0 => Trouble::Lost,
            1 => Trouble::LostAfter,
            2 => Trouble::Crash,
            // A crash after the commit is drawn twice as often, because it reveals most mistakes.
            3 | 4 if request.is_some() => Trouble::CrashAfter,
            5 => Trouble::Refused(throttled()),
            6 => match request {
                Some(request) => Trouble::Refused(conflict(operation, request, &BTreeSet::new())),
                None => Trouble::None,
            },
            _ => Trouble::None,
        };
        state.traced.faults += u64::from(!matches!(trouble, Trouble::None));
        trouble
    }

    /// Crashes the actor: this future is never polled again.
    async fn crash(&self) -> WireAnswer {
        self.note(|| "crashed".to_owned());
        CRASHED.set(true);
        std::future::pending().await
    }

    async fn handle(&self, operation: &str, body: Vec<u8>) -> WireAnswer {
        let writes = matches!(operation, "TransactWriteItems" | "PutItem" | "UpdateItem" | "DeleteItem");
        self.state().traced.requests += 1;
        self.pass(20).await;
        let request: Option<Value> = if writes { serde_json::from_slice(&body).ok() } else { None };
        let trouble = self.trouble(operation, request.as_ref());
        match trouble {
            Trouble::Crash => return self.crash().await,
            Trouble::Lost => {
                self.note(|| format!("{operation} lost before"));
                return match (self.mutant, &request) {
                    (Some(Mutant::LostIsSuccess), Some(_)) => Some((200, "{}".to_owned())),
                    _ => None,
                };
            }
            Trouble::Refused(answer) => {
                self.note(|| format!("{operation} refused"));
                return self.cancelled(answer);
            }
            Trouble::None | Trouble::LostAfter | Trouble::CrashAfter => {}
        }
        let answer = match request {
            Some(request) => self.write(operation, request).await,
            None => self.read(operation, &body),
        };
        match trouble {
            Trouble::CrashAfter => return self.crash().await,
            Trouble::LostAfter => {
                self.note(|| format!("{operation} lost after"));
                return None;
            }
            _ => {}
        }
        self.pass(12).await;
        answer
    }

    fn cancelled(&self, answer: WireAnswer) -> WireAnswer {
        let cancelled = answer.as_ref().is_some_and(|(_, body)| body.contains("TransactionCanceled"));
        if cancelled && self.mutant == Some(Mutant::CancelledIsSuccess) {
            return Some((200, "{}".to_owned()));
        }
        answer
    }

    fn read(&self, operation: &str, body: &[u8]) -> WireAnswer {
        let (status, answer) = self.engine.answer(operation, body);
        let by_index = operation == "Query" && body.windows(11).any(|part| part == b"\"IndexName\"");
        let mut state = self.state();
        if !by_index || state.calm || state.rng.bool() {
            return Some((status, answer));
        }
        // An index shows a recent write only after a delay.
        let Ok(mut page) = serde_json::from_str::<Value>(&answer) else { return Some((status, answer)) };
        let (now, written) = (Instant::now(), &state.written);
        if let Some(items) = page["Items"].as_array_mut() {
            items.retain(|item| {
                let at = key_of(item).and_then(|key| written.get(&key));
                at.is_none_or(|at| now.duration_since(*at) > Duration::from_millis(300))
            });
        }
        Some((status, page.to_string()))
    }

    async fn write(&self, operation: &str, mut request: Value) -> WireAnswer {
        let rewritten = self.mutant.map_or(Rewritten::Same, |mutant| mutant.rewrite(operation, &mut request));
        match rewritten {
            Rewritten::Pretend => return Some((200, "{}".to_owned())),
            Rewritten::Split => return self.split(&request).await,
            Rewritten::Same | Rewritten::Changed => {}
        }
        let answer = self.commit(operation, &request).await;
        self.cancelled(answer)
    }

    /// Makes each write of a transaction by itself, with a pause between them.
    async fn split(&self, request: &Value) -> WireAnswer {
        for item in request["TransactItems"].as_array().into_iter().flatten() {
            let Some((kind, single)) = item.as_object().and_then(|item| item.iter().next()) else { continue };
            let operation = match kind.as_str() {
                "Put" => "PutItem",
                "Update" => "UpdateItem",
                _ => continue,
            };
            let (status, answer) = self.commit(operation, single).await?;
            if status != 200 {
                let reasons = json!([{ "Code": "ConditionalCheckFailed" }]);
                let failed = answer.contains("ConditionalCheckFailed");
                return if failed { Some(canceled(&reasons)) } else { Some((status, answer)) };
            }
            if self.draw(60) == 0 {
                return self.crash().await;
            }
        }
        Some((200, "{}".to_owned()))
    }

    /// Prepares, pauses and commits: another request for the same keys meanwhile gets a conflict.
    async fn commit(&self, operation: &str, request: &Value) -> WireAnswer {
        let keys: BTreeSet<ItemKey> = keys_of(operation, request);
        {
            let mut state = self.state();
            if keys.iter().any(|key| state.locked.contains(key)) {
                state.traced.conflicts += 1;
                return conflict(operation, request, &state.locked);
            }
        }
        let locks = operation == "TransactWriteItems";
        let _lock = locks.then(|| Lock::take(self, &keys));
        if locks {
            self.pass(8).await;
        }
        let (status, answer) = self.engine.answer(operation, request.to_string().as_bytes());
        if status == 200 {
            self.committed(operation, request, keys);
        } else {
            self.note(|| {
                format!("{operation} {} {}", keys_text(&keys), answer.chars().take(300).collect::<String>())
            });
        }
        Some((status, answer))
    }

    fn committed(&self, operation: &str, request: &Value, keys: BTreeSet<ItemKey>) {
        self.note(|| format!("{operation} {}", keys_text(&keys)));
        let mut guard = self.state();
        let state = &mut *guard;
        let token = request["ClientRequestToken"].as_str();
        if token.is_some_and(|token| !state.tokens.insert(token.to_owned())) {
            return;
        }
        let mut hasher = DefaultHasher::new();
        (state.traced.hash, operation, hashable(request)).hash(&mut hasher);
        state.traced.hash = hasher.finish();
        state.traced.commits += 1;
        let found = state.audit.committed(&self.engine, operation, request);
        let now = Instant::now();
        state.written.extend(keys.into_iter().map(|key| (key, now)));
        drop(guard);
        self.commits.notify_waiters();
        if let Err(violation) = found {
            self.violate(violation);
        }
    }
}

impl Wire for Net {
    fn answer(
        self: Arc<Self>,
        operation: String,
        body: Vec<u8>,
    ) -> Pin<Box<dyn Future<Output = WireAnswer> + Send>> {
        Box::pin(async move { self.handle(&operation, body).await })
    }
}

/// Locked keys of a transaction, free again when it ends or its actor crashes.
struct Lock<'a> {
    net: &'a Net,
    keys: BTreeSet<ItemKey>,
}

impl<'a> Lock<'a> {
    fn take(net: &'a Net, keys: &BTreeSet<ItemKey>) -> Self {
        net.state().locked.extend(keys.iter().cloned());
        Self { net, keys: keys.clone() }
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        let mut state = self.net.state();
        for key in &self.keys {
            state.locked.remove(key);
        }
    }
}

fn note(state: &mut State, line: String) {
    let Some(lines) = &mut state.traced.lines else { return };
    let actor = ACTOR.with_borrow(String::clone);
    let now = elapsed_millis();
    lines.push(format!("{:>9}.{:03} {actor:<28} {line}", now / 1000, now % 1000));
}

fn keys_text(keys: &BTreeSet<ItemKey>) -> String {
    keys.iter().map(|(pk, sk)| format!("{pk}/{sk}")).collect::<Vec<_>>().join(" ")
}

fn keys_of(operation: &str, request: &Value) -> BTreeSet<ItemKey> {
    writes_of(operation, request).into_iter().filter_map(|(kind, write)| written_key(kind, write)).collect()
}

/// The request without the parts that differ from run to run.
fn hashable(request: &Value) -> String {
    let mut request = request.clone();
    if let Some(fields) = request.as_object_mut() {
        fields.remove("ClientRequestToken");
    }
    request.to_string()
}

fn throttled() -> WireAnswer {
    let kind = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";
    Some((400, json!({ "__type": kind, "message": "simulated" }).to_string()))
}

fn conflict(operation: &str, request: &Value, locked: &BTreeSet<ItemKey>) -> WireAnswer {
    if operation != "TransactWriteItems" {
        let kind = "com.amazonaws.dynamodb.v20120810#TransactionConflictException";
        return Some((400, json!({ "__type": kind, "message": "simulated" }).to_string()));
    }
    let mut reasons: Vec<_> = writes_of(operation, request)
        .into_iter()
        .map(|(kind, write)| written_key(kind, write).is_some_and(|key| locked.contains(&key)))
        .map(|meets| json!({ "Code": if meets { "TransactionConflict" } else { "None" } }))
        .collect();
    if locked.is_empty() {
        reasons[0] = json!({ "Code": "TransactionConflict" });
    }
    Some(canceled(&Value::from(reasons)))
}

fn canceled(reasons: &Value) -> (u16, String) {
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "simulated",
        "CancellationReasons": reasons,
    });
    (400, body.to_string())
}
