//! What a text that names a file looks like, before anybody looks for the file.

/// The scheme that a text begins with as addresses do, e.g. `s3` of `s3://bucket/x`. Nothing is
/// read from one; a file that is called so is written `./s3://x`.
pub fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once("://")?;
    let letter = scheme.starts_with(|first: char| first.is_ascii_alphabetic());
    let rest = scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    (letter && rest).then_some(scheme)
}

/// Why a text that begins with a scheme names no file, and what to do.
pub fn no_file(scheme: &str) -> String {
    let remedy = match scheme.to_ascii_lowercase().as_str() {
        "file" => "write the path alone",
        _ => "copy or mount it, or pipe it in",
    };
    format!("{scheme}:// is no place that is read ({remedy}; a file that is called so is ./{scheme}://...)")
}

/// The names of the outputs, which stand before a path where results go.
pub const OUTPUT_NAMES: [&str; 3] = ["text", "json", "csv"];

/// Why a text is no path of something that is written to in one format, and what to do: it begins
/// with the name of a format.
pub fn no_format(text: &str) -> Option<String> {
    let (name, path) = text.split_once(':')?;
    OUTPUT_NAMES.contains(&name).then(|| {
        format!(
            "{name}: stands before paths of results only; write {path} alone, and a file that is called so as ./{text}"
        )
    })
}

/// Why a text that begins with a scheme names nothing that is written to, and what to do.
pub fn no_target(scheme: &str) -> String {
    let remedy = match scheme.to_ascii_lowercase().as_str() {
        "file" => "write the path alone",
        _ => "write a file, and copy it there",
    };
    format!("{scheme}:// is no place that is written to ({remedy}; a file that is called so is ./{scheme}://...)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_written_to_is_named_with_the_remedy() {
        assert!(no_target("s3").starts_with("s3:// is no place that is written to (write a file, and copy it there;"));
        assert!(no_target("FILE").contains("(write the path alone; a file that is called so is ./FILE://...)"));
    }

    #[test]
    fn schemes_are_told_from_names() {
        for (text, expected) in [
            ("s3://bucket/x", Some("s3")),
            ("hdfs://host:1/x*.log", Some("hdfs")),
            ("HTTPS://x", Some("HTTPS")),
            ("git+ssh://x", Some("git+ssh")),
            ("file:///x", Some("file")),
            ("x://", Some("x")),
            ("./s3://x", None),
            ("/s3://x", None),
            ("a b://x", None),
            ("3s://x", None),
            ("://x", None),
            ("s3:/x", None),
            ("*.log", None),
            ("-", None),
        ] {
            assert_eq!(scheme(text), expected, "{text}");
        }
    }
}
