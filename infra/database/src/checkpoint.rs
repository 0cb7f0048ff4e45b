//! The thread that copies what is in the log into the database file, beside readers and writers.

use std::{
    sync::{Arc, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::Connection;

use crate::{
    error::DatabaseError,
    open,
    shared::{Shared, Wanted},
};

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);
/// Frames of the log, of a page each, after which it begins anew: 64 MB.
const LONG: i64 = 16 * 1024;
/// Looks between two tries to begin it anew: half a minute.
const REST: u32 = 60;

pub(crate) fn start(shared: Arc<Shared>) -> Result<JoinHandle<()>, DatabaseError> {
    let connection = open::beside(&shared.path)?;
    let run = move || {
        let (mut seen, mut rest) = (0, 0);
        while pause(&shared) {
            let commits = shared.lock().commits;
            if commits != seen {
                seen = commits;
                rest = checkpoint(&shared, &connection, rest);
            }
        }
    };
    let thread = std::thread::Builder::new().name("checkpoints".to_owned()).spawn(run);
    thread.map_err(|error| DatabaseError::Failed(error.to_string()))
}

/// Waits for the next look; false when the database is closed.
fn pause(shared: &Shared) -> bool {
    let wanted = shared.wake.lock();
    let stopped = |wanted: &mut Wanted| !wanted.stop;
    let waited = shared.wake.changed.wait_timeout_while(wanted, PAUSE, stopped);
    !waited.unwrap_or_else(PoisonError::into_inner).0.stop
}

/// Copies what can be copied. A log that is too long is asked to begin anew, and then not for `rest` looks: while somebody
/// reads from it, it cannot. Returns the looks that are left.
fn checkpoint(shared: &Shared, connection: &Connection, rest: u32) -> u32 {
    let frames = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get::<_, i64>(1));
    match frames {
        Ok(frames) if frames > LONG && rest == 0 => {
            shared.lock().long_log = true;
            return REST;
        }
        Ok(_) => {}
        Err(error) => {
            let error = shared.error(&error);
            tracing::error!(%error, "the log was not copied into the database; it grows until it is");
        }
    }
    rest.saturating_sub(1)
}
