//! Gives the program a build id: a hash of the sources that it is made of and of the versions that
//! it depends on.
//!
//! The same sources have the same id on every machine, and neither git nor a clock is asked.

use std::hash::Hasher;
use std::io;
use std::path::{Path, PathBuf};

use twox_hash::XxHash64;

fn main() -> io::Result<()> {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut files = Vec::new();
    collect(&root, Path::new("src"), &mut files)?;
    // A crate that depends on this one has a lock file of its own.
    for file in ["Cargo.toml", "Cargo.lock"].into_iter().filter(|file| root.join(file).exists()) {
        println!("cargo::rerun-if-changed={file}");
        files.push(file.into());
    }
    files.sort();
    let mut hasher = XxHash64::with_seed(0);
    for file in &files {
        let bytes = std::fs::read(root.join(file))?;
        for part in [file.to_string_lossy().as_bytes(), &bytes] {
            hasher.write(&(part.len() as u64).to_le_bytes());
            hasher.write(part);
        }
    }
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rustc-env=LOGPARSER_BUILD={:016x}", hasher.finish());
    Ok(())
}

/// Adds the Rust files of a folder, by their paths from the root.
fn collect(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            collect(root, &path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    Ok(())
}
