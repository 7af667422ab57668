//! Saved states of which one value is another, behind a right checksum: each is refused by name, by
//! `state verify` and by a start alike, or the run that goes on from it meets no contradiction in
//! it.
//!
//! Every value of the header is altered, one at a time, to several others. `LOGPARSER_ALTERATIONS`
//! is how many of them are tried of each state, a few hundred at random by default.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use logparser::Builder;
use logparser::Pipeline;
use logparser::Timestamp;
use logparser::internals::codec::{Decoder, Encoder};
use logparser::internals::pipeline::verified;
use logparser::internals::snapshot::store as state;
use logparser::internals::snapshot::{Beside, Snapshot};
use serde_json::{Value, json};

use crate::oracles::reseal;
use crate::support::{BASE, Folder, Random, Sink};

/// What is followed, by what is peculiar to it.
const KINDS: [(&str, &str); 5] = [
    ("tumbling", "seconds = 10\nevery = 10\nlateness = 5\n"),
    (
        "overlapping",
        "seconds = 20\nevery = 10\nlateness = 5\nlate-updates = 60\nreports = [\"top-servers\", \"new-pairs\"]\n",
    ),
    ("by the clock", "seconds = 10\nevery = 10\nlateness = 5\nlate-updates = 40\ntrigger = \"clock\"\n"),
    ("between gaps", "seconds = 10\nevery = 30\nlateness = 0\ntrigger = \"clock\"\n"),
    // Format 3: with schemas, sums, and lines that stand for several connections.
    (
        "flows",
        "seconds = 20\nevery = 10\nlateness = 5\nlate-updates = 60\nformat = \"nfdump-csv\"\nsum = [\"bytes\", \"packets\"]\n",
    ),
];

/// How many alterations of a state are tried where nothing else is asked for.
const MOST: usize = 300;

/// How long a run may take that does nothing but read a few lines.
const LONG: Duration = Duration::from_secs(60);

fn builder(folder: &Folder, kind: &str, state: &Path) -> Builder {
    let text = format!(
        "location = \"{}/*.log\"\nfollow = true\nalign = \"epoch\"\ngrouping-seconds = 5\nmax-gap = 3\n\
         since = \"1970-01-01T00:00:00Z\"\ncheckpoint = \"50ms\"\n{kind}",
        folder.path().display()
    );
    let quiet = Pipeline::builder().config_text("p.toml", &text).on_failure(|_| {}).on_warning(|_| {});
    let quiet = quiet.clock(|| Timestamp::from_seconds(BASE + 300)).output("json", Box::new(Sink::default()));
    quiet.set("state", state.to_str().unwrap())
}

/// Runs until so many lines are read in all, or a little longer than that takes. What it ended
/// with, if it was no good end.
fn follow(builder: Builder, lines: u64) -> Result<Option<String>, logparser::Error> {
    let flag = Arc::new(AtomicBool::new(false));
    let running = builder.interrupt(Arc::clone(&flag)).build()?.start()?;
    let (sheets, started) = (running.sheets(), Instant::now());
    while sheets.now()[0].balance.lines_read < lines && started.elapsed() < Duration::from_millis(300) {
        std::thread::sleep(Duration::from_millis(2));
    }
    flag.store(true, Ordering::Relaxed);
    let summary = running.join();
    Ok(summary.error().map(ToString::to_string))
}

/// The same on a state that a run of this process may just have had: a process that another test starts
/// has all descriptors of this one, the lock's too, until it is another program.
fn follow_again(builder: impl Fn() -> Builder, lines: u64) -> Result<Option<String>, logparser::Error> {
    for _ in 0..100 {
        match follow(builder(), lines) {
            Err(error) if error.to_string().contains("in use by process") => {
                std::thread::sleep(Duration::from_millis(20));
            }
            followed => return followed,
        }
    }
    follow(builder(), lines)
}

/// What files of a kind begin with.
fn head(kind: &str) -> &'static str {
    match kind.contains("nfdump") {
        true => "firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,flows\n",
        false => "",
    }
}

/// Lines of a kind.
fn lines(kind: &str, stamps: impl Iterator<Item = i64>) -> String {
    let flow = |at: i64| {
        let time =
            humantime::format_rfc3339(std::time::UNIX_EPOCH + Duration::from_secs((BASE + at) as u64)).to_string();
        let time = time.replace('T', " ").replace('Z', "");
        let bytes = if at % 6 == 0 { "-".to_owned() } else { (at * 100).to_string() };
        format!("{time},0,TCP,10.0.0.{},1,10.0.1.{},443,{at},{bytes},{}\n", at % 7, at % 3, at % 4)
    };
    match kind.contains("nfdump") {
        true => stamps.map(flow).collect(),
        false => stamps.map(|at| format!("{} a{} b{}\n", BASE + at, at % 7, at % 3)).collect(),
    }
}

