//! The virtual clock of a run.

use std::cell::Cell;

use guerdon_app::context::Clock;
use guerdon_domain::time::Timestamp;
use tokio::time::Instant;

/// Milliseconds of an hour.
pub const HOUR: u64 = 3_600_000;

/// The start of every world: 2026-11-21T09:30:00Z.
pub const BEGINNING: Timestamp = Timestamp::from_seconds(1_795_253_400);

thread_local! {
    static START: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Virtual milliseconds since the run began.
pub fn elapsed_millis() -> u64 {
    let since = START.get().map(|start| Instant::now().duration_since(start)).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The virtual clock that also moves tokio's timers.
pub struct VirtualClock;

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(elapsed_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(BEGINNING.millis() + elapsed)
    }
}

/// Starts the clock, at tokio's present time.
pub fn start() {
    START.set(Some(Instant::now()));
}
