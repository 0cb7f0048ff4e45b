//! The Rust sources of the repository, for tests that read them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Adds every Rust file below `folder`, build output and hidden folders left out.
///
/// # Panics
/// Panics if a folder cannot be read.
pub fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is read") {
        let path = entry.expect("the entry is read").path();
        let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            sources(&path, found);
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
}
