//! Converts the presets to JSON. The functions need a JSON reader anyway; a TOML reader would add a quarter
//! of a megabyte to each of them.
#![allow(clippy::print_stdout, reason = "this is how cargo is told")]

use std::{error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=presets");
    let out = std::env::var("OUT_DIR")?;
    for file in fs::read_dir("presets")? {
        let path = file?.path();
        let Some(name) = path.file_stem().filter(|_| path.extension().is_some_and(|end| end == "toml"))
        else {
            continue;
        };
        let preset: serde_json::Value = toml::from_str(&fs::read_to_string(&path)?)?;
        fs::write(Path::new(&out).join(name).with_extension("json"), preset.to_string())?;
    }
    Ok(())
}
