//! Log lines, kept in memory.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

/// Log lines, kept in memory.
#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Lines {
    /// Keeps the lines of this thread until the guard is dropped. A test that does so stands alone in its file: because
    /// of a second one without a subscriber tracing would disable what both have in common.
    pub fn of_this_thread() -> (Self, tracing::subscriber::DefaultGuard) {
        let lines = Self::default();
        let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_writer(lines.clone());
        let guard = tracing::subscriber::set_default(subscriber.finish());
        (lines, guard)
    }

    /// All lines so far.
    pub fn all(&self) -> Vec<Value> {
        let bytes = self.0.lock().unwrap();
        let lines = std::str::from_utf8(&bytes).unwrap().lines();
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The messages of the lines whose span has this id.
    pub fn under(&self, id: &str) -> Vec<String> {
        let all = self.all();
        let ours = all.iter().filter(|line| line["span"]["correlation_id"] == id);
        ours.map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect()
    }
}
