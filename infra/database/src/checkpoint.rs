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

pub(crate) fn start(shared: Arc<Shared>) -> Result<JoinHandle<()>, DatabaseError> {
    let connection = open::beside(&shared.path)?;
    let run = move || {
        let mut seen = 0;
        while pause(&shared) {
            let commits = shared.lock().commits;
            if commits != seen {
                seen = commits;
                checkpoint(&shared, &connection);
            }
        }
    };
    let thread = std::thread::Builder::new().name("checkpoints".to_owned()).spawn(run);
    thread.map_err(|error| DatabaseError::Failed(error.to_string()))
}

/// Waits for the next look; false when the database is closed.
fn pause(shared: &Shared) -> bool {
    let wanted = shared.wake.state.lock().unwrap_or_else(PoisonError::into_inner);
    let stopped = |wanted: &mut Wanted| !wanted.stop;
    let waited = shared.wake.changed.wait_timeout_while(wanted, PAUSE, stopped);
    !waited.unwrap_or_else(PoisonError::into_inner).0.stop
}

fn checkpoint(shared: &Shared, connection: &Connection) {
    let frames = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get::<_, i64>(1));
    match frames {
        Ok(frames) if frames > LONG => shared.lock().long_log = true,
        Ok(_) => {}
        Err(error) => {
            let error = shared.error(&error);
            tracing::error!(%error, "the log was not copied into the database; it grows until it is");
        }
    }
}
