//! The files of the data folder: their names, and that only their owner reads them.

use std::{fs, path::Path};

/// The table, its stream and the queues.
pub(crate) const DATABASE: &str = "table.db";
/// The witness of the database's commits.
pub(crate) const WITNESS: &str = "table.mark";
/// The made-up secrets.
pub(crate) const SECRETS: &str = "secrets.json";

/// Writes a file that only its owner reads, in a folder that only its owner opens. It is written beside and moved into
/// place: a crash or a power cut leaves the old file or the new one.
pub(crate) fn write_private_file(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    private_folder(folder)?;
    let beside = path.with_extension("new");
    let mut file = private_options().write(true).truncate(true).open(&beside)?;
    std::io::Write::write_all(&mut file, content)?;
    file.sync_all()?;
    fs::rename(beside, path)?;
    // The rename is on the disk when its folder is.
    #[cfg(unix)]
    fs::File::open(folder)?.sync_all()?;
    Ok(())
}

/// Options under which a new file is readable by its owner only.
fn private_options() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Takes the files of the data folder from other users: earlier versions made them readable.
pub(crate) fn keep_private(folder: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::set_permissions(entry.path(), std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        }
    }
    Ok(())
}

/// Makes a folder that only its owner opens; one that exists stays as it is.
pub(crate) fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
