//! Compressed inputs, through the whole program: the answer is that of what is in them; what is
//! damaged, too large or old is told; and memory stays as it is.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::support::{
    BASE, Folder, SHAPES, log, needs, peak_memory_of, program, run, run_library, run_with_input, shaped, shell, stderr,
    stdout,
};

/// What the programs write: the name of a form, the command that makes it, and its ending.
const FORMS: &[(&str, &str, &str)] = &[
    ("gzip", "gzip -c", "gz"),
    #[cfg(feature = "codecs")]
    ("zstd", "zstd -qc", "zst"),
    #[cfg(feature = "codecs")]
    ("lz4", "lz4 -qc", "lz4"),
    #[cfg(feature = "codecs")]
    ("bzip2", "bzip2 -c", "bz2"),
    #[cfg(feature = "codecs")]
    ("xz", "xz -c", "xz"),
];

/// Makes a compressed file of another, in several members. Whether there is the program.
fn pack(folder: &Folder, (name, command, _): (&str, &str, &str), from: &str, to: &str) -> bool {
    if crate::support::lacks(name).is_some() {
        return false;
    }
    let script = format!("(head -c 40000 {from} | {command}; tail -c +40001 {from} | {command}) > {to}");
    shell(folder, &script).status().unwrap().success()
}

