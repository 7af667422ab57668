//! Saved states: listed, shown, checked, removed.

use crate::cli::commands::{StateAction, StateFormat};
use crate::cli::streams::print;
use crate::cli::{slips, states};
use crate::codec::Decoder;
use crate::error::{Error, Result};
use crate::pipeline::{contents, state_root, verified, wall_clock};

/// Lists saved states, shows one, checks it or removes it. The exit code.
pub fn state(action: StateAction) -> Result<u8> {
    if let StateAction::Show { place, .. } | StateAction::Verify { place, .. } | StateAction::Reset { place } = &action
    {
        slips::state(&place.state)?;
    }
    match action {
        StateAction::List { root, output, json } => {
            let output = if json { StateFormat::Json } else { output };
            let root = root.or_else(state_root).ok_or_else(|| {
                Error::usage("neither XDG_STATE_HOME nor HOME is set; name the folder that holds the states")
            })?;
            print(&states::list(&root, output, wall_clock())?)
        }
        StateAction::Show { place, output, json, pairs } => {
            let output = if json { StateFormat::Json } else { output };
            let read = |fingerprint: &str, decoder: &mut Decoder<'_>| contents(fingerprint, decoder, pairs);
            print(&states::show(&place.state, output, Some(&read))?)
        }
        StateAction::Verify { place, output, json } => {
            let output = if json { StateFormat::Json } else { output };
            let (text, is_sound) = states::verify(&place.state, output, &verified)?;
            print(&text).map(|code| if is_sound { code } else { 4 })
        }
        StateAction::Reset { place } => print(&states::reset(&place.state)?),
    }
}
