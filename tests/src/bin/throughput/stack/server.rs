//! The stack in a process of its own.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;

use crate::cpu;

pub(crate) const WEBHOOK_SECRET: &str = "bench-webhook-secret";
pub(crate) const SIGNING_SECRET: &str = "whsec_bench_secret";
pub(crate) const ADMIN_TOKEN: &str = "bench-admin-token";
/// The token of the stack's tools.
pub(crate) const LOCAL_TOKEN: &str = "bench-local-token";

/// A running stack. Dropping it stops it and removes its data.
pub(crate) struct Server {
    child: Child,
    /// The address on which it listens.
    pub(crate) base: String,
    _folder: TempDir,
}

/// Builds the stack as `cargo run --release` does, and returns its path.
pub(crate) fn build() -> anyhow::Result<PathBuf> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let built = Command::new(cargo).args(["build", "--release", "-p", "guerdon-local"]).status()?;
    ensure!(built.success(), "the stack does not build");
    // This bench is in the same folder.
    let folder = std::env::current_exe()?.parent().context("no folder")?.to_owned();
    Ok(folder.join("guerdon"))
}

impl Server {
    /// Starts a stack without data on a free port of the loopback interface.
    pub(crate) fn start(binary: &Path, memory: bool) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let data = if memory { PathBuf::from(":memory:") } else { folder.path().join("data") };
        let mut child = Command::new(binary)
            .env_clear()
            .current_dir(&folder)
            .env("GUERDON_PORT", "0")
            .env("GUERDON_DATA", data)
            .env("GUERDON_LOG", "error")
            .env("GUERDON_ADMIN_CALLS_PER_MINUTE", "100000")
            .env("GUERDON_PSEUDONYM_KEY", "bench-pseudonym-key-0123456789")
            .env("TELEGRAM_WEBHOOK_SECRET", WEBHOOK_SECRET)
            .env("STRIPE_WEBHOOK_SECRET", SIGNING_SECRET)
            .env("ADMIN_TOKEN", ADMIN_TOKEN)
            .env("GUERDON_LOCAL_TOKEN", LOCAL_TOKEN)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} cannot be started", binary.display()))?;
        let output = child.stdout.take().context("no output")?;
        let mut lines = BufReader::new(output).lines();
        let Some(base) = lines.by_ref().map_while(Result::ok).find_map(|line| address(&line)) else {
            bail!("the stack did not say where it listens");
        };
        // Errors are printed; the pipe must be read in any case.
        std::thread::spawn(move || {
            let errors = lines.map_while(Result::ok).filter(|line| line.contains("ERROR"));
            errors.take(20).for_each(|line| eprintln!("{line}"));
        });
        Ok(Self { child, base, _folder: folder })
    }

    /// CPU time so far, of all threads.
    pub(crate) fn cpu_micros(&self) -> anyhow::Result<u64> {
        cpu::of(self.child.id())
    }
}

fn address(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("running on ")?;
    rest.split_whitespace().next().map(str::to_owned)
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
