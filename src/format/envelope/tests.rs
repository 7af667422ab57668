//! Envelopes as programs write them, and what is nearly one.

use super::*;
use proptest::prelude::*;

/// Message, time, host and program.
type Texts = [Option<String>; 4];

fn texts(envelope: Envelope, line: &[u8]) -> Result<Texts, Misfit> {
    let mut unescaped = b"of the line before".to_vec();
    let OpenedLine { message, time, host, program, .. } = envelope.open(line, &mut unescaped)?;
    Ok([message, time, host, program].map(|place| {
        let text = place.of(line, &unescaped)?;
        Some(String::from_utf8_lossy(text).into_owned())
    }))
}

fn agree(envelope: Envelope, cases: &[(&str, [&str; 4])]) {
    for (line, expected) in cases {
        let expected = expected.map(|text| (text != "-").then(|| text.to_owned()));
        assert_eq!(texts(envelope, line.as_bytes()), Ok(expected), "{line}");
    }
}

fn refuse(envelope: Envelope, cases: &[(&str, MisfitKind, usize)]) {
    for (line, what, at) in cases {
        assert_eq!(texts(envelope, line.as_bytes()), Err(what.at(*at)), "{line}");
    }
}

#[test]
fn without_an_envelope_the_line_is_the_message() {
    agree(Envelope::None, &[("a b", ["a b", "-", "-", "-"]), ("", ["", "-", "-", "-"])]);
}

#[test]
fn syslog_as_in_files_is_opened() {
    let stamp = "Oct 11 22:14:15";
    agree(
        Envelope::Syslog,
        &[
            ("Oct 11 22:14:15 gate sshd[77]: Accepted x", ["Accepted x", stamp, "gate", "sshd"]),
            ("<34>Oct 11 22:14:15 gate su: no", ["no", stamp, "gate", "su"]),
            ("<0>Oct 11 22:14:15 gate su: no", ["no", stamp, "gate", "su"]),
            ("<191>Oct 11 22:14:15 gate su: no", ["no", stamp, "gate", "su"]),
            ("Oct  1 22:14:15 gate kernel: [  1.5] IN=eth0", ["[  1.5] IN=eth0", "Oct  1 22:14:15", "gate", "kernel"]),
            ("Oct 1 22:14:15 gate kernel:  x ", [" x ", "Oct 1 22:14:15", "gate", "kernel"]),
            ("Oct 11 22:14:15.123456 gate a/b[1]:x", ["x", "Oct 11 22:14:15.123456", "gate", "a/b"]),
            ("Oct 11 22:14:15 gate haproxy[7]: ::1:80 [x]", ["::1:80 [x]", stamp, "gate", "haproxy"]),
            ("Oct 11 22:14:15 gate 192.0.2.1:80 [x] y", ["192.0.2.1:80 [x] y", stamp, "gate", "-"]),
            ("Oct 11 22:14:15 192.0.2.1 last message repeated", ["last message repeated", stamp, "192.0.2.1", "-"]),
            ("Oct 11 22:14:15 2001:db8:: kernel:[1] x", ["kernel:[1] x", stamp, "2001:db8::", "-"]),
            ("Oct 11 22:14:15 fe80::1 a[1] b", ["a[1] b", stamp, "fe80::1", "-"]),
            ("Oct 11 22:14:15 gate a[1 2]: b", ["a[1 2]: b", stamp, "gate", "-"]),
            ("Oct 11 22:14:15 gate a[1", ["a[1", stamp, "gate", "-"]),
            ("Oct 11 22:14:15 gate su(x)[1]:", ["", stamp, "gate", "su(x)"]),
            ("Oct 11 22:14:15 gate kernel:", ["", stamp, "gate", "kernel"]),
            ("Oct 11 22:14:15 gate", ["", stamp, "gate", "-"]),
            ("Oct 11 22:14:15 sshd[1]: no host", ["no host", stamp, "-", "sshd"]),
            ("Oct 11 22:14:15 kernel: no host", ["no host", stamp, "-", "kernel"]),
            ("2023-10-11T22:14:15.003+02:00 gate sshd[1]: x", ["x", "2023-10-11T22:14:15.003+02:00", "gate", "sshd"]),
            ("2023-10-11T22:14:15+0200 gate a: x", ["x", "2023-10-11T22:14:15+0200", "gate", "a"]),
            ("<13>2023-10-11T22:14:15Z gate a: x", ["x", "2023-10-11T22:14:15Z", "gate", "a"]),
        ],
    );
    use MisfitKind::NotSyslog;
    refuse(
        Envelope::Syslog,
        &[
            ("", NotSyslog, 0),
            ("<", NotSyslog, 0),
            ("<192>Oct 11 22:14:15 a b", NotSyslog, 0),
            ("<0000>Oct 11 22:14:15 a b", NotSyslog, 0),
            ("<99999999999999999999>Oct 11 22:14:15 a b", NotSyslog, 0),
            ("<>Oct 11 22:14:15 a b", NotSyslog, 0),
            ("<5 Oct 11 22:14:15 a b", NotSyslog, 0),
            ("<5>hello", NotSyslog, 3),
            ("Okt 11 22:14:15 a b", NotSyslog, 0),
            ("Oct11 22:14:15 a b", NotSyslog, 0),
            ("Oct   1 22:14:15 a b", NotSyslog, 0),
            ("Oct 111 22:14:15 a b", NotSyslog, 0),
            ("Oct 11 22:14 a b", NotSyslog, 0),
            ("Oct 11 22:14:15", NotSyslog, 15),
            ("Oct 11 22:14:15x a b", NotSyslog, 0),
            ("2023-10-11 22:14:15 a b", NotSyslog, 0),
            ("2023-10-11T22:14:15x a b", NotSyslog, 0),
            ("192.0.2.1 - - [10/Oct/2000:13:55:36 -0700]", NotSyslog, 0),
        ],
    );
}

