//! Power cuts: a stack works under mixed load while every write and sync of its data folder is recorded. Then the power
//! is cut behind records chosen at random: what was synced is there, of the rest whatever the cut has left. The stack is
//! started on each such disk. Everything acknowledged must be there, once; figures and messages go on; the ledger is sound.
//!
//! `CUTS` in the environment says how many cuts of each preset are tried. It needs Linux and a C compiler, which the
//! build needs too.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]
#![allow(clippy::disallowed_methods, reason = "the load takes real time")]

mod disk;
mod load;
#[path = "../support/mod.rs"]
mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::AtomicU64,
    time::{Duration, Instant},
};

use disk::{Chance, Left, cut, records};
use load::*;
use support::*;

fn recorder() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/power_cuts/recorder.c");
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("recorder.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).args(["-ldl", "-lpthread"]);
    assert!(compiler.status().expect("a C compiler").success());
    library
}

/// Runs a stack under load while everything is recorded, and kills it. Returns what was acknowledged, and the next id.
fn record(folder: &Path, preset: &str, currency: &str, log: &Path) -> (Vec<(u64, Fact)>, u64) {
    let mut command = of_preset(folder, preset);
    command.env("LD_PRELOAD", recorder()).env("POWER_LOG", log).env("POWER_FOLDER", folder.join("data"));
    let running = started(command);
    let code = root(&running.address);
    let (next, done) = (AtomicU64::new(ROOT + 1), Acknowledged::default());
    done.0.lock().unwrap().push((fs::metadata(log).unwrap().len(), Fact::Member(ROOT)));
    let load = Load {
        address: &running.address,
        log,
        next: &next,
        done: &done,
        currency,
        code: &code,
        is_patient: false,
    };
    let until = Instant::now() + LOAD;
    std::thread::scope(|threads| {
        (0..CLIENTS).for_each(|_| drop(threads.spawn(|| work(&load, until))));
    });
    drop(running);
    (done.0.into_inner().unwrap(), next.into_inner())
}

fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[test]
fn a_power_cut_loses_nothing_that_was_acknowledged_and_doubles_nothing() {
    let cuts = number("CUTS", 2);
    for (preset, currency) in [("bitten", "usd"), ("ott", "inr"), ("trollz", "usd")] {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let (acknowledged, ids) = record(folder.path(), preset, currency, &log);
        let all = records(&fs::read(&log).unwrap());
        assert!(acknowledged.len() > 5 && all.len() > 100, "{preset}: the load is worth a cut");
        let mut chance = Chance(cuts + ids);
        for n in 0..cuts {
            let at = usize::try_from(chance.below(all.len() as u64)).unwrap();
            let left = Left::ALL[usize::try_from(n % 4).unwrap()];
            let what = format!("{preset}, cut {n} behind record {at} of {}, {left:?} left", all.len());
            let after = tempfile::tempdir().unwrap();
            cut(&all, at, left, &mut chance, &after.path().join("data"));
            let behind = at.checked_sub(1).map_or(0, |last| all[last].end);
            let before: Vec<&Fact> =
                acknowledged.iter().filter(|(length, _)| *length <= behind).map(|(_, fact)| fact).collect();
            check(after.path(), preset, &before, ids, &what);
        }
    }
}

/// A stack on a folder, with what its clients have done in all of its lives.
struct Business {
    folder: tempfile::TempDir,
    next: AtomicU64,
    done: Acknowledged,
}

impl Business {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, next: AtomicU64::new(ROOT + 1), done: Acknowledged::default() }
    }

    /// Runs `meanwhile` while the clients work on the stack, which is given to it.
    fn works(&self, running: Running, time: Duration, is_patient: bool, meanwhile: impl FnOnce(Running)) {
        let (code, address) = (root(&running.address), running.address.clone());
        let none = self.folder.path().join("no-log");
        let (next, done) = (&self.next, &self.done);
        let load =
            Load { address: &address, log: &none, next, done, currency: "usd", code: &code, is_patient };
        let until = Instant::now() + time;
        std::thread::scope(|threads| {
            (0..CLIENTS).for_each(|_| drop(threads.spawn(|| work(&load, until))));
            meanwhile(running);
        });
    }

    fn check(self, what: &str) {
        let acknowledged = self.done.0.into_inner().unwrap();
        assert!(acknowledged.len() > 5, "{what}: the load is worth it: {}", acknowledged.len());
        let acknowledged: Vec<_> = acknowledged.iter().map(|(_, fact)| fact).collect();
        check(self.folder.path(), "bitten", &acknowledged, self.next.into_inner(), what);
    }
}

/// `KILLS` says how often.
#[test]
fn a_kill_loses_nothing_that_was_acknowledged_and_doubles_nothing() {
    let business = Business::new();
    let mut chance = Chance(77);
    for _ in 0..number("KILLS", 3) {
        let life = Duration::from_millis(200 + chance.below(1500));
        business.works(started(of_preset(business.folder.path(), "bitten")), LOAD, false, |running| {
            std::thread::sleep(life);
            drop(running);
        });
    }
    business.check("after kills");
}

/// `SHORTAGES` says how often.
#[test]
fn on_a_full_disk_nothing_is_acknowledged_or_given_up_and_it_goes_on_by_itself() {
    let business = Business::new();
    let (folder, times) = (business.folder.path().to_owned(), number("SHORTAGES", 4));
    let full = folder.join("full");
    let mut command = of_preset(&folder, "bitten");
    command.env("LD_PRELOAD", recorder()).env("POWER_FULL", &full).env("POWER_FOLDER", folder.join("data"));
    let mut chance = Chance(55);
    let time = Duration::from_millis(1200) * u32::try_from(times).unwrap();
    let mut kept = None;
    business.works(started(command), time, true, |running| {
        for _ in 0..times {
            std::thread::sleep(Duration::from_millis(100 + chance.below(600)));
            fs::write(&full, "").unwrap();
            std::thread::sleep(Duration::from_millis(50 + chance.below(400)));
            fs::remove_file(&full).unwrap();
        }
        // It ends when the clients have.
        kept = Some(running);
    });
    drop(kept);
    business.check("after shortages");
}
