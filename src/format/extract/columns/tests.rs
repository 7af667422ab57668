//! Columns against plain loops and the crate csv.

use super::*;
use crate::format::extract::{ExtractScratch, Extractor};
use proptest::prelude::*;

type Columned = Result<Vec<Vec<u8>>, Misfit>;

const fn spec(separator: Separator, quotes: Quotes) -> ColumnsSpec {
    ColumnsSpec { separator, quotes, trim: false, trailing: false }
}

const fn padded(separator: Separator, quotes: Quotes) -> ColumnsSpec {
    ColumnsSpec { separator, quotes, trim: true, trailing: true }
}

fn split(spec: &ColumnsSpec, line: &[u8]) -> Columned {
    Columns::split(spec, line).map(|columns| columns.into_iter().map(Cow::into_owned).collect())
}

/// All columns, by way of an extractor that is asked for the first few, from the last to the first.
fn extracted(spec: &ColumnsSpec, line: &[u8], fields: &mut Fields) -> Columned {
    let wanted: Vec<usize> = (0..line.len() + 2).rev().collect();
    Extractor::Columns(Columns::new(spec.clone(), &wanted, None)).extract(
        line,
        fields,
        &mut ExtractScratch::default(),
    )?;
    let all: Vec<Option<&[u8]>> = (0..wanted.len()).rev().map(|slot| fields.get(slot, line)).collect();
    let count = all.iter().position(Option::is_none).unwrap();
    assert!(all[count..].iter().all(Option::is_none), "{all:?}");
    Ok(all[..count].iter().flatten().map(|column| column.to_vec()).collect())
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn trimmed(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !is_blank(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}

/// A separator at the beginning of the text: how long it is.
fn separator(spec: &ColumnsSpec, text: &[u8]) -> Option<usize> {
    match &spec.separator {
        Separator::Blanks => Some(text.iter().take_while(|byte| is_blank(byte)).count()).filter(|length| *length > 0),
        Separator::Byte(byte) => (text.first() == Some(byte)).then_some(1),
        Separator::Text(separator) => (!separator.is_empty() && text.starts_with(separator)).then_some(separator.len()),
    }
}

/// The column in quotes that the text begins with, if it begins so: its content, and what is behind.
fn quoted(quotes: Quotes, text: &[u8]) -> Option<Result<(Vec<u8>, usize), ()>> {
    let closing = match (quotes, text.first()?) {
        (Quotes::Csv | Quotes::Web, b'"') => b'"',
        (Quotes::Web, b'[') => b']',
        _ => return None,
    };
    let mut content = Vec::new();
    let mut at = 1;
    loop {
        match (text.get(at), text.get(at + 1)) {
            (None, _) => return Some(Err(())),
            (Some(b'"'), Some(b'"')) if quotes == Quotes::Csv => {
                content.push(b'"');
                at += 2;
            }
            (Some(byte), _) if *byte == closing => return Some(Ok((content, at + 1))),
            (Some(b'\\'), Some(next)) if quotes == Quotes::Web && closing == b'"' => {
                content.extend([b'\\', *next]);
                at += 2;
            }
            (Some(byte), _) => {
                content.push(*byte);
                at += 1;
            }
        }
    }
}

/// The same, byte by byte.
fn oracle(spec: &ColumnsSpec, line: &[u8]) -> Columned {
    let mut at = 0;
    if spec.separator == Separator::Blanks {
        at = separator(spec, line).unwrap_or(0);
        if at == line.len() {
            return Ok(Vec::new());
        }
    }
    let mut columns: Vec<Vec<u8>> = Vec::new();
    loop {
        let length =
            |from: usize| (from..line.len()).find(|at| separator(spec, &line[*at..]).is_some()).unwrap_or(line.len());
        let end = length(at);
        let lead = if spec.trim { line[at..].iter().take_while(|byte| is_blank(byte)).count() } else { 0 };
        let quote = at + lead;
        let in_quotes = if lead == 0 || end >= quote { quoted(spec.quotes, &line[quote..]) } else { None };
        let was_quoted = in_quotes.is_some();
        let end = match in_quotes {
            None => {
                columns.push(if spec.trim { trimmed(&line[at..end]) } else { &line[at..end] }.to_vec());
                end
            }
            Some(Err(())) => return Err(MisfitKind::UnclosedQuote.at(quote)),
            Some(Ok((content, behind))) => {
                columns.push(content);
                let end = length(quote + behind);
                let between = &line[quote + behind..end];
                if !(between.is_empty() || spec.trim && between.iter().all(is_blank)) {
                    return Err(MisfitKind::TextAfterQuote.at(quote + behind));
                }
                end
            }
        };
        let behind = separator(spec, &line[end..]);
        at = end + behind.unwrap_or(0);
        if behind.is_none() || spec.separator == Separator::Blanks && at == line.len() {
            let is_announced = spec.trailing && !was_quoted && columns.len() > 1;
            if is_announced && columns.last().is_some_and(Vec::is_empty) {
                columns.pop();
            }
            return Ok(columns);
        }
    }
}

#[test]
fn each_kind_of_line_is_told() {
    use MisfitKind::{TextAfterQuote, UnclosedQuote};
    let bars = || Separator::Byte(b'|');
    let tabs = || Separator::Byte(b'\t');
    let web = || spec(Separator::Blanks, Quotes::Web);
    let csv = || spec(Separator::Byte(b','), Quotes::Csv);
    let words = |text: &str| Separator::Text(text.as_bytes().to_vec());
    type Case<'a> = (ColumnsSpec, &'a [u8], Result<&'a [&'a str], Misfit>);
    let cases: &[Case<'_>] = &[
        (spec(Separator::Blanks, Quotes::None), b"  a\t b  c ", Ok(&["a", "b", "c"])),
        (spec(Separator::Blanks, Quotes::None), b"", Ok(&[])),
        (spec(Separator::Blanks, Quotes::None), b" \t ", Ok(&[])),
        (spec(Separator::Blanks, Quotes::None), b"a \"b c\"", Ok(&["a", "\"b", "c\""])),
        (spec(tabs(), Quotes::None), b"a\t\tb c\t", Ok(&["a", "", "b c", ""])),
        (spec(tabs(), Quotes::None), b"", Ok(&[""])),
        (spec(tabs(), Quotes::None), b"a\0\t\0", Ok(&["a\0", "\0"])),
        (padded(bars(), Quotes::None), b"  a |b c|  |\t", Ok(&["a", "b c", ""])),
        (padded(bars(), Quotes::None), b"a|b|", Ok(&["a", "b"])),
        (padded(bars(), Quotes::None), b"a|b", Ok(&["a", "b"])),
        (padded(bars(), Quotes::None), b"a|b||", Ok(&["a", "b", ""])),
        (padded(bars(), Quotes::None), b"|", Ok(&[""])),
        (padded(bars(), Quotes::None), b" ", Ok(&[""])),
        (padded(bars(), Quotes::Csv), b"a|\"\"", Ok(&["a", ""])),
        (padded(tabs(), Quotes::Csv), b"\t \"a\tb\" \t\tc", Ok(&["", "a\tb", "", "c"])),
        (csv(), br#"a,"b,c",d"e"#, Ok(&["a", "b,c", "d\"e"])),
        (csv(), br#""a ""b""",""""""#, Err(UnclosedQuote.at(10))),
        (csv(), br#""a ""b""","""""""#, Ok(&["a \"b\"", "\"\""])),
        (csv(), br#""a"b,c"#, Err(TextAfterQuote.at(3))),
        (csv(), br#""a" ,c"#, Err(TextAfterQuote.at(3))),
        (csv(), br#" "a,c"#, Ok(&[" \"a", "c"])),
        (csv(), br#"a,"b"#, Err(UnclosedQuote.at(2))),
        (padded(Separator::Byte(b','), Quotes::Csv), br#" "a,b" , c , "#, Ok(&["a,b", "c"])),
        (padded(Separator::Byte(b','), Quotes::Csv), br#" "a" b,"#, Err(TextAfterQuote.at(4))),
        (
            web(),
            br#"192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "GET /a\"b HTTP/1.0" 200 - "" "x\\""#,
            Ok(&["192.0.2.1", "-", "-", "10/Oct/2000:13:55:36 -0700", r#"GET /a\"b HTTP/1.0"#, "200", "-", "", r"x\\"]),
        ),
        (web(), br#"[a\] "b]""#, Ok(&[r"a\", "b]"])),
        (web(), br#"a"b [c"#, Err(UnclosedQuote.at(4))),
        (web(), br#""a\""#, Err(UnclosedQuote.at(0))),
        (web(), br#""a\"#, Err(UnclosedQuote.at(0))),
        (web(), b"[::1]:80 x", Err(TextAfterQuote.at(5))),
        (spec(Separator::Byte(b' '), Quotes::Web), b"[a b]  c", Ok(&["a b", "", "c"])),
        (spec(words("::"), Quotes::None), b"a:b:::c::", Ok(&["a:b", ":c", ""])),
        (spec(words(""), Quotes::None), b"a b", Ok(&["a b"])),
        (spec(words(";"), Quotes::None), b"a;b", Ok(&["a", "b"])),
        (padded(words(" | "), Quotes::Csv), b"a   | \" | \" | b |  ", Ok(&["a", " | ", "b"])),
    ];
    let mut fields = Fields::default();
    for (spec, line, expected) in cases {
        let expected = expected.map(|columns| columns.iter().map(|column| column.as_bytes().to_vec()).collect());
        assert_eq!(oracle(spec, line), expected, "the oracle on {} by {spec:?}", line.escape_ascii());
        assert_eq!(split(spec, line), expected, "{} by {spec:?}", line.escape_ascii());
        assert_eq!(extracted(spec, line, &mut fields), expected, "{} by {spec:?}", line.escape_ascii());
    }
}

#[test]
fn columns_are_counted() {
    use MisfitKind::{TooFewFields, TooManyFields, UnclosedQuote};
    let extract = |spec: ColumnsSpec, count, line: &[u8]| {
        let mut fields = Fields::default();
        Extractor::Columns(Columns::new(spec, &[0], Some(count))).extract(
            line,
            &mut fields,
            &mut ExtractScratch::default(),
        )?;
        Ok(fields.get(0, line).map(<[u8]>::to_vec))
    };
    let commas = || spec(Separator::Byte(b','), Quotes::Csv);
    let a = || Ok(Some(b"a".to_vec()));
    assert_eq!(extract(commas(), 3, b"a,b,c"), a());
    assert_eq!(extract(commas(), 3, b"a,b"), Err(TooFewFields.at(3)));
    assert_eq!(extract(commas(), 3, b"a,b,c,d,\""), Err(TooManyFields.at(6)));
    assert_eq!(extract(commas(), 3, b"a,b,c,"), Err(TooManyFields.at(6)));
    assert_eq!(extract(commas(), 3, b"a,b,\"c"), Err(UnclosedQuote.at(4)));
    assert_eq!(extract(commas(), 3, b""), Err(TooFewFields.at(0)));
    assert_eq!(extract(padded(Separator::Byte(b'|'), Quotes::None), 2, b"a|b|"), a());
    assert_eq!(extract(padded(Separator::Byte(b'|'), Quotes::None), 2, b"a|b| "), a());
    assert_eq!(extract(padded(Separator::Byte(b'|'), Quotes::None), 2, b"a|b"), a());
    assert_eq!(extract(padded(Separator::Byte(b'|'), Quotes::None), 2, b"a|b||"), Err(TooManyFields.at(4)));
    assert_eq!(extract(spec(Separator::Blanks, Quotes::None), 2, b" a  b "), a());
    assert_eq!(extract(spec(Separator::Blanks, Quotes::None), 1, b" a  b "), Err(TooManyFields.at(4)));
    assert_eq!(extract(spec(Separator::Blanks, Quotes::None), 0, b" "), Ok(None));
}

#[test]
fn a_column_may_be_asked_for_twice() {
    let columns = Columns::new(spec(Separator::Byte(b','), Quotes::Csv), &[2, 0, 2, 7], None);
    let mut fields = Fields::default();
    let line = br#"a,b,"c""d""#;
    assert_eq!(Extractor::Columns(columns).extract(line, &mut fields, &mut ExtractScratch::default()), Ok(()));
    let all: Vec<Option<&[u8]>> = (0..5).map(|slot| fields.get(slot, line)).collect();
    assert_eq!(all, [Some(&b"c\"d"[..]), Some(b"a"), Some(b"c\"d"), None, None]);
}

#[test]
fn quotes_are_checked_whatever_is_asked_for() {
    for wanted in [&[][..], &[0], &[5]] {
        let columns = Columns::new(spec(Separator::Blanks, Quotes::Web), wanted, None);
        let extracted =
            Extractor::Columns(columns).extract(b"a b \"c", &mut Fields::default(), &mut ExtractScratch::default());
        assert_eq!(extracted, Err(MisfitKind::UnclosedQuote.at(4)));
    }
}

#[test]
fn long_fields_and_many_are_read() {
    let mut fields = Fields::default();
    let long = [&b"\""[..], &b"x\"\"".repeat(400_000), b"\","].concat();
    let columns = extracted_few(&spec(Separator::Byte(b','), Quotes::Csv), &long, &mut fields);
    assert_eq!(columns, Ok(vec![b"x\"".repeat(400_000), Vec::new()]));
    let many = b",".repeat(1_000_000);
    let counted = |count| {
        let columns = Columns::new(spec(Separator::Byte(b','), Quotes::None), &[], Some(count));
        Extractor::Columns(columns).extract(&many, &mut Fields::default(), &mut ExtractScratch::default())
    };
    assert_eq!(counted(1_000_001), Ok(()));
    assert_eq!(counted(1_000_000), Err(MisfitKind::TooManyFields.at(1_000_000)));
}

fn extracted_few(spec: &ColumnsSpec, line: &[u8], fields: &mut Fields) -> Columned {
    Extractor::Columns(Columns::new(spec.clone(), &[0, 1], None)).extract(
        line,
        fields,
        &mut ExtractScratch::default(),
    )?;
    Ok((0..2).filter_map(|slot| fields.get(slot, line)).map(<[u8]>::to_vec).collect())
}

#[test]
fn columns_compare_by_what_they_are() {
    let commas = || Columns::new(spec(Separator::Byte(b','), Quotes::None), &[1], Some(2));
    assert_eq!(commas(), commas());
    assert_ne!(commas(), Columns::new(spec(Separator::Byte(b','), Quotes::None), &[1], None));
    assert_ne!(commas(), Columns::new(spec(Separator::Byte(b','), Quotes::Csv), &[1], Some(2)));
    assert_ne!(commas(), Columns::new(spec(Separator::Byte(b','), Quotes::None), &[0], Some(2)));
}

fn any_spec() -> impl Strategy<Value = ColumnsSpec> {
    let separator = prop_oneof![
        Just(Separator::Blanks),
        prop::sample::select(&b",\t \"|[\0"[..]).prop_map(Separator::Byte),
        prop::sample::select(&["", ",", ", ", "::", " | ", "aa"][..])
            .prop_map(|text| Separator::Text(text.as_bytes().to_vec())),
    ];
    let quotes = prop::sample::select(&[Quotes::None, Quotes::Csv, Quotes::Web][..]);
    (separator, quotes, any::<bool>(), any::<bool>()).prop_map(|(separator, quotes, trim, trailing)| ColumnsSpec {
        separator,
        quotes,
        trim,
        trailing,
    })
}

fn any_line() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop::sample::select(&b",,\t  \"\"\\[]|:a\0\xff"[..]);
    let part = prop_oneof![
        6 => proptest::collection::vec(byte, 0..6),
        1 => (0usize..90).prop_map(|length| vec![b'x'; length]),
        1 => Just(br#""x","#.to_vec()),
    ];
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn columns_are_those_of_a_loop(spec in any_spec(), line in any_line(), count in 0usize..8) {
        let expected = oracle(&spec, &line);
        prop_assert_eq!(&split(&spec, &line), &expected);
        prop_assert_eq!(&extracted(&spec, &line, &mut Fields::default()), &expected);
        // What comes first from the left is told.
        let counted = Columns::new(spec, &[], Some(count));
        let counted = Extractor::Columns(counted).extract(&line, &mut Fields::default(), &mut ExtractScratch::default()).map_err(|misfit| misfit.what);
        match expected {
            Ok(columns) if columns.len() == count => prop_assert_eq!(counted, Ok(())),
            Ok(columns) if columns.len() < count => prop_assert_eq!(counted, Err(MisfitKind::TooFewFields)),
            Ok(_) => prop_assert_eq!(counted, Err(MisfitKind::TooManyFields)),
            Err(misfit) => {
                prop_assert!(counted == Err(misfit.what) || counted == Err(MisfitKind::TooManyFields));
            }
        }
    }

    #[test]
    fn any_columns_may_be_asked_for(
        spec in any_spec(),
        line in any_line(),
        wanted in proptest::collection::vec(0usize..12, 0..6),
    ) {
        let mut fields = Fields::default();
        let columns = Columns::new(spec.clone(), &wanted, None);
        let extracted = Extractor::Columns(columns).extract(&line, &mut fields, &mut ExtractScratch::default());
        match oracle(&spec, &line) {
            Err(misfit) => prop_assert_eq!(extracted, Err(misfit)),
            Ok(columns) => {
                prop_assert_eq!(extracted, Ok(()));
                for (slot, column) in wanted.iter().enumerate() {
                    prop_assert_eq!(fields.get(slot, &line), columns.get(*column).map(Vec::as_slice));
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_split(spec in any_spec(), line in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(split(&spec, &line), oracle(&spec, &line));
    }

    #[test]
    fn what_csv_writes_is_read(
        columns in proptest::collection::vec("[a,\" é]{0,70}", 1..8),
        separator in prop::sample::select(&b",;\t|"[..]),
        always in any::<bool>(),
    ) {
        let style = if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
        let mut writer = csv::WriterBuilder::new().delimiter(separator).quote_style(style).from_writer(Vec::new());
        writer.write_record(&columns).unwrap();
        let written = writer.into_inner().unwrap();
        let line = written.strip_suffix(b"\n").unwrap();
        let columns: Vec<Vec<u8>> = columns.into_iter().map(String::into_bytes).collect();
        prop_assert_eq!(split(&spec(Separator::Byte(separator), Quotes::Csv), line), Ok(columns));
    }

    #[test]
    fn what_fits_is_what_csv_reads(line in any_line()) {
        let spec = spec(Separator::Byte(b','), Quotes::Csv);
        let Ok(columns) = split(&spec, &line) else { return Ok(()) };
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&line[..]);
        match reader.byte_records().next() {
            Some(record) => prop_assert_eq!(columns, record.unwrap().iter().map(<[u8]>::to_vec).collect::<Vec<_>>()),
            None => prop_assert!(line.is_empty()),
        }
    }
}
