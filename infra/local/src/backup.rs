//! Backups: a folder with a verified copy of the database and of the made-up secrets, which open it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::{Context, ensure};
use guerdon_app::context::{Clock, SystemClock};
use guerdon_database::{copy, database::Database};
use tokio::time::sleep;

use crate::{
    config::Plan,
    files::{DATABASE, SECRETS, WITNESS, private_folder, write_private_file},
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
    backup_by(data, into, &mut |to| {
        Ok(copy::copy(&data.join(DATABASE), to, &mut |done, all| progress.at(done, all))?)
    })
}

/// Makes a backup whose database `copies` makes. Until it is whole its folder has another name.
fn backup_by(
    data: &Path,
    into: &Path,
    copies: &mut dyn FnMut(&Path) -> anyhow::Result<copy::Copied>,
) -> anyhow::Result<Backup> {
    let now = SystemClock::default().now().to_string();
    let name: String = now.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let folder = into.join(format!("{PREFIX}{name}"));
    ensure!(!folder.exists(), "{} exists", folder.display());
    let unfinished = into.join(format!("{PREFIX}{name}.unfinished"));
    private_folder(&unfinished).with_context(|| format!("{} cannot be made", unfinished.display()))?;
    let copied = copies(&unfinished.join(DATABASE)).and_then(|copied| {
        copy_secrets(data, &unfinished)?;
        fs::rename(&unfinished, &folder).with_context(|| format!("{} cannot be named", folder.display()))?;
        Ok(copied)
    });
    if copied.is_err() {
        fs::remove_dir_all(&unfinished).ok();
    }
    let copied = copied?;
    Ok(Backup { folder, bytes: copied.bytes, commits: copied.commits })
}

/// Copies a backup's folder to the data folder `data`, which has no data yet.
///
/// # Errors
/// A sentence that names the file and the reason.
pub fn restore(from: &Path, data: &Path, progress: &mut Progress) -> anyhow::Result<Backup> {
    for file in [DATABASE, "table.db-wal", "table.db-journal", WITNESS, "queues.db", SECRETS] {
        let there = data.join(file);
        ensure!(
            !there.exists(),
            "{} exists; a backup is restored into an empty folder. Move the old one away, or set GUERDON_DATA to \
             another",
            there.display()
        );
    }
    private_folder(data).with_context(|| format!("{} cannot be made", data.display()))?;
    let to = data.join(DATABASE);
    let copied = copy::copy(&from.join(DATABASE), &to, &mut |done, all| progress.at(done, all));
    progress.end();
    let copied = copied?;
    // The database first: without it nothing would tell the secrets of a failed restore from those of a new business.
    if let Err(error) = copy_secrets(from, data) {
        fs::remove_file(&to).ok();
        return Err(error);
    }
    Ok(Backup { folder: data.to_owned(), bytes: copied.bytes, commits: copied.commits })
}

/// Copies the made-up secrets, if there are any: without them nobody can use the database.
fn copy_secrets(from: &Path, to: &Path) -> anyhow::Result<()> {
    let secrets = from.join(SECRETS);
    match fs::read(&secrets) {
        Ok(content) => write_private_file(&to.join(SECRETS), &content)
            .with_context(|| format!("{} cannot be written", to.join(SECRETS).display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", secrets.display())),
    }
}

/// The backups in a folder, each with the time at which it was made, oldest first. Only whole ones, which have the name
/// that a backup gets.
fn backups(folder: &Path) -> Vec<(SystemTime, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let made = |path: PathBuf| {
        let is_named = path.file_name().is_some_and(|name| is_backups(&name.to_string_lossy()));
        let made = fs::metadata(path.join(DATABASE)).and_then(|file| file.modified()).ok()?;
        is_named.then_some((made, path))
    };
    let mut found: Vec<_> = entries.filter_map(|entry| made(entry.path())).collect();
    found.sort();
    found
}

/// Returns whether it is the name of a backup: `guerdon-20261128T043000Z`.
fn is_backups(name: &str) -> bool {
    let Some(time) = name.strip_prefix(PREFIX) else { return false };
    let is_place = |(place, c): (usize, char)| match place {
        8 => c == 'T',
        15 => c == 'Z',
        _ => c.is_ascii_digit(),
    };
    time.len() == 16 && time.chars().enumerate().all(is_place)
}

/// The age of the newest backup; none when there is none.
#[expect(clippy::disallowed_methods, reason = "a file's age is real time")]
pub fn newest_age(folder: &Path) -> Option<Duration> {
    let now = SystemTime::now();
    backups(folder).iter().rev().find_map(|(made, _)| now.duration_since(*made).ok())
}

/// Makes backups as planned, and removes those that are too many. A failure is tried again in ten minutes.
pub(crate) async fn run(data: PathBuf, database: Database, plan: Plan) {
    loop {
        let pause = match newest_age(&plan.folder) {
            Some(age) if age < plan.every => plan.every - age,
            _ => match make(data.clone(), database.clone(), plan.clone()).await {
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

async fn make(data: PathBuf, database: Database, plan: Plan) -> anyhow::Result<()> {
    tokio::task::spawn_blocking(move || {
        let made =
            backup_by(&data, &plan.folder, &mut |to| Ok(copy::copy_open(&database, to, &mut |_, _| {})?))?;
        tracing::info!(bytes = made.bytes, commits = made.commits, "a backup was made and verified");
        let live = data.canonicalize().unwrap_or(data);
        // The new one stays, whatever the clocks say; the data itself is no backup.
        let others: Vec<_> = backups(&plan.folder)
            .into_iter()
            .map(|(_, path)| path)
            .filter(|path| *path != made.folder && path.canonicalize().is_ok_and(|path| path != live))
            .collect();
        for old in others.iter().take(others.len().saturating_sub(plan.keep.saturating_sub(1))) {
            fs::remove_dir_all(old).with_context(|| format!("{} cannot be removed", old.display()))?;
        }
        Ok(())
    })
    .await?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_as_a_backup_is_one() {
        assert!(is_backups("guerdon-20261128T043000Z"));
        for name in [
            "guerdon-1",
            "guerdon-live",
            "guerdon-20261128T043000Z.unfinished",
            "guerdon-2026112xT043000Z",
            "data",
        ] {
            assert!(!is_backups(name), "{name}");
        }
    }
}