#[test]
fn a_line_of_syslog_may_stand_for_several() {
    let several = |message: &str| {
        ["Oct 11 22:14:15 gate sshd[7]: ", "Oct 11 22:14:15 gate ", "<34>1 2003-10-11T22:14:15.003Z gate sshd 7 - - "]
            .map(|front| {
                let line = format!("{front}{message}");
                let opened = Envelope::Syslog.open(line.as_bytes(), &mut Vec::new()).unwrap();
                let text = |place: FieldPlace| {
                    place.of(line.as_bytes(), b"").map(|text| String::from_utf8(text.to_vec()).unwrap())
                };
                assert_eq!(text(opened.host).as_deref(), Some("gate"), "{line}");
                (text(opened.message).unwrap(), text(opened.repeats))
            })
    };
    for (message, inner, times) in [
        ("message repeated 5 times: [ Failed x]", "Failed x", "5"),
        ("message repeated 999999999 times: [a [b] ]", "a [b] ", "999999999"),
        ("message repeated 10 times: []", "", "10"),
        ("message repeated 2 times: [ message repeated 3 times: [ x]]", "message repeated 3 times: [ x]", "2"),
    ] {
        for found in several(message) {
            assert_eq!(found, (inner.to_owned(), Some(times.to_owned())), "{message}");
        }
    }
    for message in [
        "message repeated 0 times: [ x]",
        "message repeated 05 times: [ x]",
        "message repeated 1000000000 times: [ x]",
        "message repeated times: [ x]",
        "message repeated 2 times: [ x",
        "message repeated 2 times: x]",
        "a message repeated 2 times: [ x]",
        "last message repeated 2 times",
    ] {
        for found in several(message) {
            assert_eq!(found, (message.to_owned(), None));
        }
    }
}

