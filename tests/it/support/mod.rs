//! What the tests share, a file a theme. No test stands here but those of the helpers themselves.

mod asked;
pub mod case;
pub mod code;
mod folder;
mod followed;
mod follower;
mod library;
mod logs;
mod machine;
mod oracle;
mod program;
#[cfg(feature = "live")]
mod pty;
mod rotation;
mod saved;
mod terminal;

pub use asked::*;
pub use folder::*;
pub use followed::*;
pub use follower::*;
pub use library::*;
pub use logs::*;
pub use machine::*;
pub use oracle::*;
pub use program::*;
#[cfg(feature = "live")]
pub use pty::*;
pub use rotation::*;
pub use saved::*;
pub use terminal::*;
