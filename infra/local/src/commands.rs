//! The commands of `guerdon` beside running the stack.

use std::{path::PathBuf, sync::Arc};

use anyhow::{bail, ensure};
use guerdon_app::{
    context::SystemClock,
    verification::{acknowledge_found, verify_all},
};
use guerdon_database::copy;
use guerdon_local::{
    backup::{backup, restore},
    config::{Config, Data},
    data::{Access, change_preset},
    parts,
    progress::Progress,
};

const HELP: &str = "\
guerdon                               run the stack
guerdon verify-ledger                 recompute the whole ledger, also beside a running stack
guerdon acknowledge-difference ID 'REASON'
                                      accept a difference that verify-ledger names; stop the stack first
guerdon backup FOLDER                 copy the data to a new folder in FOLDER, also beside a running stack
guerdon restore FOLDER                copy a backup to GUERDON_DATA, which must be empty
guerdon change-preset                 give the data the preset of GUERDON_PRESET; stop the stack first

Settings are environment variables, or lines of .env: docs/configuration.md.";

/// Runs the command that the words name. False when they name none: then the stack is to be run.
#[expect(clippy::print_stdout, reason = "a command answers")]
pub(crate) async fn run(words: &[String]) -> anyhow::Result<bool> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => return Ok(false),
        ["help" | "--help" | "-h"] => println!("{HELP}"),
        ["verify-ledger"] => verify(&Config::from_env()?).await?,
        ["acknowledge-difference", id, reason] => acknowledge(&Config::from_env()?, id, reason).await?,
        ["backup", into] => {
            let mut progress = Progress::new("Copying the data");
            let made = backup(&folder()?, &PathBuf::from(into), &mut progress)?;
            println!(
                "{} holds {} commits in {} MB, and every page was verified.",
                made.folder.display(),
                made.commits,
                made.bytes >> 20
            );
        }
        ["restore", from] => {
            let mut progress = Progress::new("Restoring the data");
            let made = restore(&PathBuf::from(from), &folder()?, &mut progress)?;
            println!(
                "{} holds {} commits, and every page was verified. Run 'guerdon verify-ledger', then start.",
                made.folder.display(),
                made.commits
            );
        }
        ["change-preset"] => {
            let config = Config::from_env()?;
            change_preset(&config, &folder()?)?;
            println!("The data has preset {} now. Its past stays as it was decided.", config.preset.name);
        }
        [other, ..] => bail!("there is no command '{other}' with these words. There is:\n\n{HELP}"),
    }
    Ok(true)
}

/// The data folder. Nothing is made up for a command that needs no secret.
fn folder() -> anyhow::Result<PathBuf> {
    match Data::from_env() {
        Data::Folder(folder) => Ok(folder),
        Data::Memory => bail!("GUERDON_DATA is :memory:; there is no folder"),
    }
}

#[expect(clippy::print_stdout, reason = "a command answers")]
async fn verify(config: &Config) -> anyhow::Result<()> {
    let app = parts::app_on(config, Access::Read, Arc::new(SystemClock::default()))?;
    // Damage is named here; the use cases would only say that the table does not answer.
    copy::verify(&folder()?.join("table.db"))?;
    let verified = verify_all(&app).await?;
    let (wallets, payments, commissions) = (verified.wallets, verified.payments, verified.commissions);
    println!("{wallets} wallets, {payments} payments, {commissions} commissions recomputed");
    match (verified.difference, verified.acknowledged) {
        (Some(difference), _) => {
            bail!("the ledger is not sound: {difference} (difference {})", difference.id())
        }
        (None, 0) => println!("The ledger is sound."),
        (None, known) => println!("The ledger is sound beside {known} acknowledged differences."),
    }
    Ok(())
}

/// Acknowledges the first difference in the data folder, which must be the one that was named.
#[expect(clippy::print_stdout, reason = "a command answers")]
async fn acknowledge(config: &Config, id: &str, reason: &str) -> anyhow::Result<()> {
    ensure!((3..=500).contains(&reason.trim().chars().count()), "the reason has 3 to 500 characters");
    let app = parts::app_on(config, Access::Write, Arc::new(SystemClock::default()))?;
    let found = verify_all(&app).await?.difference;
    let found = found.filter(|difference| difference.id() == id);
    let found = found.ok_or_else(|| anyhow::anyhow!("the verification does not stand at difference {id}"))?;
    acknowledge_found(&app, &"command-line".into(), &found, reason.trim()).await?;
    println!("Acknowledged: {found}");
    Ok(())
}
