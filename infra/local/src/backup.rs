//! Backups: a folder with a verified copy of the database and of the made-up secrets, which open it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::{Context, ensure};
use guerdon_app::context::{Clock, SystemClock};
use guerdon_database::copy;
use tokio::time::sleep;

use crate::{
    config::Plan,
    files::{DATABASE, SECRETS, private_folder, write_private_file},
    progress::Progress,
};

/// What the name of a backup's folder begins with; the time follows.
const PREFIX: &str = "guerdon-";

/// A finished backup.
#[derive(Debug)]
pub struct Backup {
    /// Its folder.
    pub folder: PathBuf,
    /// Bytes of the database.
    pub bytes: u64,
    /// Commits that it holds.
    pub commits: u64,
}

/// Copies the data folder `data` to a new folder in `into`, also while a stack is running on it, and reads the copy once
/// to verify it.
///
/// # Errors
/// A sentence that names the file and the reason; the unfinished folder is removed.
pub fn backup(data: &Path, into: &Path, progress: &mut Progress) -> anyhow::Result<Backup> {
    let now = SystemClock::default().now().to_string();
    let name: String = now.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let folder = into.join(format!("{PREFIX}{name}"));
    ensure!(!folder.exists(), "{} exists", folder.display());
    private_folder(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let copied = copy_into(data, &folder, progress);
    if copied.is_err() {
        fs::remove_dir_all(&folder).ok();
    }
    let copied = copied?;
    Ok(Backup { folder, bytes: copied.bytes, commits: copied.commits })
}

/// Copies a backup's folder to the data folder `data`, which has no data yet.
///
/// # Errors
/// A sentence that names the file and the reason.
pub fn restore(from: &Path, data: &Path, progress: &mut Progress) -> anyhow::Result<Backup> {
    for file in [DATABASE, "table.mark", SECRETS] {
        let there = data.join(file);
        ensure!(
            !there.exists(),
            "{} exists; a backup is restored into an empty folder. Move the old one away, or set GUERDON_DATA to \
             another",
            there.display()
        );
    }
    private_folder(data).with_context(|| format!("{} cannot be made", data.display()))?;
    let copied = copy_into(from, data, progress)?;
    Ok(Backup { folder: data.to_owned(), bytes: copied.bytes, commits: copied.commits })
}

fn copy_into(from: &Path, to: &Path, progress: &mut Progress) -> anyhow::Result<copy::Copied> {
    // First the secrets: without them nobody can use the copy.
    let secrets = from.join(SECRETS);
    match fs::read(&secrets) {
        Ok(content) => write_private_file(&to.join(SECRETS), &content)
            .with_context(|| format!("{} cannot be written", to.join(SECRETS).display()))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", secrets.display())),
    }
    let copied =
        copy::copy(&from.join(DATABASE), &to.join(DATABASE), &mut |done, all| progress.at(done, all));
    progress.end();
    Ok(copied?)
}

/// The backups in a folder, oldest first.
fn backups(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_backup = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX))
            && path.join(DATABASE).exists()
    };
    let mut found: Vec<_> = entries.map(|entry| entry.path()).filter(is_backup).collect();
    found.sort();
    found
}

/// The age of the newest backup; none when there is none.
pub fn newest_age(folder: &Path) -> Option<Duration> {
    let newest = backups(folder).pop()?;
    let made = fs::metadata(newest.join(DATABASE)).and_then(|file| file.modified()).ok()?;
    SystemTime::now().duration_since(made).ok()
}

/// Makes backups as planned, and removes those that are too many. A failure is tried again in ten minutes.
pub(crate) async fn run(data: PathBuf, plan: Plan) {
    loop {
        let pause = match newest_age(&plan.folder) {
            Some(age) if age < plan.every => plan.every - age,
            _ => match make(data.clone(), plan.clone()).await {
                Ok(()) => plan.every,
                Err(error) => {
                    tracing::error!(
                        code = "backup_failed",
                        error = format!("{error:#}"),
                        "the backup failed"
                    );
                    Duration::from_mins(10)
                }
            },
        };
        sleep(pause).await;
    }
}

async fn make(data: PathBuf, plan: Plan) -> anyhow::Result<()> {
    tokio::task::spawn_blocking(move || {
        let made = backup(&data, &plan.folder, &mut Progress::silent())?;
        tracing::info!(bytes = made.bytes, commits = made.commits, "a backup was made and verified");
        let all = backups(&plan.folder);
        for old in all.iter().take(all.len().saturating_sub(plan.keep)) {
            fs::remove_dir_all(old).with_context(|| format!("{} cannot be removed", old.display()))?;
        }
        Ok(())
    })
    .await?
}
