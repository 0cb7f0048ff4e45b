//! SQLite's checksum VFS: a checksum on each page of the file, written with it and compared when it is read.

use std::{
    ffi::{c_char, c_int},
    sync::OnceLock,
};

// What the C file needs of SQLite comes from here; named, so that it is linked.
use libsqlite3_sys as _;

unsafe extern "C" {
    fn sqlite3_register_cksumvfs(unused: *const c_char) -> c_int;
}

/// Makes the VFS the default one of this process, once. A file without room for checksums works as before.
pub(crate) fn register() -> Result<(), c_int> {
    static REGISTERED: OnceLock<c_int> = OnceLock::new();
    // SAFETY: the function ignores its argument, and `OnceLock` calls it once, before any connection of ours.
    match REGISTERED.get_or_init(|| unsafe { sqlite3_register_cksumvfs(std::ptr::null()) }) {
        0 => Ok(()),
        code => Err(*code),
    }
}
