//! The data folder: what is looked at before anything of it is used.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use guerdon_database::{database::Database, error::DatabaseError};
use guerdon_engine::engine;
use guerdon_runtime::secrets::Secret;
use sha2::{Digest, Sha256};

use crate::{
    config::Config,
    files::{DATABASE, keep_private, private_folder},
    queue, upgrade,
};

/// The tables of the database, when it is made.
pub(crate) const SCHEMAS: [&str; 2] = [engine::SCHEMA, queue::SCHEMA];

const PRESET: &str = "preset";
const KEY: &str = "pseudonym_key";

/// What is done with the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It is read, also beside a running stack.
    Read,
    /// It is changed. Nobody else may change it at the same time.
    Write,
}

impl Access {
    /// Opens the data of a folder, and compares whose it is with the configuration.
    pub(crate) fn open(self, config: &Config, folder: &Path) -> anyhow::Result<Database> {
        let path = folder.join(DATABASE);
        let database = match self {
            Self::Read => Database::reader(&path)?,
            Self::Write => {
                let made = private_folder(folder).and_then(|()| keep_private(folder));
                made.with_context(|| format!("GUERDON_DATA: {} cannot be used", folder.display()))?;
                let left = folder.join(upgrade::QUEUES);
                if !path.exists() && left.exists() {
                    return Err(missing(&path, &left).into());
                }
                match Database::open(&path, &SCHEMAS) {
                    Err(DatabaseError::EarlierFormat(_)) => {
                        ensure!(
                            !config.made_up.contains(&Secret::PseudonymKey.variable()),
                            "{} is there, and its GUERDON_PSEUDONYM_KEY is not: put the folder's secrets.json back, or the \
                             key into the environment. With a new key no member would be found",
                            path.display()
                        );
                        upgrade::run(folder, &SCHEMAS)?;
                        Database::open(&path, &SCHEMAS)?
                    }
                    opened => opened?,
                }
            }
        };
        self.compare(&database, config)?;
        Ok(database)
    }

    /// Refuses data of another preset or pseudonym key: under them every member would be gone, and the ledger sound.
    fn compare(self, database: &Database, config: &Config) -> anyhow::Result<()> {
        let key = fingerprint(config.secret(Secret::PseudonymKey).unwrap_or_default());
        for (name, now) in [(PRESET, config.preset.name.as_str()), (KEY, key.as_str())] {
            match database.fact(name)? {
                Some(before) if before != now => {
                    let path = database.path().display();
                    return Err(match name {
                        PRESET => anyhow::anyhow!(
                            "{path} was made with GUERDON_PRESET={before}, and it is {now} now. Set it to {before}, or \
                             GUERDON_DATA to another folder. To change the preset of this data on purpose, run \
                             'guerdon change-preset' once"
                        ),
                        _ => anyhow::anyhow!(
                            "{path} was made with another GUERDON_PSEUDONYM_KEY: with this one no member would be \
                             found. Put the right key into the environment, or the folder's secrets.json back from a \
                             backup"
                        ),
                    });
                }
                Some(_) => {}
                None if self == Self::Write => database.set_fact(name, now)?.wait()?,
                None => {}
            }
        }
        Ok(())
    }
}

/// Gives the data the preset of the configuration.
///
/// # Errors
/// Those of opening the data.
pub fn change_preset(config: &Config, folder: &Path) -> anyhow::Result<()> {
    let path = folder.join(DATABASE);
    ensure!(path.exists(), "there is no data in {}", folder.display());
    let database = Database::open(&path, &SCHEMAS)?;
    database.set_fact(PRESET, &config.preset.name)?.wait()?;
    Ok(())
}

/// Tells keys apart without telling them.
fn fingerprint(key: &str) -> String {
    hex::encode(&Sha256::digest(format!("fingerprint\n{key}"))[..8])
}

fn missing(path: &Path, left: &Path) -> DatabaseError {
    let left: PathBuf = left.into();
    DatabaseError::damaged(path, format!("is missing, though {} is there", left.display()))
}
