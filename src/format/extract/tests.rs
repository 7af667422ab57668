//! What holds for all extractors.

use super::*;
use proptest::prelude::*;

/// One of each kind, with as many slots as it says.
fn extractors() -> Vec<(Extractor, usize)> {
    let spec = |separator, quotes| ColumnsSpec { separator, quotes, trim: false, trailing: false };
    let paths = ["a", "a.b", "/a/0"].map(|path| FieldPath::parse(path).unwrap());
    let regex = regex::bytes::Regex::new("(?-u)(?<a>[ab]+)(?<b>,)?").unwrap();
    vec![
        (Extractor::Columns(Columns::new(spec(Separator::Blanks, Quotes::Web), &[1, 0], None)), 2),
        (Extractor::Columns(Columns::new(spec(Separator::Byte(b','), Quotes::Csv), &[0], Some(2))), 1),
        (Extractor::Json(JsonFields::new(&paths)), 3),
        (Extractor::KeyVal(KeyVal::new(&["a", "b"])), 2),
        (Extractor::Regex(Pattern::new(regex, &["a", "b"]).unwrap()), 2),
    ]
}

fn places(fields: &Fields, line: &[u8]) -> Vec<Option<Vec<u8>>> {
    (0..fields.places.len() + 1).map(|slot| fields.get(slot, line).map(<[u8]>::to_vec)).collect()
}

const KNOWN: &[&[u8]] = &[
    br#"{"a":{"b":"\n"}}"#,
    br#"{"a":["\u0041"]"#,
    b"a=\"\\n\" b=c",
    br#""a""b""#,
    b"a,\"b\"\"c\"",
    b"[x] \"y\"",
    b" ",
    b",",
];

fn any_line() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(KNOWN);
    let part = prop_oneof![known.prop_map(<[u8]>::to_vec), proptest::collection::vec(any::<u8>(), 0..40)];
    proptest::collection::vec(part, 0..4).prop_map(|parts| parts.concat())
}

#[test]
fn names_of_misfits_are_unique() {
    use MisfitKind::*;
    let all = [
        TooFewFields,
        TooManyFields,
        UnclosedQuote,
        TextAfterQuote,
        NotJson,
        NotAnObject,
        TooDeep,
        NoPairs,
        NoMatch,
        NotSyslog,
        NotCri,
        NoMessage,
        PartOfALine,
        TooLong,
    ];
    let names: std::collections::BTreeSet<&str> = all.iter().map(|kind| kind.text()).collect();
    assert_eq!(names.len(), all.len());
}

#[test]
fn extractors_are_cheap_to_clone_and_go_to_other_threads() {
    fn is_free<T: Send + Sync + Clone>(_: &T) {}
    for (extractor, _) in extractors() {
        is_free(&extractor);
        assert_eq!(extractor.clone(), extractor);
        assert_eq!(extractors().iter().filter(|(other, _)| *other == extractor).count(), 1);
    }
    assert!(size_of::<Extractor>() <= 16);
}

proptest! {
    #[test]
    fn lines_do_not_depend_on_those_before(lines in proptest::collection::vec(any_line(), 1..6)) {
        let (mut kept, mut scratch) = (Fields::default(), ExtractScratch::default());
        for line in &lines {
            for (extractor, slots) in extractors() {
                let mut fresh = Fields::default();
                let expected = extractor.extract(line, &mut fresh, &mut ExtractScratch::default());
                prop_assert_eq!(extractor.extract(line, &mut kept, &mut scratch), expected);
                prop_assert_eq!(places(&kept, line), places(&fresh, line));
                prop_assert_eq!(kept.places.len(), slots);
                match expected {
                    Ok(()) => prop_assert!(kept.unescaped.len() <= line.len()),
                    Err(misfit) => {
                        prop_assert!(misfit.at <= line.len());
                        prop_assert!(kept.places.iter().all(|place| *place == FieldPlace::Absent));
                    }
                }
            }
        }
    }
}
