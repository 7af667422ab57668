//! What this program is, by its version and by its sources.
//!
//! Not here: how that is found out (`build.rs`).

/// What this program was built from: a hash of its sources and of the versions that it depends on.
/// Two programs with the same one count alike.
pub const BUILD: &str = env!("LOGPARSER_BUILD");

/// The version with the build, as `--version` prints it.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (build ", env!("LOGPARSER_BUILD"), ")");
