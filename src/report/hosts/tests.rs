//! Names of addresses: what is read, what is shown, what is meant.

use std::num::NonZeroUsize;

use proptest::prelude::*;

use super::super::context::ReportContext;
use super::super::entry;
use super::super::laws::view_of;
use super::*;
use crate::model::{Balance, Column};
use crate::options::{Options, Value};
use crate::report::Search;

fn names(text: &str) -> HostNames {
    HostNames::read("f", text.as_bytes()).unwrap()
}

fn refused(text: &[u8]) -> String {
    HostNames::read("f", text).unwrap_err().to_string()
}

/// Hosts as they are shown together.
fn shown(names: &HostNames, hosts: &[&str]) -> Vec<String> {
    let mut hosts: Vec<Vec<u8>> = hosts.iter().map(|host| host.as_bytes().to_vec()).collect();
    names.name_all(hosts.iter_mut().collect());
    hosts.into_iter().map(|host| String::from_utf8(host).unwrap()).collect()
}

fn meant(names: &HostNames, asked: &str) -> Option<String> {
    names.meant(asked).unwrap().map(|meant| String::from_utf8(meant.text()).unwrap())
}

#[test]
fn lines_are_read_whatever_blanks_and_comments_they_have() {
    let text = "\u{feff}# head\r\n\n \t\r\n10.0.0.1\tweb1 www#x\r\n  10.0.0.2 \u{b}\u{c} db\n2001:DB8:0::1 six # y\nfe80::1%lo0 lo\n::1 l";
    let names = names(text);
    let hosts = ["10.0.0.1", "10.0.0.2:1", "[2001:db8::1]:443", "fe80::1%lo0", "fe80::1", "::1", "10.0.0.3"];
    assert_eq!(shown(&names, &hosts), ["web1", "db:1", "six:443", "lo", "fe80::1", "l", "10.0.0.3"]);
    assert_eq!(meant(&names, "www").as_deref(), Some("10.0.0.1"));
    assert_eq!((meant(&names, "x"), meant(&names, "y")), (None, None));
}

#[test]
fn a_broken_line_says_where_what_and_how_to_mend_it() {
    let form = "a line is ADDRESS NAME [ALIAS...], and # begins a comment";
    for (line, said) in [
        ("web1 10.0.0.1", format!("'web1' is no address; {form}")),
        ("10.0.0.0/24 net", format!("'10.0.0.0/24' is no address; {form}")),
        ("010.0.0.1 a", format!("'010.0.0.1' is no address; {form}")),
        ("10.0.0.1%eth0 a", format!("'10.0.0.1%eth0' is no address; {form}")),
        ("10.0.0.1", format!("'10.0.0.1' has no name behind it; {form}")),
        ("10.0.0.1 # a", format!("'10.0.0.1' has no name behind it; {form}")),
        ("a\u{1b}[2J b", format!("'a\\x1b[2J' is no address; {form}")),
        (
            "::1 a b\u{202e}",
            "the name 'b\\xe2\\x80\\xae' has characters that cannot be shown; take them out".to_owned(),
        ),
    ] {
        assert_eq!(refused(format!("::1 a\n{line}\n").as_bytes()), format!("f:2: {said}"));
    }
    assert!(refused(b"::1 a\xff").contains("'a\\xff' has characters that cannot be shown"));
    for name in ["a:1", "a/b", "a(b", "a)", "[a", "a]", "10.0.0.2", "::2"] {
        let said = refused(format!("::1 b {name}").as_bytes());
        assert!(said.starts_with(&format!("f:1: the name '{name}' would be taken for something else; ")), "{said}");
    }
    // A message is no longer for a line that is.
    assert!(refused(&[b'x'; 5000]).len() < 200);
}

#[test]
fn the_first_line_of_an_address_decides_and_all_its_names_mean_it() {
    let names = names("10.0.0.1 web1 Alias\n10.0.0.1 other\n10.0.0.1 web1");
    assert_eq!(shown(&names, &["10.0.0.1"]), ["web1"]);
    for asked in ["web1", "WEB1", "alias", "other", "10.0.0.1"] {
        assert_eq!(meant(&names, asked).as_deref(), Some("10.0.0.1"), "{asked}");
    }
    assert_eq!(meant(&names, "Other:443/tcp").as_deref(), Some("10.0.0.1:443/tcp"));
    assert_eq!(meant(&names, "web"), None);
}

