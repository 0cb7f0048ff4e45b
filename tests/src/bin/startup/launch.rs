//! Building the programs, and starting one of them.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::RecvTimeoutError,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use guerdon_app::context::{Clock, SystemClock};

use crate::{
    api::{Api, Event, invoke},
    events::first_event,
    report::{micros_since, now},
};

/// A program to start.
pub struct Subject {
    /// Its package.
    pub name: String,
    /// Its stripped binary.
    pub binary: PathBuf,
}

/// One start.
pub struct Sample {
    /// From exec to the first poll.
    pub poll_micros: u64,
    /// CPU time of all its threads until then: steadier than the clock on a busy machine.
    pub cpu_micros: u64,
    /// Its peak memory until then.
    pub peak_kilobytes: u64,
    /// From the first event to its answer.
    pub first_call_micros: Option<u64>,
}

/// Builds each package by itself: built together, they would get each other's features.
pub fn build(root: &Path, names: &[String]) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let folder = root.join("target/lambda-bench");
    for name in names {
        eprintln!("building {name} as it ships ...");
        let mut command = Command::new(&cargo);
        command.current_dir(root).args(["build", "--quiet", "--profile", "lambda", "-p", name]);
        ensure!(command.arg("--target-dir").arg(&folder).status()?.success(), "{name} does not build");
    }
    Ok(folder.join("lambda"))
}

/// Starts a program and waits for its first poll, and for its first answer if that is wanted.
pub fn time(subject: &Subject, api: &Api, first_call: bool) -> anyhow::Result<Sample> {
    let mut command = Command::new(&subject.binary);
    api.next_program();
    let started = now();
    let mut running = Running::start(&mut command, api)?;
    let (polled, connection) = match running.next(api, Duration::from_secs(10)) {
        Ok(Event::Polled { at, connection }) => (at, connection),
        Ok(Event::Answered { body, .. }) => bail!("{} cannot start: {body}", subject.name),
        Err(error) => return Err(error.context(format!("{} did not poll", subject.name))),
    };
    let poll_micros = u64::try_from(polled.duration_since(started).as_micros())?;
    let cpu_micros = cpu_micros(running.0.id())?;
    let peak_kilobytes = peak_kilobytes(running.0.id())?;
    let first_call_micros = match first_event(&subject.name).filter(|_| first_call) {
        Some(event) => {
            let deadline = SystemClock::default().now().millis() + 30_000;
            let sent = invoke(connection, &event, deadline)?;
            let answer = running.next(api, Duration::from_secs(10));
            let Event::Answered { at, ok, body } = answer.with_context(|| subject.name.clone())? else {
                bail!("{} polled again without an answer", subject.name)
            };
            ensure!(ok && !body.contains(r#""statusCode":5"#), "{} failed: {body}", subject.name);
            Some(u64::try_from(at.duration_since(sent).as_micros())?)
        }
        None => None,
    };
    Ok(Sample { poll_micros, cpu_micros, peak_kilobytes, first_call_micros })
}

/// Instructions that callgrind counted.
pub struct Instructions {
    /// Until the first poll.
    pub poll: u64,
    /// From there to the first answer, if a first call is wanted.
    pub first_call: Option<u64>,
}

/// Instructions until the first poll, and in a second start those of the first call.
pub fn instructions(subject: &Subject, api: &Api, first_call: bool) -> anyhow::Result<Instructions> {
    let poll = count(subject, api, None)?;
    let event = first_event(&subject.name).filter(|_| first_call);
    let both = event.map(|event| count(subject, api, Some(&event))).transpose()?;
    Ok(Instructions { poll, first_call: both.map(|both| both.saturating_sub(poll)) })
}

/// Instructions until the first poll, or until `event` is answered.
fn count(subject: &Subject, api: &Api, event: Option<&str>) -> anyhow::Result<u64> {
    eprintln!("counting the instructions of {} ...", subject.name);
    api.next_program();
    let folder = tempfile::TempDir::new()?;
    let log = folder.path().join("log");
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(format!("--log-file={}", log.display()))
        .arg(&subject.binary);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut running = Running::start(command.env("PATH", path), api).context("is valgrind installed?")?;
    let polled = running.next(api, Duration::from_secs(120))?;
    if let (Event::Polled { connection, .. }, Some(event)) = (polled, event) {
        invoke(connection, event, SystemClock::default().now().millis() + 120_000)?;
        running.next(api, Duration::from_secs(120))?;
    }
    // It reports its counts when it is asked to end.
    Command::new("kill").arg(running.0.id().to_string()).status()?;
    let start = now();
    while running.0.try_wait()?.is_none() {
        ensure!(micros_since(start) < 30_000_000, "valgrind does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
    let log = std::fs::read_to_string(log)?;
    let counted = log.lines().find_map(|line| line.split_once("Collected :"));
    let (_, count) = counted.with_context(|| format!("valgrind counted nothing: {log}"))?;
    Ok(count.trim().parse()?)
}

/// A started program, killed when dropped.
struct Running(Child);

impl Running {
    /// The environment has Lambda's variables and ours, and none of the machine's.
    fn start(command: &mut Command, api: &Api) -> anyhow::Result<Self> {
        let path: Vec<_> =
            command.get_envs().filter_map(|(k, v)| Some((k.to_owned(), v?.to_owned()))).collect();
        command
            .env_clear()
            .envs(path)
            .env("AWS_LAMBDA_RUNTIME_API", &api.address)
            .env("AWS_ENDPOINT_URL", format!("http://{}", api.address))
            .envs(LAMBDA)
            .envs(OURS)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok(Self(command.spawn()?))
    }

    fn next(&mut self, api: &Api, patience: Duration) -> anyhow::Result<Event> {
        let start = now();
        while now().duration_since(start) < patience {
            match api.next(Duration::from_millis(100)) {
                Ok(event) => return Ok(event),
                Err(RecvTimeoutError::Disconnected) => bail!("the fake runtime API died"),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Some(status) = self.0.try_wait()? {
                bail!("it ended with {status}");
            }
        }
        bail!("nothing happened for {} s", patience.as_secs())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

const LAMBDA: [(&str, &str); 11] = [
    ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
    ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
    ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
    ("AWS_REGION", "eu-central-1"),
    ("AWS_ACCESS_KEY_ID", "ASIABENCHBENCHBENCH0"),
    ("AWS_SECRET_ACCESS_KEY", "benchbenchbenchbenchbenchbenchbenchbench"),
    ("AWS_SESSION_TOKEN", "bench-session-token"),
];

const OURS: [(&str, &str); 6] = [
    ("GUERDON_TABLE", "guerdon"),
    ("GUERDON_SECRETS_PREFIX", "/guerdon/bench"),
    ("GUERDON_BOT_USERNAME", "guerdon_bench_bot"),
    ("GUERDON_EVENT_BUS", "guerdon"),
    ("GUERDON_PAYMENTS_QUEUE_URL", "https://sqs.eu-central-1.amazonaws.com/123456789012/payments"),
    ("GUERDON_LOG", "info"),
];

fn peak_kilobytes(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))
        .context("memory is read from /proc, which only Linux has")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}

fn cpu_micros(pid: u32) -> anyhow::Result<u64> {
    let mut nanos = 0;
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let counted = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        nanos += counted.split_whitespace().next().context("an empty schedstat")?.parse::<u64>()?;
    }
    Ok(nanos / 1000)
}
