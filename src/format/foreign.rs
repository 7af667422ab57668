//! What lines that are not records may be: guessed from the beginnings of a few of them, to say
//! what to do.
//!
//! Not here: reading such lines. Invariant: what is said is a guess, and nothing that counts rests
//! on it; options and commands that are suggested make records of such lines, which
//! `tests/it/foreign.rs` tries on lines of each kind.

mod looks;

use looks::*;

/// A kind of lines that somebody may take for a log of this program.
#[derive(Debug, Clone, Copy)]
pub struct LineKind {
    /// What they look like, behind "they look like".
    pub name: &'static str,
    /// What to do with them.
    pub remedy: &'static str,
    /// The options with which such lines are read, if there are any; for fields that only somebody who
    /// knows the log can name, they have `TIME`, `FROM` and `TO`.
    pub options: Option<&'static str>,
    /// The command that makes records of them, if there is one: it reads `FILE`. For columns or
    /// keys that only somebody who knows the log can name, it has `TIME`, `FROM` and `TO`.
    pub command: Option<&'static str>,
    /// Whether they are not text, so that a line that is a record is one by accident.
    pub is_binary: bool,
    /// Whether these lines are of this kind: how the first lines of the inputs begin, blank ones
    /// aside.
    is: fn(&[&[u8]]) -> bool,
}

impl LineKind {
    const fn new(name: &'static str, remedy: &'static str, is: fn(&[&[u8]]) -> bool) -> Self {
        LineKind { name, remedy, options: None, command: None, is_binary: false, is }
    }

    const fn with(self, options: &'static str) -> Self {
        LineKind { options: Some(options), ..self }
    }

    const fn by(self, command: &'static str) -> Self {
        LineKind { command: Some(command), ..self }
    }

    const fn binary(self) -> Self {
        LineKind { is_binary: true, ..self }
    }

    /// Whether it is none of the table.
    pub fn is_unknown(&self) -> bool {
        self.name == UNKNOWN.name
    }

    /// What to do with them, and how.
    pub fn advice(&self) -> String {
        let options = self.options.map_or(String::new(), |options| format!("say {options}, or "));
        match self.command {
            Some(command) => format!("{options}{}: {command} | logparser ...", self.remedy),
            None => format!("{options}{}", self.remedy),
        }
    }
}

/// The form that lines have to be brought into.
const FORM: &str = "bring each into the form '<Unix time> <from> <to>'";

/// The end of an awk program that takes some lines, each with `next`: says on stderr how many
/// others there are.
macro_rules! left_out {
    () => {
        concat!(
            r#"NF { if (!n++) first = NR } "#,
            r#"END { if (n) print "lines left out: " n ", the first is line " first > "/dev/stderr" }' FILE"#
        )
    };
}