/// A state with a bit of everything, in the folder `state`, and how many lines there are then.
fn made(kind: &str) -> (Folder, u64) {
    let folder = Folder::new();
    let state = folder.at("state");
    let first = format!("{}{}no record\n{}", head(kind), lines(kind, 0..60), lines(kind, (20..25).chain(58..60)));
    let later = format!("{}{}x\n", lines(kind, 53..58), lines(kind, 200..290));
    let mut a = first.clone();
    folder.write("a.log", &a);
    let b = format!("{}{}", head(kind), lines(kind, 0..40));
    folder.write("b.log", &b);
    let count = |text: &str| text.lines().count() as u64;
    assert_eq!(follow_again(|| builder(&folder, kind, &state), count(&a) + count(&b)).unwrap(), None);
    a += &later;
    folder.write("a.log", &a);
    assert_eq!(follow_again(|| builder(&folder, kind, &state), count(&a) + count(&b)).unwrap(), None);
    // What is there to be read when a run goes on from it.
    a += &format!("{}{}", lines(kind, 270..280), lines(kind, 900..920));
    folder.write("a.log", &a);
    (folder, count(&a) + count(&b))
}

/// A saved state, taken apart.
struct Whole {
    fingerprint: String,
    /// What format 3 has before the header.
    beside: Option<Value>,
    header: Value,
    rest: Vec<u8>,
}

impl Whole {
    fn of(dir: &Path) -> Self {
        let path = state::peek(dir).unwrap().unwrap().path;
        let file = std::fs::read(path).unwrap();
        let has_beside = file[8..12] == state::FORMAT.to_le_bytes();
        let (fingerprint, body) = reseal::slot(&file);
        let mut decoder = Decoder::new(&body[..], body.len() as u64);
        let beside = has_beside.then(|| serde_json::to_value(decoder.get::<Beside>().unwrap()).unwrap());
        let header: Snapshot = decoder.get().unwrap();
        let left = decoder.left() as usize;
        drop(decoder);
        let header = serde_json::to_value(&header).unwrap();
        Whole { fingerprint, beside, header, rest: body[body.len() - left..].to_vec() }
    }

    /// The slot with other values, if there can be such a one.
    fn with(&self, beside: Option<&Value>, header: &Value) -> Option<Vec<u8>> {
        let header: Snapshot = serde_json::from_value(header.clone()).ok()?;
        let mut body = Vec::new();
        if let Some(beside) = beside {
            let beside: Beside = serde_json::from_value(beside.clone()).ok()?;
            Encoder::new(&mut body).put(&beside).ok()?;
        }
        Encoder::new(&mut body).put(&header).ok()?;
        body.extend(&self.rest);
        let format = if beside.is_some() { state::FORMAT } else { state::OLDEST };
        Some(reseal::state(format, 9, &self.fingerprint, &body))
    }

    /// All slots of which one value is another, each with what was done.
    fn altered(&self) -> Vec<Vec<(String, Vec<u8>)>> {
        let beside = self.beside.as_ref();
        let headers = [Some(self.header.clone()), comes_again(&self.header)].into_iter().flatten();
        let of_header = |header: Value| {
            let all = altered(&header).into_iter();
            all.filter_map(|(what, header)| Some((what, self.with(beside, &header)?))).collect()
        };
        let of_beside = beside.map(|beside| {
            let all = altered(beside).into_iter();
            all.filter_map(|(what, beside)| Some((what, self.with(Some(&beside), &self.header)?))).collect()
        });
        headers.map(of_header).chain(of_beside).collect()
    }
}

/// The paths to all values in a value, itself included; of bytes, to the first.
fn paths(value: &Value, here: &str, all: &mut Vec<String>) {
    all.push(here.to_owned());
    match value {
        Value::Array(items) => {
            let are_bytes = items.len() > 2 && items.iter().all(|item| item.as_u64().is_some_and(|byte| byte < 256));
            let items = if are_bytes && !here.ends_with("malformed") { &items[..1] } else { items };
            items.iter().enumerate().for_each(|(at, item)| paths(item, &format!("{here}/{at}"), all));
        }
        Value::Object(items) => items.iter().for_each(|(key, item)| paths(item, &format!("{here}/{key}"), all)),
        _ => {}
    }
}

