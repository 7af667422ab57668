//! Laws that hold for every source.

use std::cell::Cell;

use super::*;
use crate::source::{Cursor, locate};

#[test]
fn an_address_that_no_source_takes_leads_nowhere() {
    let nowhere = Location::read("no-such-source://x");
    assert!(!reads(&nowhere));
    assert!(!find(&nowhere, &Listing::default(), &mut |_| panic!("it leads somewhere")).unwrap());
}

#[test]
fn an_example_is_taken_by_its_source_alone_and_found_and_read() {
    for entry in TABLE {
        let location = Location::read(entry.example);
        let takers = TABLE.iter().filter(|taker| (taker.takes)(&location)).map(|taker| taker.help);
        assert_eq!(takers.collect::<Vec<_>>(), [entry.help]);
        let located = locate(&[location], &Listing::default()).unwrap();
        assert!(located.failures.is_empty() && !located.inputs.is_empty(), "{}: {located:?}", entry.help);
        for input in located.inputs {
            // A stream may have nothing, now or for ever: whoever waits for it hears an interrupt.
            let asked = Cell::new(0);
            let interrupted = || asked.replace(asked.get() + 1) > 2;
            let step = Cursor::new(input, 4096, 4096).next(&mut Vec::new(), &interrupted);
            assert!(step.opened && step.failure.is_none(), "{}: {:?}", entry.help, step.failure);
        }
    }
}