fn answer(output: &Output) -> Value {
    assert!(!output.stdout.is_empty(), "{}", stderr(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

const QUESTION: &[&str] = &["--until", "latest", "-n", "1000", "--json"];

fn top(folder: &Folder, args: &[&str]) -> Output {
    run(folder, &[&["top"][..], args, QUESTION].concat())
}

/// A sheet without what tells a compressed input from another.
fn plain(mut result: Value) -> Value {
    result["balance"].as_object_mut().unwrap().remove("bytes_compressed");
    result
}

#[test]
fn the_answer_is_that_of_the_plain_file_for_every_form_name_shape_and_way_in() {
    let folder = Folder::new();
    folder.write("plain", log(7, 4000, 4000, 3, 40));
    let expected = answer(&top(&folder, &["plain"]));
    let mut tried = 0;
    for form in FORMS {
        // The name says something else.
        let name = if form.2 == "gz" { "packed.zst" } else { "packed.gz" };
        if !pack(&folder, *form, "plain", name) {
            continue;
        }
        tried += 1;
        let stored = folder.at(name).metadata().unwrap().len();
        let packed = std::fs::read(folder.at(name)).unwrap();
        for output in [
            top(&folder, &[name]),
            top(&folder, &[name, "--scan", "full"]),
            top(&folder, &[name, "--threads", "3"]),
            run_with_input(&folder, &[&["top", "-"], QUESTION].concat(), &packed),
            shell(&folder, &format!("cat {name} | logparser top - {}", QUESTION.join(" "))).output().unwrap(),
            shell(&folder, &format!("logparser top - {} < {name}", QUESTION.join(" "))).output().unwrap(),
        ] {
            let result = answer(&output);
            assert_eq!(output.status.code(), Some(0), "{}: {}", form.0, stderr(&output));
            assert_eq!(result["balance"]["bytes_compressed"], stored, "{}", form.0);
            assert_eq!(plain(result), expected, "{}", form.0);
        }
        let location = folder.text(name);
        for shape in SHAPES {
            let builder = shaped(shape)
                .set("location", &location)
                .set("until", "latest")
                .set("reports", r#"[{ name = "top-servers", limit = 1000 }]"#);
            let (text, summary) = run_library(builder, "json");
            let result: Value = serde_json::from_str(&text).unwrap();
            assert!(summary.failures.is_empty() && result["balance"]["bytes_compressed"] == stored, "{shape:?}");
            assert_eq!(plain(result)["reports"][0]["rows"], expected["reports"][0]["rows"], "{} {shape:?}", form.0);
        }
    }
    assert!(tried > 0, "there is no program that compresses");
}

#[test]
fn windows_that_repeat_over_many_compressed_files_are_those_over_the_plain_ones() {
    needs!("gzip");
    let folder = Folder::new();
    let all = String::from_utf8(log(3, 30_000, 30_000, 3, 30)).unwrap();
    let lines: Vec<&str> = all.lines().collect();
    std::fs::create_dir_all(folder.at("plain")).unwrap();
    std::fs::create_dir_all(folder.at("packed")).unwrap();
    // Some follow each other, and some lie beside others.
    for (file, part) in lines.chunks(1000).enumerate() {
        folder.write(&format!("plain/{file:02}"), part.join("\n") + "\n");
    }
    for side in 0..3 {
        let part: Vec<&str> = lines.iter().skip(side).step_by(3).copied().collect();
        folder.write(&format!("plain/x{side}"), part.join("\n") + "\n");
    }
    assert!(shell(&folder, "for f in plain/*; do gzip -c $f > packed/${f#plain/}; done").status().unwrap().success());
    let every = |location: &str| {
        let output = run(&folder, &["top", location, "--every", "1h", "--seconds", "2h", "-n", "5", "-o", "csv", "-q"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    let plain = every("plain");
    assert!(plain.lines().count() > 20);
    assert_eq!(every("packed"), plain);
}

#[test]
fn what_is_cut_short_or_damaged_is_counted_up_to_there_and_told_with_exit_code_1() {
    let folder = Folder::new();
    folder.write("plain", log(7, 20_000, 4000, 3, 40));
    let plain = std::fs::read(folder.at("plain")).unwrap();
    for form in FORMS {
        if !pack(&folder, *form, "plain", "whole") {
            continue;
        }
        let whole = std::fs::read(folder.at("whole")).unwrap();
        folder.write("cut", &whole[..whole.len() - 20]);
        let mut damaged = whole.clone();
        damaged.extend_from_slice(b"something else");
        folder.write("followed", &damaged);
        for (name, said) in [
            ("cut", format!("cut: its {} data is cut short at compressed byte {}", form.0, whole.len() - 20)),
            (
                "followed",
                format!("followed: what follows its {} data at compressed byte {} is none", form.0, whole.len()),
            ),
        ] {
            // Another file beside it is read all the same.
            let output = run(
                &folder,
                &["top", name, "plain", "--since", "0", "--until", "2100-01-01", "--now", "2100-01-01", "--json"],
            );
            assert_eq!(output.status.code(), Some(1), "{name} {}", form.0);
            assert!(stderr(&output).contains(&said), "{}", stderr(&output));
            let sheet = &answer(&output)["balance"];
            let number = |key: &str| sheet[key].as_u64().unwrap_or(0);
            let read = number("bytes_read") - plain.len() as u64;
            assert_eq!(number("bytes_read") + number("bytes_unread"), number("bytes_total"), "{sheet}");
            let lines = plain[..read as usize].split_inclusive(|byte| *byte == b'\n').count() as u64;
            assert_eq!((number("counted"), number("malformed")), (20_000 + lines, 0), "{name} {}", form.0);
            assert!(read >= 40_000 - 40, "the first member is whole: {read}");
            assert!(name == "cut" || lines == 20_000);
        }
    }
}

#[test]
fn empty_compressed_files_are_empty_and_rejects_stand_in_what_is_in_them() {
    needs!("gzip");
    let folder = Folder::new();
    folder.write("a", format!("{BASE} a b\nno record\n{BASE} c d\n"));
    assert!(shell(&folder, "gzip -c < /dev/null > empty.gz; gzip -kf a").status().unwrap().success());
    let output = run(&folder, &["top", "empty.gz", "a.gz", "--until", "latest", "--rejects", "bad", "--json"]);
    let sheet = &answer(&output)["balance"];
    assert_eq!((&sheet["counted"], &sheet["malformed"], &sheet["inputs"]), (&2.into(), &1.into(), &2.into()));
    let rejected = std::fs::read_to_string(folder.at("bad")).unwrap();
    assert!(
        rejected.contains(&format!("{}", BASE.to_string().len() + 5)) && rejected.contains("no record"),
        "{rejected}"
    );
    let alone = run(&folder, &["top", "empty.gz", "--until", "latest", "--json"]);
    assert_eq!((alone.status.code(), answer(&alone)["balance"]["bytes_read"].as_u64()), (Some(0), Some(0)));
}

/// Sets when a file was last written.
fn written_at(path: &Path, seconds: i64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds as u64);
    std::fs::File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
}

#[test]
fn a_file_that_was_last_written_before_the_window_is_skipped_whole_and_told() {
    needs!("gzip");
    let folder = Folder::new();
    folder.write("old", format!("{} a b\n", BASE - 10_000));
    folder.write("new", format!("{BASE} c d\n"));
    assert!(shell(&folder, "gzip -k old new").status().unwrap().success());
    let until = BASE.to_string();
    let ask = |command: &str, more: &[&str]| {
        let args =
            [&[command, "old.gz", "new.gz", "--until", &until, "--seconds", "1h", "--lateness", "5m"], more].concat();
        run(&folder, &args)
    };
    let size = folder.at("old.gz").metadata().unwrap().len();
    for (written, skipped) in [(BASE - 3900 - 1, true), (BASE - 3900, false), (BASE, false)] {
        written_at(&folder.at("old.gz"), written);
        let output = ask("top", &["--json"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let (result, said) = (answer(&output), stderr(&output));
        let told =
            said.contains("old.gz was last written before the window, and was skipped") && said.contains("--scan full");
        assert_eq!((told, &result["balance"]["bytes_skipped"]), (skipped, &(if skipped { size } else { 0 }).into()));
        assert_eq!(result["balance"]["lines_read"], if skipped { 1 } else { 2 }, "{written}: {said}");
        let explained = stdout(&ask("explain", &[]));
        assert_eq!(explained.contains("it was last written at"), skipped, "{explained}");
        assert!(explained.contains("it is compressed (gzip), and can be decompressed from its start only"));
        // Not where all is read, and not where windows repeat.
        let full = ask("top", &["--json", "--scan", "full"]);
        assert_eq!((&answer(&full)["balance"]["lines_read"], stderr(&full).contains("skipped")), (&2.into(), false));
        let every = ask("top", &["-o", "csv", "--every", "1h"]);
        assert!(!stderr(&every).contains("skipped"), "{}", stderr(&every));
    }
}

#[test]
fn a_compressed_file_is_one_portion_of_a_plan_and_of_tallies() {
    needs!("gzip");
    let folder = Folder::new();
    folder.write("plain", log(7, 20_000, 4000, 3, 40));
    assert!(pack(&folder, FORMS[0], "plain", "a.gz"));
    folder.write("old", format!("{} a b\n", BASE - 1_000_000));
    assert!(shell(&folder, "gzip -k old").status().unwrap().success());
    written_at(&folder.at("old.gz"), BASE - 900_000);
    let whole = answer(&run(&folder, &["top", "a.gz", "old.gz", "--until", "latest", "--json", "-n", "50"]));
    let planned = run(&folder, &["plan", "a.gz", "old.gz", "--until", "latest", "--max-partition", "1000"]);
    let plan = answer(&planned);
    let tasks = plan["tasks"].as_array().unwrap();
    assert_eq!(tasks.len(), 2, "{plan}");
    let mut files = Vec::new();
    for (at, task) in tasks.iter().enumerate() {
        let name = format!("{at}.tally");
        let mut args: Vec<&str> = task["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
        args.extend(["--output", &name]);
        let output = run(&folder, &args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
        files.push(name);
    }
    let report = run(&folder, &["report", "0.tally", "1.tally", "-r", "top-servers:limit=50", "--json"]);
    assert_eq!(report.status.code(), Some(0), "{}", stderr(&report));
    assert_eq!(answer(&report)["reports"][0]["rows"], whole["reports"][0]["rows"]);
    let sheets = [&answer(&report)["balance"], &whole["balance"]];
    assert_eq!(sheets[0]["bytes_total"], sheets[1]["bytes_total"]);
    for range in ["5..", "0..100"] {
        let output = run(&folder, &["partial", "a.gz", "--until", "latest", "--range", range, "--output", "x"]);
        assert!(stderr(&output).contains("a.gz: is compressed, and only all of it can be read"), "{}", stderr(&output));
    }
    // Once it is another file, it is told.
    folder.append("a.gz", "more");
    let args: Vec<&str> = tasks[0]["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
    let output = run(&folder, &[&args[..], &["--output", "y"]].concat());
    assert!(output.status.code() == Some(1) && stderr(&output).contains("plan again"), "{}", stderr(&output));
}

#[test]
fn b12_a_bomb_costs_time_and_no_memory() {
    needs!("gzip");
    let folder = Folder::new();
    let zeros = "head -c 1000000000 /dev/zero";
    for (name, bytes) in [("zeros", zeros.to_owned()), ("newlines", format!("{zeros} | tr '\\0' '\\n'"))] {
        let script = format!("{bytes} | gzip -1 > {name}.gz");
        assert!(shell(&folder, &script).status().unwrap().success());
        let mut command = program(&folder);
        command.args(["top", &format!("{name}.gz"), "--until", "2023-11-14", "--threads", "2", "--json"]);
        let (peak, output) = peak_memory_of(command);
        let sheet = answer(&output)["balance"].clone();
        let (read, skipped) = (sheet["bytes_read"].as_u64().unwrap(), sheet["bytes_skipped"].as_u64().unwrap());
        assert_eq!(read + skipped, 1_000_000_000, "{name}: {sheet}");
        assert!(peak < 64 << 10, "{name}: {peak} KiB");
        let stored = folder.at(&format!("{name}.gz")).metadata().unwrap().size();
        assert_eq!(sheet["bytes_compressed"], stored);
    }
}

#[cfg(feature = "codecs")]
#[test]
fn memory_that_is_limited_holds_decoders_too_or_is_refused() {
    needs!("zstd", "xz");
    let folder = Folder::new();
    folder.write("plain", log(7, 20_000, 4000, 3, 40));
    let script =
        "xz -9 -c plain > a.xz; zstd -q --long=27 -c plain > b.zst; zstd -q --ultra -22 --long=31 < plain > c.zst";
    assert!(shell(&folder, script).status().unwrap().success());
    // More than there may ever be.
    let output = top(&folder, &["c.zst"]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("c.zst: its zstd data cannot be decompressed: it takes 2049 MiB of memory, more than"),
        "{said}"
    );
    // As much as a limit leaves, and more.
    let refused = top(&folder, &["a.xz", "--max-memory", "64MiB", "--threads", "1"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = stderr(&refused);
    assert!(
        said.contains("decompressing the inputs takes up to 65 MiB at once, most of them a.xz; give at least"),
        "{said}"
    );
    let least = said.split("give at least ").nth(1).unwrap().split(',').next().unwrap();
    let expected = answer(&top(&folder, &["plain"]));
    let mut command = program(&folder);
    command.args([&["top", "a.xz", "--max-memory", least, "--threads", "1"], QUESTION].concat());
    let (peak, output) = peak_memory_of(command);
    assert_eq!(plain(answer(&output)), expected, "{}", stderr(&output));
    assert!(peak < 130 << 10, "{peak} KiB");
}

#[test]
fn a_compressed_file_that_cannot_be_opened_is_told_and_the_rest_is_read() {
    needs!("gzip");
    let folder = Folder::new();
    folder.write("plain", format!("{BASE} a b\n"));
    assert!(shell(&folder, "gzip -kc plain > a.gz; mkdir d.gz").status().unwrap().success());
    let output = run(&folder, &["top", "a.gz", "missing.gz", "--until", "latest", "--json"]);
    assert_eq!(answer(&output)["balance"]["counted"], 1);
    assert!(output.status.code() == Some(1) || stderr(&output).contains("missing.gz"), "{}", stderr(&output));
    // Through a pipe with a name.
    assert!(Command::new("mkfifo").arg(folder.at("pipe")).status().unwrap().success());
    let script = format!("cat a.gz > pipe & logparser top pipe {}", QUESTION.join(" "));
    let output = shell(&folder, &script).output().unwrap();
    assert_eq!(answer(&output)["balance"]["counted"], 1, "{}", stderr(&output));
}