/// What a value may be altered to.
fn others(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => vec![json!(0), json!(5), json!(BASE / 10), json!([0, 0]), json!([1, BASE * 1_000_000_000])],
        Value::Bool(is) => vec![json!(!is)],
        Value::Number(number) => {
            let mut all = vec![json!(0), json!(1), json!(i64::MAX), json!(u64::MAX), json!(u32::MAX), json!(255)];
            if let Some(number) = number.as_i64() {
                let far =
                    [number - 1, number + 1, number - 10_000_000_000, number + 10_000_000_000, number.wrapping_mul(2)];
                all.extend(far.map(|other| json!(other)));
                all.extend([json!(-number), json!(number / 2), json!(i64::MIN), json!(i64::MIN + 1)]);
            }
            all
        }
        Value::String(_) => ["BadStamp", "TooFewFields", "TooLong", "Late"].map(|name| json!(name)).to_vec(),
        Value::Array(items) => {
            let mut all = vec![json!([]), Value::Null];
            if let [first, rest @ ..] = &items[..] {
                let last = items.last().unwrap();
                all.push(Value::Array(rest.to_vec()));
                all.push(Value::Array(items[..rest.len()].to_vec()));
                all.push(Value::Array(items.iter().rev().cloned().collect()));
                all.push(Value::Array(items.iter().chain([last]).cloned().collect()));
                all.push(Value::Array([first].into_iter().chain(items).cloned().collect()));
            }
            all
        }
        Value::Object(_) => vec![json!({})],
    }
}

/// Two in a row of the same kind that change places.
fn swapped(header: &Value, path: &str) -> Option<Value> {
    let (parent, key) = path.rsplit_once('/')?;
    let next = format!("{parent}/{}", key.parse::<usize>().ok()? + 1);
    let (one, other) = (header.pointer(path)?.clone(), header.pointer(&next)?.clone());
    let mut header = header.clone();
    *header.pointer_mut(path)? = other;
    *header.pointer_mut(&next)? = one;
    Some(header)
}

/// All headers of which one value is another, each with what was done.
fn altered(header: &Value) -> Vec<(String, Value)> {
    let (mut all, mut found) = (Vec::new(), Vec::new());
    paths(header, "", &mut all);
    for path in all {
        for other in others(header.pointer(&path).unwrap()) {
            let mut altered = header.clone();
            let what = format!("{path} = {other}");
            *altered.pointer_mut(&path).unwrap() = other;
            found.push((what, altered));
        }
        found.extend(swapped(header, &path).map(|altered| (format!("{path} and the next swapped"), altered)));
    }
    found.retain(|(_, altered)| altered != header);
    found
}

/// What becomes of it: refused, gone on from, or, which is no good, something else.
fn tried(folder: &Folder, kind: &str, (what, bytes): (&str, &[u8]), expected: u64) -> Result<bool, String> {
    let dir = tempfile::tempdir_in(if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "." }).unwrap();
    std::fs::write(dir.path().join("state.0"), bytes).unwrap();
    let mut loaded = state::peek(dir.path()).unwrap().unwrap();
    let fingerprint = loaded.fingerprint.clone();
    let sound = loaded.read(|decoder| verified(&fingerprint, decoder)).map_err(|error| error.to_string());
    let (done, ended) = mpsc::channel();
    let builder = builder(folder, kind, dir.path());
    // Only to be left alone if it hangs.
    std::thread::spawn(move || done.send(follow(builder, expected)));
    let Ok(ended) = ended.recv_timeout(LONG) else {
        return Err(format!("{what}: it panics, or has not come to an end"));
    };
    match (sound, ended) {
        (Err(verified), Err(start)) if start.exit_code() == 4 && start.to_string() == verified => Ok(false),
        (Ok(()), Ok(None)) => Ok(true),
        // Any number of 64 bits can be what was counted so far, and then there is no room for more.
        (Ok(()), Ok(Some(error))) if what.starts_with("/measures/total/amount") && error.contains("64 bits") => {
            Ok(true)
        }
        (sound, ended) => {
            Err(format!("{what}: verified: {sound:?}, run: {:?}", ended.map_err(|error| error.to_string())))
        }
    }
}

/// Tries them all, a few at a time: most of the time they wait.
fn try_all(folder: &Folder, kind: &str, alterations: &[(String, Vec<u8>)], expected: u64) -> (usize, Vec<String>) {
    let (next, gone_on) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let wrong = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                while let Some((what, bytes)) = alterations.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match tried(folder, kind, (what, bytes), expected) {
                        Ok(goes_on) => _ = gone_on.fetch_add(usize::from(goes_on), Ordering::Relaxed),
                        Err(problem) => wrong.lock().unwrap().push(problem),
                    }
                }
            });
        }
    });
    (gone_on.into_inner(), wrong.into_inner().unwrap())
}

