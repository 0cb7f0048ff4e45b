//! CPU time, as Linux accounts for it in `/proc`.

use std::{fs, process};

use anyhow::Context;

/// Linux counts a process's CPU time in hundredths of a second, whatever the machine.
const MICROS_PER_TICK: u64 = 10_000;

/// Fields of a line of `/proc/<pid>/stat`.
struct Stat {
    parent: u32,
    own_micros: u64,
    /// CPU time of children that ended and were waited for.
    ended_micros: u64,
}

/// CPU time of this process so far, of all threads.
pub(crate) fn of_this() -> anyhow::Result<u64> {
    of(process::id())
}

/// CPU time of a process so far, of all threads.
pub(crate) fn of(pid: u32) -> anyhow::Result<u64> {
    Ok(stat(pid)?.own_micros)
}

/// CPU time so far of a process and its children, those that ended included.
pub(crate) fn of_family(pid: u32) -> anyhow::Result<u64> {
    let parent = stat(pid)?;
    let mut sum = parent.own_micros + parent.ended_micros;
    for entry in fs::read_dir("/proc")? {
        let Ok(child) = entry?.file_name().to_string_lossy().parse::<u32>() else { continue };
        // A child that ends meanwhile is counted in its parent's time the next time.
        let Ok(stat) = stat(child) else { continue };
        if stat.parent == pid {
            sum += precise_micros(child).unwrap_or(stat.own_micros);
        }
    }
    Ok(sum)
}

/// The scheduler's nanoseconds. They are those of one thread, so they are right only for processes with one thread.
/// The ticks of dozens of short-lived processes would lose up to 20 ms each.
fn precise_micros(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?;
    let nanos: u64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanos / 1000)
}

fn stat(pid: u32) -> anyhow::Result<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))
        .context("CPU times are read from /proc, which only Linux has")?;
    // The second field is the name in parentheses. Behind it: the parent is the 4th field; user and system
    // time are the 14th and 15th, of ended children the 16th and 17th.
    let (_, rest) = text.rsplit_once(')').context("an unreadable stat")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let field = |number: usize| -> anyhow::Result<u64> {
        Ok(fields.get(number - 3).context("an unreadable stat")?.parse()?)
    };
    Ok(Stat {
        parent: u32::try_from(field(4)?)?,
        own_micros: (field(14)? + field(15)?) * MICROS_PER_TICK,
        ended_micros: (field(16)? + field(17)?) * MICROS_PER_TICK,
    })
}