/// All kinds; of several that fit, the first one is meant.
pub const TABLE: &[LineKind] = &[
    LineKind::new("UTF-32 text", "convert it", |lines| first(lines, is_marked_wide))
        .by("iconv -f UTF-32 -t UTF-8 FILE")
        .binary(),
    LineKind::new("UTF-16 text", "convert it", |lines| first(lines, is_marked))
        .by("iconv -f UTF-16 -t UTF-8 FILE")
        .binary(),
    LineKind::new("UTF-32 text", "convert it", |lines| most(lines, is_utf32) && first(lines, is_big_end_first))
        .by("iconv -f UTF-32BE -t UTF-8 FILE")
        .binary(),
    LineKind::new("UTF-32 text", "convert it", |lines| most(lines, is_utf32))
        .by("iconv -f UTF-32LE -t UTF-8 FILE")
        .binary(),
    LineKind::new("UTF-16 text", "convert it", |lines| most(lines, is_utf16) && first(lines, is_big_end_first))
        .by("iconv -f UTF-16BE -t UTF-8 FILE")
        .binary(),
    LineKind::new("UTF-16 text", "convert it", |lines| most(lines, is_utf16))
        .by("iconv -f UTF-16LE -t UTF-8 FILE")
        .binary(),
    LineKind::new("compressed data", "pipe it in, decompressed by what made it", |lines| first(lines, is_compressed))
        .binary(),
    LineKind::new("binary data", "name the text log that it was made of", |lines| {
        first(lines, is_binary_at_once) || most(lines, is_binary)
    })
    .binary(),
    LineKind::new("lines that end with a carriage return alone", "end them with a newline", |lines| {
        most(lines, is_returned)
    })
    .by("tr '\\r' '\\n' < FILE"),
    LineKind::new("a log of Zeek in JSON", "take three fields of it", |lines| most(lines, is_zeek_json))
        .with("--format zeek-conn-json")
        .by(r#"jq -r '"\(.ts) \(."id.orig_h") \(."id.resp_h")"' FILE"#),
    LineKind::new(
        "a log of Zeek in JSON, its times as text",
        "take three fields of it, the time as Unix time",
        |lines| most(lines, is_zeek_json_text),
    )
    .with("--format zeek-conn-json")
    .by(concat!(
        r#"jq -r '(if .ts | endswith("Z") then "\(.ts[:19] + "Z" | fromdate)\(.ts[19:-1])" else .ts end) + "#,
        r#"" \(."id.orig_h") \(."id.resp_h")"' FILE"#
    )),
    LineKind::new("JSON in a container's log", "take three fields of it, the time as Unix time", |lines| {
        most(lines, is_cri_json)
    })
    .with("--envelope cri --format jsonl --time TIME --from FROM --to TO")
    .by(r#"cut -d ' ' -f 4- FILE | jq -r '[.TIME, .FROM, .TO] | join(" ")'"#),
    LineKind::new("a list in JSON", "take three fields of each, the time as Unix time", |lines| {
        first(lines, |line| line.trim_ascii_start().starts_with(b"[")) && most(lines, is_json)
    })
    .by(r#"jq -r '.[] | [.TIME, .FROM, .TO] | join(" ")' FILE"#),
    LineKind::new("JSON", "take three fields of it, the time as Unix time", |lines| most(lines, is_json_object))
        .with("--format jsonl --time TIME --from FROM --to TO")
        .by(r#"jq -r '[.TIME, .FROM, .TO] | join(" ")' FILE"#),
    LineKind::new("JSON", "take three fields of it, the time as Unix time", |lines| most(lines, is_json))
        .by(r#"jq -r '[.TIME, .FROM, .TO] | join(" ")' FILE"#),
    LineKind::new("a log of Zeek", "take three columns of it", |lines| some(lines, is_zeek_head))
        .with("--format zeek-conn")
        .by(r"awk -F '\t' '!/^#/ { print $1, $3, $5 }' FILE"),
    LineKind::new("a log of Zeek", "take three columns of it", |lines| most(lines, is_zeek))
        .with("--format tsv --time 1 --from 3 --to 5")
        .by(r"awk -F '\t' '!/^#/ { print $1, $3, $5 }' FILE"),
    LineKind::new(
        "a log of Zeek that has no hosts where conn.log has them",
        "take its columns of time, from and to, or, if it has ts, id.orig_h and id.resp_h, say --format zeek-conn",
        |lines| first(lines, |line| line.starts_with(b"#separator")),
    ),
    LineKind::new("a VPC flow log", "take three fields of it", |lines| some(lines, |line| is_vpc(line, 0)))
        .with("--format vpc-flow")
        .by("awk '$4 ~ /[.:]/ { print $11, $4, $5 }' FILE"),
    LineKind::new("a VPC flow log with times in front", "take three fields of it", |lines| {
        some(lines, |line| is_vpc(line, 1))
    })
    .by("awk '$5 ~ /[.:]/ { print $12, $5, $6 }' FILE"),
    LineKind::new("a VPC flow log of a form of its own", "take three fields of it, by their names", |lines| {
        first(lines, |line| [&b"srcaddr"[..], b"dstaddr", b"start"].iter().all(|name| fields(line).any(|f| f == *name)))
    })
    .with("--format vpc-flow")
    .by(concat!(
        r#"awk 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } "#,
        r#"$at["srcaddr"] != "-" { print $at["start"], $at["srcaddr"], $at["dstaddr"] }' FILE"#
    )),
    LineKind::new("XML or HTML", FORM, |lines| {
        most(lines, |line| line.trim_ascii_start().starts_with(b"<") && !is_syslog(line.trim_ascii_start()))
    }),
    LineKind::new("a log of HAProxy", "take client and server of it, here with its times as UTC", |lines| {
        some(lines, is_haproxy) && most(lines, |line| is_haproxy(line) || is_syslog(line) || is_web(line))
    })
    .with("--format haproxy (in syslog with --envelope syslog)")
    .by(concat!(
        r"TZ=UTC awk '{ for (i = 2; i < NF - 1; i++) if ($i ~ /^\[[0-9]+\/[A-Z]/ && $(i + 2) ~ /\//) { ",
        r#"split(substr($i, 2), t, /[\/:.\]]/); sub(/:[0-9]+$/, "", $(i - 1)); "#,
        r#"m = (index("JanFebMarAprMayJunJulAugSepOctNovDec", t[2]) + 2) / 3; "#,
        r#"print mktime(t[3] " " m " " t[1] " " t[4] " " t[5] " " t[6]), $(i - 1), $(i + 2) } }' FILE"#
    )),
    LineKind::new(
        "a log of a web server or proxy",
        "if it is none of these, bring each line into the form '<Unix time> <client> <server>'",
        |lines| most(lines, is_web),
    )
    .with("--format combined, common, vhost-combined or vhost-common (in syslog with --envelope syslog)"),
    LineKind::new(
        "syslog",
        "take what connects to what out of the message, and bring each line into the form '<Unix time> <from> <to>'",
        |lines| most(lines, is_syslog),
    )
    .with("--format iptables for packets that a firewall logs, --format sshd for logins"),
    LineKind::new("logfmt (key=value)", FORM, |lines| most(lines, is_logfmt))
        .with("--format logfmt --time TIME --from FROM --to TO"),
    LineKind::new("a log of Squid", "where URLs have blanks, take three fields of it", |lines| most(lines, is_squid))
        .with("--format squid")
        .by(concat!(
            r#"awk '$(NF - 1) ~ /^[A-Z_]+\// { split($(NF - 1), to, "/"); if (to[2] != "-") print $1, $3, to[2]; next } "#,
            left_out!()
        )),
    LineKind::new("what tcpdump prints", "take time and addresses of it, without their ports", |lines| {
        most(lines, is_tcpdump) && all(lines, |line| !is_tcpdump(line) || is_tcpdump_of_numbers(line))
    })
    .with("--format tcpdump for the first packet of each TCP connection")
    .by(concat!(
        "awk 'function host(a,  n) { sub(/:$/, \"\", a); n = split(a, part, \".\"); ",
        r#"if (n == 5 || a ~ /:/ && n == 2) sub(/\.[0-9]+$/, "", a); return a } "#,
        r#"$4 == ">" && $3 $5 ~ /^[0-9a-f.:]+$/ { print $1, host($3), host($5); next } "#,
        left_out!()
    )),
    LineKind::new(
        "what tcpdump prints with names, whose ends may be ports",
        "have it print numbers (tcpdump -n -tt)",
        |lines| most(lines, is_tcpdump),
    ),
    LineKind::new(
        "CSV, fields of it in quotes",
        "take its columns of time, from and to, with a program that reads CSV",
        |lines| {
            some(lines, |line| line.contains(&b'"'))
                && [b',', b';', b'|'].iter().any(|by| most(lines, |line| is_timed(line, *by)))
        },
    )
    .with("--format csv --time TIME --from FROM --to TO, if commas stand between them"),
    LineKind::new(
        "CSV",
        "take its columns of time, from and to; if these are the first three and no field is in quotes",
        |lines| most(lines, |line| is_timed(line, b',')),
    )
    .with("--format csv --time TIME --from FROM --to TO")
    .by(concat!(r#"awk -F , '!/"/ { print $1, $2, $3; next } "#, left_out!())),
    LineKind::new(
        "CSV with semicolons",
        "take its columns of time, from and to; if these are the first three and no field is in quotes",
        |lines| most(lines, |line| is_timed(line, b';')),
    )
    .by(concat!(r#"awk -F ';' '!/"/ { print $1, $2, $3; next } "#, left_out!())),
    LineKind::new(
        "columns with bars between them",
        "take those of time, from and to; if these are the first three and no field is in quotes",
        |lines| most(lines, |line| is_timed(line, b'|')),
    )
    .by(concat!(r#"awk -F ' *[|] *' '!/"/ { print $1, $2, $3; next } "#, left_out!())),
    LineKind::new("CSV", "take its columns of time (as Unix time), from and to, in this order", |lines| {
        [b',', b';', b'|'].iter().any(|separator| most(lines, |line| is_separated(line, *separator)))
    })
    .with("--format csv --time TIME --from FROM --to TO, if commas stand between them"),
    LineKind::new("lines that begin with a date", "write it as Unix time", |lines| all(lines, is_universal))
        .with("--format plain --time-form rfc3339")
        .by(concat!(
            r#"TZ=UTC awk '{ t = $1; gsub(/[-T:Z]/, " ", t); t = mktime(t) } "#,
            r#"NF == 3 && strftime("%Y-%m-%dT%H:%M:%SZ", t) == $1 { print t, $2, $3; next } "#,
            left_out!()
        )),
    LineKind::new(
        "lines that begin with a date",
        "write it as Unix time, as date -d does or mktime in gawk, and bring each into the form '<Unix time> <from> <to>'",
        |lines| most(lines, is_dated),
    ),
    LineKind::new("lines whose time stands last", "put it first", |lines| {
        most(lines, |line| fields(line).count() == 3 && fields(line).next_back().is_some_and(is_unix))
    })
    .by("awk '{ print $3, $1, $2 }' FILE"),
    LineKind::new("lines whose time does not stand first", "take three fields of it, by their numbers", |lines| {
        most(lines, |line| !is_timed_first(line) && fields(line).count() >= 3 && fields(line).any(is_unix))
    })
    .by("awk '{ print $TIME, $FROM, $TO }' FILE"),
    LineKind::new("lines with an arrow between their hosts", "take time and hosts of it", |lines| {
        most(lines, |line| {
            is_timed_first(line) && fields(line).nth(2).is_some_and(is_arrow) && fields(line).count() > 3
        })
    })
    .by(concat!(r#"awk '$3 ~ /^([-=]*>|→)$/ && NF > 3 { print $1, $2, $4; next } "#, left_out!())),
    LineKind::new(
        "lines with more fields than the three of '<Unix time> <from> <to>'",
        "take three of them; if these are the first",
        |lines| {
            most(lines, |line| is_timed_first(line) && fields(line).count() > 3)
                && all(lines, |line| {
                    fields(line).skip(1).take(2).all(|field| field.iter().any(u8::is_ascii_alphanumeric))
                })
        },
    )
    .by("awk '{ print $1, $2, $3 }' FILE"),
    LineKind::new(
        "lines with more fields than the three of '<Unix time> <from> <to>'",
        "take those of time, from and to",
        |lines| most(lines, |line| is_stamp(line) && fields(line).count() > 3),
    ),
    LineKind::new(
        "lines with fewer fields than the three of '<Unix time> <from> <to>'",
        "each needs a time, who connected, and to whom",
        |lines| most(lines, |line| is_stamp(line) && fields(line).count() < 3),
    ),
];

/// What is neither of these.
const UNKNOWN: LineKind = LineKind::new("nothing that is known here", FORM, |_| true);

/// The kind of these lines, of each of which this is the start.
pub fn kind(lines: &[&[u8]]) -> LineKind {
    let without_mark = lines.iter().map(|line| line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line));
    let lines: Vec<&[u8]> = without_mark.filter(|line| !line.trim_ascii().is_empty()).collect();
    TABLE.iter().find(|kind| (kind.is)(&lines)).copied().unwrap_or(UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn most_lines_decide_and_blank_ones_do_not() {
        assert_eq!(kind(&[b"header", b"1700000000,b,c", b"", b"1700000001,2,3"]).name, "CSV");
        assert_eq!(kind(&[b"1700000000,b,c", b"header"]).name, UNKNOWN.name);
        assert_eq!(kind(&[b"\xef\xbb\xbf{\"a\": 1}"]).name, "JSON");
        assert_eq!(kind(&[]).name, UNKNOWN.name);
    }

    proptest! {
        #[test]
        fn any_bytes_are_of_some_kind(lines in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..6)) {
            let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
            prop_assert!(!kind(&lines).advice().is_empty());
        }
    }
}
