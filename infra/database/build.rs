//! Compiles SQLite's checksum VFS, which is no part of the library that rusqlite brings.

fn main() {
    println!("cargo::rerun-if-changed=sqlite/cksumvfs.c");
    // Set by the build script of libsqlite3-sys, which `links` SQLite.
    let include = std::env::var("DEP_SQLITE3_INCLUDE").unwrap_or_default();
    cc::Build::new()
        .file("sqlite/cksumvfs.c")
        .include(include)
        .define("SQLITE_CKSUMVFS_STATIC", None)
        // A function of SQL that gives a new file its eight bytes for a checksum on each page.
        .define("SQLITE_CKSUMVFS_INIT_FUNCNAME", "\"reserve_checksums\"")
        .define("NDEBUG", None)
        .opt_level(2)
        .warnings(false)
        .compile("cksumvfs");
}