#[test]
fn syslog_as_in_rfc_5424_is_opened() {
    let stamp = "2003-10-11T22:14:15.003Z";
    agree(
        Envelope::Syslog,
        &[
            (
                "<34>1 2003-10-11T22:14:15.003Z gate.example.org su - ID47 - \u{feff}'su root' failed",
                ["'su root' failed", stamp, "gate.example.org", "su"],
            ),
            ("1 2003-10-11T22:14:15.003Z gate a 1 - - x", ["x", stamp, "gate", "a"]),
            ("<1>1 - - - - - -", ["", "-", "-", "-"]),
            ("<1>1 - - - - - - ", ["", "-", "-", "-"]),
            (
                r#"<165>1 2003-10-11T22:14:15.003Z gate a - - [x@1 k="a\]\"]" l="\\"][y] [z] m"#,
                ["[z] m", stamp, "gate", "a"],
            ),
            (r#"1 - gate a - - [x k="["]"#, ["", "-", "gate", "a"]),
        ],
    );
    use MisfitKind::{NotSyslog, UnclosedQuote};
    refuse(
        Envelope::Syslog,
        &[
            ("1 ", NotSyslog, 2),
            ("1 yesterday gate a - - - x", NotSyslog, 2),
            ("1 - gate a - -", NotSyslog, 13),
            ("1 - gate a - - ", NotSyslog, 15),
            ("1 -  a - - - x", NotSyslog, 4),
            ("1 - gate a - - message", NotSyslog, 15),
            ("1 - gate a - - -x", NotSyslog, 16),
            (r#"1 - gate a - - [x k="]"#, UnclosedQuote, 15),
            (r#"1 - gate a - - [x k="\"#, UnclosedQuote, 15),
            (r#"1 - gate a - - [x]y"#, NotSyslog, 18),
            ("2 - gate a - - - x", NotSyslog, 0),
        ],
    );
}

#[test]
fn containers_lines_are_opened() {
    let stamp = "2024-05-01T10:00:00.123456789+02:00";
    agree(
        Envelope::Cri,
        &[
            (&format!("{stamp} stdout F a b"), ["a b", stamp, "-", "-"]),
            (&format!("{stamp} stderr F "), ["", stamp, "-", "-"]),
            (&format!("{stamp} stderr F"), ["", stamp, "-", "-"]),
            (&format!("{stamp} stdout F:x {{\"a\":1}}"), ["{\"a\":1}", stamp, "-", "-"]),
            ("2024-05-01T10:00:00Z stdout F  x", [" x", "2024-05-01T10:00:00Z", "-", "-"]),
        ],
    );
    use MisfitKind::{NotCri, PartOfALine};
    refuse(
        Envelope::Cri,
        &[
            ("", NotCri, 0),
            ("2024-05-01T10:00:00Z", NotCri, 20),
            ("2024-05-01T10:00:00Z stdout", NotCri, 27),
            ("2024-05-01T10:00:00Z stdlog F x", NotCri, 21),
            ("2024-05-01T10:00:00Z stdout P x", PartOfALine, 28),
            ("2024-05-01T10:00:00Z stdout P:x x", PartOfALine, 28),
            ("2024-05-01T10:00:00Z stdout X x", NotCri, 28),
            ("2024-05-01T10:00:00Z stdout FP x", NotCri, 28),
            ("2024-05-01 stdout F x", NotCri, 0),
        ],
    );
}

#[test]
fn docker_lines_are_opened() {
    let stamp = "2024-05-01T10:00:00.5Z";
    agree(
        Envelope::DockerJson,
        &[
            (&format!(r#"{{"log":"a \"b\"\n","stream":"stdout","time":"{stamp}"}}"#), ["a \"b\"", stamp, "-", "-"]),
            (&format!(r#"{{"time":"{stamp}","attrs":{{"log":"x"}},"log":"\r\n"}}"#), ["", stamp, "-", "-"]),
            (r#"{"log":"a\n\r\n"}"#, ["a\n", "-", "-", "-"]),
            (r#"{"log":"a\u000a"}"#, ["a", "-", "-", "-"]),
            (r#"{"log":"x\n","log":"y\n"}"#, ["y", "-", "-", "-"]),
        ],
    );
    use MisfitKind::{NoMessage, NotAnObject, NotJson, PartOfALine};
    refuse(
        Envelope::DockerJson,
        &[
            (r#"{"log":"a","time":"x"}"#, PartOfALine, 9),
            (r#"{"log":""}"#, PartOfALine, 8),
            (r#"{"log":"a\t"}"#, PartOfALine, 13),
            (r#"{"log":7}"#, NoMessage, 9),
            (r#"{"log":null}"#, NoMessage, 12),
            (r#"{"log":{"log":"\n"}}"#, NoMessage, 20),
            (r#"{"message":"a\n"}"#, NoMessage, 17),
            (r#"{"log":"a\n""#, NotJson, 12),
            (r#"["log"]"#, NotAnObject, 0),
        ],
    );
}

fn word() -> impl Strategy<Value = String> {
    "[a-z0-9.:_]{1,8}".prop_filter("a dash is nothing", |word| word != "-")
}

proptest! {
    #[test]
    fn what_is_wrapped_as_in_rfc_5424_is_unwrapped(
        priority in proptest::option::of(0u8..=191),
        words in [word(), word(), word(), word()],
        values in proptest::collection::vec(".{0,8}", 0..3),
        message in ".{0,30}",
    ) {
        let escaped = |value: &String| value.replace('\\', r"\\").replace('"', "\\\"").replace(']', r"\]");
        let element = |value| format!("[x y=\"{}\" z=\"\"]", escaped(value));
        let elements = if values.is_empty() { "-".to_owned() } else { values.iter().map(element).collect() };
        let priority = priority.map(|priority| format!("<{priority}>")).unwrap_or_default();
        let [host, program, process, kind] = &words;
        let stamp = "2003-10-11T22:14:15.003Z";
        let line = format!("{priority}1 {stamp} {host} {program} {process} {kind} {elements} {message}");
        // rsyslog writes one blank more.
        let message = message.strip_prefix(' ').unwrap_or(&message);
        let message = message.strip_prefix('\u{feff}').unwrap_or(message).to_owned();
        let expected = [message, stamp.to_owned(), host.clone(), program.clone()].map(Some);
        prop_assert_eq!(texts(Envelope::Syslog, line.as_bytes()), Ok(expected));
    }

    #[test]
    fn what_is_wrapped_as_in_files_is_unwrapped(
        day in 1u8..=31,
        host in "[a-z0-9.]{1,8}",
        program in "[a-zA-Z0-9/_.()-]{1,8}",
        process in proptest::option::of("[0-9]{1,5}"),
        message in ".{0,30}",
    ) {
        let process = process.map(|process| format!("[{process}]")).unwrap_or_default();
        let stamp = format!("Feb {day:2} 01:02:03");
        let line = format!("{stamp} {host} {program}{process}: {message}");
        prop_assert_eq!(texts(Envelope::Syslog, line.as_bytes()), Ok([message, stamp, host, program].map(Some)));
    }

    #[test]
    fn what_docker_wraps_is_unwrapped(message in any::<String>(), first in any::<bool>()) {
        let log = format!("\"log\":{}", serde_json::to_string(&format!("{message}\n")).unwrap());
        let line = if first { format!("{{{log},\"time\":\"t\"}}") } else { format!("{{\"time\":\"t\",{log}}}") };
        let message = message.strip_suffix('\r').unwrap_or(&message).to_owned();
        prop_assert_eq!(texts(Envelope::DockerJson, line.as_bytes()), Ok([Some(message), Some("t".to_owned()), None, None]));
    }

    #[test]
    fn any_bytes_are_told(
        head in prop::sample::select(&[
            "", "<1>", "1 ", "<1>1 - - - - - [x ", "Oct 11 22:14:15 ", "Oct ", "2003-10-11T22:14:15Z ",
            "2003-10-11T22:14:15Z stdout F", "{\"log\":\"", "Oct 11 22:14:15 a message repeated 2 times: [",
        ][..]),
        tail in proptest::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(&b" :[]\"\\-{}<>,"[..])], 0..40),
    ) {
        let line = [head.as_bytes(), &tail].concat();
        for envelope in [Envelope::None, Envelope::Syslog, Envelope::Cri, Envelope::DockerJson] {
            let mut unescaped = Vec::new();
            match envelope.open(&line, &mut unescaped) {
                Ok(opened) => {
                    prop_assert!(opened.message.of(&line, &unescaped).is_some());
                    for place in [opened.time, opened.host, opened.program, opened.repeats] {
                        let text = place.of(&line, &unescaped);
                        prop_assert!(place == FieldPlace::Absent || text.is_some());
                    }
                }
                Err(misfit) => prop_assert!(misfit.at <= line.len()),
            }
        }
    }
}
