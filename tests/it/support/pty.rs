//! A program on a terminal of its own: keys in, a screen out, and the state in which the terminal
//! is left.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// A terminal with a program on it.
pub struct Pty {
    /// Our end; none once we have hung up.
    master: Option<File>,
    /// The program's end, held open so that its state can be asked for after the program.
    slave: OwnedFd,
    before: Termios,
    pub child: Child,
    /// All that the program has written so far.
    pub written: Vec<u8>,
    screen: Screen,
}

impl Pty {
    /// Starts a program as the leader of a session on a new terminal of so many columns and rows.
    pub fn start(command: &Command, columns: u16, rows: u16) -> Self {
        Self::start_by(Command::new("setsid").arg("--ctty"), command, columns, rows)
    }

    /// As `start`, but the terminal is not that of the session: no signal tells that it is gone.
    pub fn start_apart(command: &Command, columns: u16, rows: u16) -> Self {
        Self::start_by(&mut Command::new("setsid"), command, columns, rows)
    }

    fn start_by(session: &mut Command, command: &Command, columns: u16, rows: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        resize(&slave, columns, rows);
        let before = tcgetattr(&slave).unwrap();
        let end = || Stdio::from(slave.try_clone().unwrap());
        // Without unsafe code, another program has to make the session; it then becomes the one
        // that is asked for.
        session.arg(command.get_program()).args(command.get_args()).env("TERM", "xterm-256color");
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => session.env(name, value),
                None => session.env_remove(name),
            };
        }
        session.current_dir(command.get_current_dir().unwrap());
        let child = session.stdin(end()).stdout(end()).stderr(end()).spawn().expect("setsid is needed for these tests");
        let screen = Screen::new(columns, rows);
        Pty { master: Some(File::from(master)), slave, before, child, written: Vec::new(), screen }
    }

    /// Types.
    pub fn send(&mut self, bytes: &[u8]) {
        self.master.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// Makes the terminal another size. The program is told by a signal.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.screen = Screen::new(columns, rows);
        resize(self.master.as_ref().unwrap(), columns, rows);
    }

    /// Closes our end.
    pub fn hang_up(&mut self) {
        self.master = None;
    }

    /// What is on the screen, a line a row.
    pub fn screen(&self) -> String {
        self.screen.text()
    }

    /// Reads what the program writes until the screen is as it should be.
    pub fn wait_for(&mut self, what: &str, condition: impl Fn(&str) -> bool) {
        let started = Instant::now();
        while !condition(&self.screen()) {
            assert!(started.elapsed() < PATIENCE, "waited in vain for {what}; the screen:\n{}", self.screen());
            self.read(Duration::from_millis(50));
        }
    }

    /// Waits until a text is on the screen.
    pub fn wait_for_text(&mut self, text: &str) {
        self.wait_for(text, |screen| screen.contains(text));
    }

    /// Reads for a while.
    pub fn read(&mut self, timeout: Duration) {
        let Some(master) = &self.master else { return std::thread::sleep(timeout) };
        let mut fds = [PollFd::new(master, PollFlags::IN)];
        let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(timeout.subsec_nanos()) };
        if poll(&mut fds, Some(&timeout)).unwrap() == 0 {
            return;
        }
        let mut bytes = [0; 1 << 16];
        let length = rustix::io::read(master, &mut bytes[..]).unwrap_or(0);
        self.written.extend_from_slice(&bytes[..length]);
        self.screen.take(&bytes[..length]);
    }

    /// Waits for the end of the program, reading what it still writes.
    pub fn wait(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            let status = self.child.try_wait().unwrap();
            self.read(Duration::from_millis(20));
            if let Some(status) = status {
                return status;
            }
            if started.elapsed() >= PATIENCE {
                self.child.kill().unwrap();
                panic!("the program does not end; the screen:\n{}", self.screen());
            }
        }
    }

    /// Whether the terminal is as it was before the program: its modes, its screen and its cursor.
    pub fn is_restored(&self) -> bool {
        self.has_its_modes() && !self.screen.alternate && self.screen.cursor_shown
    }

    /// Whether the terminal has the modes that it had before the program.
    pub fn has_its_modes(&self) -> bool {
        format!("{:?}", tcgetattr(&self.slave).unwrap()) == format!("{:?}", self.before)
    }

    /// What was written since the screen was given back.
    pub fn said_after(&self) -> String {
        let text = String::from_utf8_lossy(&self.written).into_owned();
        text.rsplit("\u{1b}[?1049l").next().unwrap().replace('\r', "")
    }

    /// The sequences that the program wrote which are not known to be harmless, and bytes that are
    /// not text.
    pub fn hostile(&self) -> &BTreeSet<String> {
        &self.screen.hostile
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // A test that fails leaves no program behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn resize(terminal: impl rustix::fd::AsFd, columns: u16, rows: u16) {
    tcsetwinsize(terminal, Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
}

/// What a terminal would show: as much of one as the view needs, and a list of all else.
struct Screen {
    columns: usize,
    cells: Vec<Vec<char>>,
    at: (usize, usize),
    pending: Vec<u8>,
    alternate: bool,
    cursor_shown: bool,
    hostile: BTreeSet<String>,
}

impl Screen {
    fn new(columns: u16, rows: u16) -> Self {
        let cells = vec![vec![' '; usize::from(columns)]; usize::from(rows)];
        Screen {
            columns: usize::from(columns),
            cells,
            at: (0, 0),
            pending: Vec::new(),
            alternate: false,
            cursor_shown: true,
            hostile: BTreeSet::new(),
        }
    }

    fn text(&self) -> String {
        self.cells.iter().map(|row| row.iter().collect::<String>().trim_end().to_owned() + "\n").collect()
    }

    fn take(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        let bytes = std::mem::take(&mut self.pending);
        let mut at = 0;
        while let Some(used) = self.step(&bytes[at..]) {
            at += used;
        }
        self.pending = bytes[at..].to_vec();
    }

    /// Does the first thing; the bytes that it takes, if all of them are there.
    fn step(&mut self, bytes: &[u8]) -> Option<usize> {
        match bytes.first()? {
            0x1b if *bytes.get(1)? == b'[' => {
                let length = bytes[2..].iter().position(|byte| (0x40..=0x7e).contains(byte))?;
                self.sequence(std::str::from_utf8(&bytes[2..=2 + length]).unwrap());
                Some(length + 3)
            }
            b'\r' => Some(self.go(self.at.0, 0)),
            b'\n' => Some(self.go(self.at.0 + 1, self.at.1)),
            _ => {
                let length = (1..=bytes.len().min(4)).find(|length| std::str::from_utf8(&bytes[..*length]).is_ok());
                let Some(length) = length else {
                    return (bytes.len() >= 4).then(|| self.note(format!("{:02x}", bytes[0])));
                };
                let c = std::str::from_utf8(&bytes[..length]).unwrap().chars().next().unwrap();
                if logparser::internals::model::escape::is_hostile(c) {
                    self.note(format!("{c:?}"));
                }
                let (row, column) = self.at;
                if let Some(cell) = self.cells.get_mut(row).and_then(|row| row.get_mut(column)) {
                    *cell = c;
                }
                self.at.1 = (column + 1).min(self.columns);
                Some(length)
            }
        }
    }

    fn go(&mut self, row: usize, column: usize) -> usize {
        self.at = (row.min(self.cells.len().saturating_sub(1)), column);
        1
    }

    fn note(&mut self, what: String) -> usize {
        self.hostile.insert(what);
        1
    }

    fn sequence(&mut self, sequence: &str) {
        let (parameters, last) = sequence.split_at(sequence.len() - 1);
        let clear = |cells: &mut Vec<Vec<char>>| cells.iter_mut().for_each(|row| row.fill(' '));
        match (parameters, last) {
            ("?1049", _) => {
                self.alternate = last == "h";
                clear(&mut self.cells);
                self.at = (0, 0);
            }
            ("?25", _) => self.cursor_shown = last == "h",
            (_, "m") => {}
            ("2", "J") => clear(&mut self.cells),
            (_, "H") => {
                let mut numbers = parameters.split(';').map(|number| number.parse().unwrap_or(1usize));
                let (row, column) = (numbers.next().unwrap_or(1), numbers.next().unwrap_or(1));
                self.go(row - 1, column - 1);
            }
            _ => drop(self.note(sequence.to_owned())),
        }
    }
}