#[test]
fn a_name_of_several_addresses_is_shown_with_the_address_and_is_no_answer() {
    let names = names("10.0.0.1 web\n10.0.0.2 WEB\n::1 web\n10.0.0.3 db web4\n10.0.0.4 web4");
    let hosts = ["10.0.0.1", "10.0.0.2:443/tcp", "[::1]:53/udp", "10.0.0.3", "10.0.0.4"];
    let expected = ["web (10.0.0.1)", "WEB (10.0.0.2):443/tcp", "web (::1):53/udp", "db", "web4 (10.0.0.4)"];
    assert_eq!(shown(&names, &hosts), expected);
    let said = names.meant("Web:443/tcp").unwrap_err();
    assert_eq!(said.exit_code(), 2);
    let listed = "10.0.0.1, 10.0.0.2 and ::1";
    assert_eq!(
        said.to_string(),
        format!("'Web' is a name of 3 addresses of the file of hosts: {listed}; ask about one of them")
    );
    assert_eq!(meant(&names, "web (10.0.0.1)").as_deref(), Some("10.0.0.1"));
    assert_eq!(meant(&names, "web (10.0.0.3)"), None, "that is not its name");
    let many: String = (1..=20).map(|at| format!("10.0.0.{at} a\n")).collect();
    let said = HostNames::read("f", many.as_bytes()).unwrap().meant("a").unwrap_err().to_string();
    assert!(said.contains("10.0.0.7, 10.0.0.8 and 12 more;"), "{said}");
}

#[test]
fn hosts_that_would_have_one_text_are_told_apart_where_they_are_shown_together() {
    let names = names("2001:db8::1 six\n10.0.0.1 web\n10.0.0.2 a\n::1 a");
    assert_eq!(shown(&names, &["2001:DB8:0::1"]), ["six"]);
    assert_eq!(shown(&names, &["2001:DB8:0::1", "10.0.0.9", "2001:DB8:0::1"]), ["six", "10.0.0.9", "six"]);
    let both = shown(&names, &["2001:DB8:0::1:1/tcp", "[2001:DB8:0::1]:1/tcp", "2001:db8::1"]);
    assert_eq!(both, ["six (2001:DB8:0::1):1/tcp", "six ([2001:DB8:0::1]):1/tcp", "six"]);
    for asked in &both[..2] {
        assert_eq!(meant(&names, asked).as_deref(), Some("[2001:db8::1]:1/tcp"), "{asked}");
    }
    // What a log calls so itself keeps its text.
    assert_eq!(shown(&names, &["web", "10.0.0.1", "web:1", "10.0.0.1:2"]), ["web", "web (10.0.0.1)", "web:1", "web:2"]);
    assert_eq!(shown(&names, &["::1", "[::1]"]), ["a (::1)", "a ([::1])"]);
}

#[test]
fn only_hosts_in_the_rows_of_a_report_are_named() {
    let rows = vec![vec![Cell::Count(1), Cell::Host(b"10.0.0.1".to_vec())]];
    let mut report = Report::table("10.0.0.1", [Column::count("n"), Column::host("host")], rows);
    let mut named = report.clone();
    names("10.0.0.1 web").name(&mut named);
    report.rows[0][1] = Cell::Host(b"web".to_vec());
    assert_eq!(named, report);
}

/// The rows of a report about a host, with its title.
fn about(
    report: &str,
    asked: &str,
    names: Option<&HostNames>,
    pairs: &[(&str, &str, u64)],
) -> (String, Vec<Vec<Cell>>) {
    let (view, entry, mut options) = (view_of(pairs), entry(report).unwrap(), Options::defaults(&[]));
    options.set("host", Value::Text(asked.to_owned()));
    let (window, balance) = (view.window(), Balance::default());
    let (options, balance) = (&options, &balance);
    let context = ReportContext { name: report, options, window, balance, threads: NonZeroUsize::MIN, hosts: names };
    let made = entry.maker.make(&context, &view, window.end).unwrap();
    let mut search = Search::of(entry, options, names).unwrap().unwrap();
    search.look(&context, &view, &made, (0, false)).unwrap();
    assert_eq!(search.hint().is_some(), made.rows.is_empty());
    (String::from_utf8(made.title).unwrap(), made.rows)
}

