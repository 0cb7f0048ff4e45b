//! Code that the benches share: the clock, the command line, the printed table.
#![allow(dead_code, clippy::print_stdout, reason = "each bench uses a part of this, and prints")]

use std::time::Instant;

use anyhow::{Context, bail};

/// The machine's clock.
#[expect(clippy::disallowed_methods, reason = "benches measure real time")]
pub fn now() -> Instant {
    Instant::now()
}

/// Microseconds since `start`.
pub fn micros_since(start: Instant) -> u64 {
    u64::try_from(now().duration_since(start).as_micros()).unwrap_or(u64::MAX)
}

/// Command-line options: `--name value` and `--name`.
pub struct Options {
    given: Vec<String>,
}

impl Options {
    /// Reads those of this process; refuses options that are neither in `flags` nor in `values`.
    ///
    /// # Errors
    /// Names the unknown option.
    pub fn read(flags: &[&str], values: &[&str]) -> anyhow::Result<Self> {
        let given: Vec<String> = std::env::args().skip(1).collect();
        let mut rest = given.iter();
        while let Some(option) = rest.next() {
            if values.contains(&option.as_str()) {
                rest.next().with_context(|| format!("{option} needs a value"))?;
            } else if !flags.contains(&option.as_str()) {
                bail!("unknown option {option}; there are {}", [flags, values].concat().join(" "));
            }
        }
        Ok(Self { given })
    }

    /// Returns whether `--name` was given.
    pub fn has(&self, flag: &str) -> bool {
        self.given.iter().any(|option| option == flag)
    }

    /// The value after `--name`.
    pub fn value(&self, name: &str) -> Option<&str> {
        let at = self.given.iter().position(|option| option == name)?;
        self.given.get(at + 1).map(String::as_str)
    }

    /// The number after `--name`, or `default`.
    ///
    /// # Errors
    /// Fails if it is not a number above zero.
    pub fn number(&self, name: &str, default: u64) -> anyhow::Result<u64> {
        let Some(text) = self.value(name) else { return Ok(default) };
        let number = text.parse().ok().filter(|n| *n > 0);
        number.with_context(|| format!("{name} takes a whole number above zero, not {text}"))
    }
}

/// A table that is readable in a terminal and valid Markdown.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Makes a table with these columns.
    pub fn new(columns: &[&str]) -> Self {
        Self { rows: vec![columns.iter().map(|&c| c.to_owned()).collect()] }
    }

    /// Adds a line.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Prints the table: the first column on the left, figures aligned to the right.
    pub fn print(&self) {
        let columns = self.rows.first().map_or(0, Vec::len);
        let cell = |row: &[String], n: usize| row.get(n).cloned().unwrap_or_default();
        let widths: Vec<usize> = (0..columns)
            .map(|n| self.rows.iter().map(|row| cell(row, n).chars().count()).max().unwrap_or(0).max(3))
            .collect();
        for (index, row) in self.rows.iter().enumerate() {
            let cells: Vec<String> = widths
                .iter()
                .enumerate()
                .map(|(n, &width)| match n {
                    0 => format!("{:<width$}", cell(row, n)),
                    _ => format!("{:>width$}", cell(row, n)),
                })
                .collect();
            println!("| {} |", cells.join(" | "));
            if index == 0 {
                let rules: Vec<String> = widths
                    .iter()
                    .enumerate()
                    .map(|(n, &width)| if n == 0 { "-".repeat(width) } else { "-".repeat(width - 1) + ":" })
                    .collect();
                println!("| {} |", rules.join(" | "));
            }
        }
    }
}

/// Formats `123` tenths as `12.3`.
pub fn tenths(value: u64) -> String {
    format!("{}.{}", value / 10, value % 10)
}

/// Formats `123` hundredths as `1.23`.
pub fn hundredths(value: u64) -> String {
    format!("{}.{:02}", value / 100, value % 100)
}

/// Formats microseconds as milliseconds with two decimals.
pub fn millis(micros: u64) -> String {
    hundredths((micros + 5) / 10)
}

/// The median; 0 for an empty list.
pub fn median(values: &[u64]) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}
