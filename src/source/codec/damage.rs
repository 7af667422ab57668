//! What is wrong with compressed data, and how far it was read.
//!
//! Invariant: positions in what is compressed and in what is in it are told apart in each message.

use std::error::Error;
use std::fmt;
use std::io;

use super::form::Form;
use super::frame::Fault;

/// Why compressed data cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Its form.
    pub form: Form,
    /// The compressed byte at which that showed.
    pub at: u64,
    /// Bytes that were decompressed before.
    pub given: u64,
    /// How many of them stand in what was whole: those behind have not been checked.
    pub whole: u64,
    /// What is wrong.
    pub fault: Fault,
}

impl Damage {
    /// How far it was read.
    pub fn action(&self) -> String {
        let Damage { form, at, given, .. } = self;
        let name = form.name();
        match self.fault {
            Fault::CutShort if *given == 0 => format!("its {name} data is cut short at compressed byte {at}"),
            Fault::CutShort => format!(
                "its {name} data is cut short at compressed byte {at}; the {given} bytes that were in it up to there \
                 were read"
            ),
            Fault::Data(_) => {
                format!("its {name} data is damaged at compressed byte {at}, behind {given} bytes that were in it")
            }
            Fault::Garbage => format!(
                "what follows its {name} data at compressed byte {at} is none; the {given} bytes that were in it \
                 before were read"
            ),
            Fault::Memory(..) if *given > 0 => format!(
                "its {name} data cannot be decompressed from compressed byte {at} on, behind {given} bytes that were \
                 read"
            ),
            Fault::Memory(..) => format!("its {name} data cannot be decompressed"),
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
        match &self.fault {
            Fault::CutShort => f.write_str("more should follow"),
            Fault::Garbage => f.write_str("only zeros may stand there"),
            Fault::Data(why) if self.whole < self.given => {
                write!(f, "{why}; bytes {} to {} of them were read and may be wrong", self.whole, self.given)
            }
            Fault::Data(why) => f.write_str(why),
            Fault::Memory(Some(wanted), most) => write!(
                f,
                "it takes {} MiB of memory, more than the {} MiB that there may be; decompress it with {}",
                mebibytes(*wanted),
                most >> 20,
                self.form.by_hand()
            ),
            Fault::Memory(None, most) => write!(
                f,
                "it takes more than the {} MiB of memory that there may be; decompress it with {}",
                most >> 20,
                self.form.by_hand()
            ),
        }
    }
}

impl Error for Damage {}

impl From<Damage> for io::Error {
    fn from(damage: Damage) -> Self {
        io::Error::new(io::ErrorKind::InvalidData, damage)
    }
}

impl Damage {
    /// The damage that an error of reading tells of, if it does.
    pub fn of(error: &io::Error) -> Option<&Damage> {
        error.get_ref()?.downcast_ref()
    }
}