#[test]
fn g5_a_state_of_which_one_value_is_another_is_refused_by_name_or_gone_on_from() {
    let given = std::env::var("LOGPARSER_ALTERATIONS").ok().and_then(|text| text.parse::<usize>().ok());
    let most = given.unwrap_or(MOST);
    let mut random = Random::new(std::process::id().into());
    for (name, kind) in KINDS {
        let (folder, expected) = made(kind);
        let whole = Whole::of(&folder.at("state"));
        let as_it_is = whole.with(whole.beside.as_ref(), &whole.header).unwrap();
        assert_eq!(tried(&folder, kind, ("as it is", &as_it_is), expected), Ok(true), "{name}");
        for mut alterations in whole.altered() {
            let all = alterations.len();
            while alterations.len() > most {
                alterations.swap_remove(random.below(alterations.len() as u64) as usize);
            }
            let (gone_on, wrong) = try_all(&folder, kind, &alterations, expected);
            eprintln!("{name}: {} of {all} alterations, {gone_on} of them gone on from", alterations.len());
            assert!(wrong.is_empty(), "{name}: {} wrong: {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
            assert!(gone_on > 0 && gone_on < alterations.len());
        }
    }
}

/// The header if the last result that was issued had not been written.
fn comes_again(header: &Value) -> Option<Value> {
    let last = header.pointer("/windows/issued")?.as_array()?.last()?[0].clone();
    let mut header = header.clone();
    header["windows"]["again"] = json!([[last, last]]);
    Some(header)
}

/// Some way of following: windows, delays, triggers, memory.
fn any_kind(random: &mut Random) -> String {
    let grain = [1, 5, 10][random.below(3) as usize];
    let [length, period] = [1 + random.below(4), 1 + random.below(4)].map(|times| times * grain);
    let mut kind = format!("seconds = {length}\nevery = {period}\nlateness = {}\n", random.below(20));
    let mut maybe = |line: String, one_in: u64| {
        if random.below(one_in) == 0 {
            kind += &line;
        }
    };
    maybe(format!("late-updates = {}\n", length * 3), 2);
    maybe("trigger = \"clock\"\n".to_owned(), 2);
    maybe("reports = [\"new-pairs\", \"timeline\"]\n".to_owned(), 3);
    maybe("max-jump = 30\n".to_owned(), 2);
    maybe("idle = \"100ms\"\nrotate-wait = \"100ms\"\n".to_owned(), 2);
    kind
}

/// Lines that mostly ascend from some second on: with steps back and ahead, some that are no
/// records, and silences.
fn any_lines(random: &mut Random, second: &mut i64) -> String {
    let mut text = String::new();
    for _ in 0..random.below(60) {
        *second += match random.below(30) {
            0 => 200,
            1..10 => 1,
            _ => 0,
        };
        let at = match random.below(20) {
            0 => *second - random.below(80) as i64,
            1 => *second + random.below(60) as i64,
            _ => *second,
        };
        let line = match random.below(25) {
            0 => "no record".to_owned(),
            1 => format!("{at} a b c"),
            2 => String::new(),
            _ => format!("{} a{} b{}", BASE + at, random.below(9), random.below(3)),
        };
        text += &(line + "\n");
    }
    text
}

#[test]
fn whatever_a_run_saves_is_taken_in_by_verify_and_by_a_start() {
    let seed = std::process::id().into();
    eprintln!("seed {seed}");
    let mut random = Random::new(seed);
    for _ in 0..12 {
        let (folder, kind) = (Folder::new(), any_kind(&mut random));
        let (state, mut second, mut all) = (folder.at("state"), 0, 0);
        let mut texts = [const { String::new() }; 2];
        for round in 0..4 {
            for (at, text) in texts.iter_mut().enumerate() {
                let mut own = second;
                let new = any_lines(&mut random, if at == 0 { &mut second } else { &mut own });
                all += new.lines().count() as u64;
                text.push_str(&new);
                folder.write(&format!("{at}.log"), &text);
            }
            if round == 2 {
                // One is done with, and another takes its place.
                std::fs::rename(folder.at("1.log"), folder.at("1.old.log")).unwrap();
                texts[1].clear();
            }
            assert_eq!(follow_again(|| builder(&folder, &kind, &state), all).unwrap(), None, "{kind}");
            let mut loaded = state::peek(&state).unwrap().unwrap();
            let fingerprint = loaded.fingerprint.clone();
            let verified = loaded.read(|decoder| verified(&fingerprint, decoder));
            assert!(verified.is_ok(), "{kind}: {verified:?}");
        }
    }
}
