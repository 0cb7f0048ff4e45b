//! A PostgreSQL server for this run, in a folder of its own and reachable only through a socket in that folder.

use std::{
    fs,
    io::{Seek, Write},
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;
use tokio_postgres::{Client, Config, NoTls};

use crate::{
    cpu,
    report::{median, micros_since, now},
};

/// The folder in which Debian and Ubuntu install their versions.
const INSTALLED: &str = "/usr/lib/postgresql";
const USER: &str = "postgres";
/// Settings that must be on, as they are by default.
const DURABILITY: [&str; 3] = ["fsync", "synchronous_commit", "full_page_writes"];

/// The programs of the newest PostgreSQL on this machine.
pub(crate) fn programs() -> anyhow::Result<PathBuf> {
    let found = fs::read_dir(INSTALLED).into_iter().flatten().flatten();
    let newest = found
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin")))
        })
        .filter(|(_, bin)| bin.join("initdb").exists())
        .max();
    let sentence = "There is no PostgreSQL to compare with: `apt-get install postgresql`, or leave it out with `--only direct,stack`.";
    Ok(newest.context(sentence)?.1)
}

/// A running server. Dropping it stops it and removes its data.
pub(crate) struct Cluster {
    // The server is stopped before its folder is removed.
    server: Server,
    folder: TempDir,
}

impl Cluster {
    /// Initializes and starts a server for so many connections.
    pub(crate) async fn start(bin: &Path, connections: u64) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let account = Account::find()?;
        if let Some(account) = &account {
            chown(folder.path(), Some(account.uid), Some(account.gid))?;
        }
        let place = Place { bin: bin.to_owned(), folder: folder.path().to_owned(), account };
        let data = place.data();
        let made = place
            .command("initdb")
            .args(["--no-locale", "--encoding=UTF8", "--auth=trust", "--no-sync", "--username", USER, "-D"])
            .arg(&data)
            .output()?;
        ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let log = fs::File::create(folder.path().join("log"))?;
        let child = place
            .command("postgres")
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=", "-c", "shared_buffers=512MB", "-c"])
            .arg(format!("unix_socket_directories={}", folder.path().display()))
            .args(["-c".to_owned(), format!("max_connections={}", connections + 20)])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let cluster = Self { server: Server { child, place }, folder };
        cluster.ready().await?;
        Ok(cluster)
    }

    async fn ready(&self) -> anyhow::Result<()> {
        for _ in 0..300 {
            if self.connect().await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        bail!("PostgreSQL does not start: {log}")
    }

    /// Connects over the socket.
    pub(crate) async fn connect(&self) -> anyhow::Result<Client> {
        let mut config = Config::new();
        config.host_path(self.folder.path()).user(USER).dbname(USER).application_name("guerdon-bench");
        let (client, connection) = config.connect(NoTls).await?;
        // The task ends with the client; its error is returned by the client's next request.
        tokio::spawn(async move { connection.await.ok() });
        Ok(client)
    }

    /// Checks that durability was not reduced for speed, and returns the settings in force.
    pub(crate) async fn settings(&self) -> anyhow::Result<String> {
        let client = self.connect().await?;
        let show = async |name: &str| -> anyhow::Result<String> {
            Ok(client.query_one(&format!("SHOW {name}"), &[]).await?.try_get(0)?)
        };
        let mut said = vec![format!("PostgreSQL {}", show("server_version").await?)];
        for name in DURABILITY {
            let value = show(name).await?;
            ensure!(value == "on", "{name} is {value}, and must be on");
            said.push(format!("{name}={value}"));
        }
        for name in ["wal_sync_method", "shared_buffers", "max_connections"] {
            said.push(format!("{name}={}", show(name).await?));
        }
        said.push(format!("overwriting 8 kB with a sync takes {} us here", self.synced_write_micros()?));
        Ok(said.join(", "))
    }

    /// CPU time so far of all of the server's processes.
    pub(crate) fn cpu_micros(&self) -> anyhow::Result<u64> {
        cpu::of_family(self.server.child.id())
    }

    /// Measures the disk's part of a commit: the median of a hundred. The log's files are overwritten and do not
    /// grow, so this file does not grow either.
    fn synced_write_micros(&self) -> anyhow::Result<u64> {
        let mut file = fs::File::create(self.folder.path().join("synced"))?;
        let mut micros = Vec::new();
        for _ in 0..100 {
            file.rewind()?;
            let start = now();
            file.write_all(&[1; 8192])?;
            file.sync_data()?;
            micros.push(micros_since(start));
        }
        Ok(median(&micros))
    }
}

struct Server {
    child: Child,
    place: Place,
}

impl Drop for Server {
    fn drop(&mut self) {
        // The data is deleted, so the server does not have to save it.
        let mut stop = self.place.command("pg_ctl");
        stop.args(["stop", "--silent", "--mode=immediate", "-D"]).arg(self.place.data());
        if !stop.status().is_ok_and(|status| status.success()) {
            self.child.kill().ok();
        }
        self.child.wait().ok();
    }
}

/// The folders of a server's programs and data, and the account that runs it.
struct Place {
    bin: PathBuf,
    folder: PathBuf,
    /// PostgreSQL refuses to run as root.
    account: Option<Account>,
}

impl Place {
    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Prepares one of PostgreSQL's programs, run as the right user. It is stopped if this process dies.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.current_dir(&self.folder).args(["--pdeathsig", "INT"]);
        if let Some(Account { uid, gid }) = &self.account {
            command.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}")).arg("--clear-groups");
        }
        command.arg("--").arg(self.bin.join(program));
        command
    }
}

/// A system account.
struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// Finds the account for the server: `postgres` when this process is root, none (its own) otherwise.
    fn find() -> anyhow::Result<Option<Self>> {
        if fs::metadata("/proc/self")?.uid() != 0 {
            return Ok(None);
        }
        let accounts = fs::read_to_string("/etc/passwd")?;
        let found = accounts.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            (name == USER).then_some(Self { uid, gid })
        });
        Ok(Some(found.context("root needs the system user `postgres` to run PostgreSQL")?))
    }
}
