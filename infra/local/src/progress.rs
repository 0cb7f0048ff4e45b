//! Progress of long commands: a bar on a terminal, a line now and then elsewhere.

use std::{
    io::{IsTerminal, Write, stderr},
    time::{Duration, Instant},
};

/// Columns of the bar.
const WIDTH: u64 = 40;
const EVERY_LINE: Duration = Duration::from_secs(5);
const EVERY_BAR: Duration = Duration::from_millis(100);

/// Reports how far a command is, on standard error.
pub struct Progress {
    task: &'static str,
    shown: Option<Instant>,
    bar: bool,
}

impl Progress {
    /// Progress of a task, which is named by a few words.
    pub fn new(task: &'static str) -> Self {
        Self { task, shown: None, bar: stderr().is_terminal() }
    }

    /// Reports that `done` of `all` is done, unless that was reported a moment ago.
    #[expect(clippy::disallowed_methods, reason = "the pace of the report is real time")]
    pub fn at(&mut self, done: u64, all: u64) {
        let pause = if self.bar { EVERY_BAR } else { EVERY_LINE };
        if done < all && self.shown.is_some_and(|shown| shown.elapsed() < pause) {
            return;
        }
        self.shown = Some(Instant::now());
        let percent = (done * 100).checked_div(all).unwrap_or(100).min(100);
        let mut out = stderr().lock();
        let written = if self.bar {
            let full = usize::try_from(percent * WIDTH / 100).unwrap_or_default();
            let empty = usize::try_from(WIDTH).unwrap_or_default() - full;
            write!(out, "\r{} [{}{}] {percent:3}%", self.task, "#".repeat(full), "-".repeat(empty))
        } else {
            writeln!(out, "{}: {percent}%", self.task)
        };
        // Whoever closed standard error does not want to be told.
        written.and_then(|()| out.flush()).ok();
    }

    /// Ends the bar's line.
    pub fn end(&mut self) {
        if self.bar && self.shown.is_some() {
            writeln!(stderr()).ok();
        }
    }
}