#[test]
fn a_name_means_its_address_however_the_log_writes_it() {
    let names = names("2001:db8::1 six\n10.0.0.1 web");
    let (low, high) = ("2001:db8::1", "2001:DB8:0::1");
    let pairs = [("a", low, 1), ("a", high, 2), ("b", high, 4), (high, "c", 8), (low, high, 16), ("a", "10.0.0.1", 32)];
    let row = |host: &str, counts: &[u64]| {
        [Cell::Host(host.as_bytes().to_vec())]
            .into_iter()
            .chain(counts.iter().map(|n| Cell::Count(*n)))
            .collect::<Vec<_>>()
    };
    for asked in ["six", "SIX", low, high] {
        let (title, rows) = about("connected-to", asked, Some(&names), &pairs);
        let expected = [row(low, &[16]), row("a", &[3]), row("b", &[4])];
        assert_eq!((&title[..], &rows[..]), ("List of connected hosts to six", &expected[..]), "{asked}");
        let (title, rows) = about("connected-from", asked, Some(&names), &pairs);
        assert_eq!((&title[..], rows), ("List of connections from six", vec![row(high, &[16]), row("c", &[8])]));
        let (title, rows) = about("peers", asked, Some(&names), &pairs);
        let expected = [row(low, &[16, 16, 16]), row("a", &[3, 3, 0]), row("b", &[4, 4, 0]), row("c", &[8, 0, 8])];
        assert_eq!((&title[..], &rows[..]), ("Peers of six", &expected[..]), "{asked}");
    }
    assert_eq!(about("connected-to", "web", Some(&names), &pairs).1, [row("a", &[32])]);
    // Without a file, a host is the text that it is.
    assert_eq!(about("connected-to", low, None, &pairs).1, [row("a", &[1])]);
    assert_eq!(about("connected-to", "six", None, &pairs).1, Vec::<Vec<Cell>>::new());
}

#[test]
fn a_host_that_is_nowhere_is_told_with_its_address_and_a_slip_with_the_name() {
    let names = names("10.0.0.1 web1\n10.0.0.2 db");
    let hint = |asked: &str| {
        let (view, entry, mut options) =
            (view_of(&[("10.0.0.11", "x", 1)]), entry("connected-to").unwrap(), Options::default());
        options.set("host", Value::Text(asked.to_owned()));
        let (window, balance) = (view.window(), Balance::default());
        let (name, options, balance) = ("connected-to", &options, &balance);
        let context = ReportContext { name, options, window, balance, threads: NonZeroUsize::MIN, hosts: Some(&names) };
        let mut search = Search::of(entry, options, Some(&names)).unwrap().unwrap();
        let made = entry.maker.make(&context, &view, window.end).unwrap();
        search.look(&context, &view, &made, (0, false)).unwrap();
        search.hint().unwrap()
    };
    assert_eq!(hint("web1"), "nothing connects to 'web1' (10.0.0.1) in the window");
    assert_eq!(hint("wbe1"), "nothing connects to 'wbe1' in the window; did you mean 'web1'?");
    assert_eq!(hint("10.0.0.1"), "nothing connects to '10.0.0.1' in the window; did you mean '10.0.0.11'?");
}

fn host() -> impl Strategy<Value = String> {
    let address = proptest::sample::select(vec![
        "10.0.0.1",
        "10.0.0.2",
        "10.0.0.3",
        "::1",
        "0:0::1",
        "[::1]",
        "[0::1]",
        "2001:db8::1",
        "2001:DB8::1",
        "fe80::1%a",
        "web",
    ]);
    (address, proptest::sample::select(vec!["", ":443", ":443/tcp", ":53/udp"])).prop_map(|(a, b)| format!("{a}{b}"))
}

proptest! {
    /// Whatever has which names.
    #[test]
    fn no_two_hosts_have_one_text_and_each_is_asked_about_as_it_is_shown(
        file in proptest::collection::vec((0usize..6, proptest::collection::vec("(web|Web|db|a)", 1..3)), 0..6),
        hosts in proptest::collection::vec(host(), 1..12),
    ) {
        let addresses = ["10.0.0.1", "10.0.0.2", "::1", "2001:db8::1", "fe80::1%a", "fe80::1"];
        let text: String = file.iter().map(|(at, names)| format!("{} {}\n", addresses[*at], names.join(" "))).collect();
        let names = names(&text);
        let shown = shown(&names, &hosts.iter().map(String::as_str).collect::<Vec<_>>());
        for (host, text) in hosts.iter().zip(&shown) {
            for (other, again) in hosts.iter().zip(&shown) {
                prop_assert_eq!(host == other, text == again, "{} {}", host, other);
            }
            if text != host {
                let asked = names.meant(host).unwrap();
                prop_assert!(asked.is_some());
                prop_assert_eq!(names.meant(text).ok().flatten(), asked, "{}", text);
            }
        }
    }

    #[test]
    fn any_bytes_are_a_file_or_are_refused_in_one_line(bytes: Vec<u8>, lines in "([0-9a-f:.# \t]{0,12}\n?){0,8}") {
        for text in [&bytes[..], lines.as_bytes()] {
            if let Err(error) = HostNames::read("f", text) {
                prop_assert!(!error.to_string().contains(crate::model::escape::is_hostile), "{}", error);
            }
        }
    }
}
