//! Templates: texts with the fields of a line in them, as `{dst_ip}:{dst_port}/{proto}`.
//!
//! A text without braces is the name of one field. In braces stands a field, perhaps with what is
//! made of it behind: `{src_ip/24}`, `{host|lower}`; or a text in quotes, which stands for itself.
//! Not here: where fields come from. Invariant: a template that is written out reads back as the
//! same, and one with a field that a line does not have gives nothing.

use std::fmt;
use std::str::FromStr;

use super::transform::FieldTransform;

/// A text with fields in it, by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<TemplatePart<String>>,
}

/// The same, by the slots of the fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotTemplate {
    parts: Vec<TemplatePart<usize>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum TemplatePart<F> {
    Text(Vec<u8>),
    Field(F, Vec<FieldTransform>),
}

/// The most parts of a template, and the most that is made of a field.
const MOST: usize = 32;

impl Template {
    /// The names of the fields, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            TemplatePart::Field(name, _) => Some(name.as_str()),
            TemplatePart::Text(_) => None,
        })
    }

    /// The same by slots; errors with the first field that has none.
    pub fn with_slots(&self, mut slot: impl FnMut(&str) -> Option<usize>) -> Result<SlotTemplate, String> {
        let parts = self.parts.iter().map(|part| match part {
            TemplatePart::Text(text) => Ok(TemplatePart::Text(text.clone())),
            TemplatePart::Field(name, made) => {
                Ok(TemplatePart::Field(slot(name).ok_or_else(|| name.clone())?, made.clone()))
            }
        });
        Ok(SlotTemplate { parts: parts.collect::<Result<_, String>>()? })
    }
}

impl SlotTemplate {
    /// Gives its fields other slots.
    pub fn renumber(&mut self, new: impl Fn(usize) -> usize) {
        for part in &mut self.parts {
            if let TemplatePart::Field(slot, _) = part {
                *slot = new(*slot);
            }
        }
    }

    /// Whether there is no field in it.
    pub fn is_text(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, TemplatePart::Text(_)))
    }

    /// The field that it is, if it is one as it stands and nothing else.
    #[inline(always)]
    pub fn sole_field(&self) -> Option<usize> {
        match &self.parts[..] {
            [TemplatePart::Field(slot, made)] if made.is_empty() => Some(*slot),
            _ => None,
        }
    }

    /// Appends the text of a line whose fields `field` gives. Gives whether it is there: nothing is
    /// appended if a field is missing, or nothing is left of it.
    #[inline]
    pub fn write<'a>(&self, mut field: impl FnMut(usize) -> Option<&'a [u8]>, into: &mut Vec<u8>) -> bool {
        let before = into.len();
        for part in &self.parts {
            let is_there = match part {
                TemplatePart::Text(text) => {
                    into.extend_from_slice(text);
                    true
                }
                TemplatePart::Field(slot, made) => match field(*slot) {
                    Some(text) if made.is_empty() => {
                        into.extend_from_slice(text);
                        !text.is_empty()
                    }
                    Some(text) => FieldTransform::write_all(made, text, into),
                    None => false,
                },
            };
            if !is_there {
                into.truncate(before);
                return false;
            }
        }
        into.len() > before
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("expected the name of a field, or a text with fields in braces".to_owned());
        }
        if !text.contains(['{', '}']) {
            return Ok(Template { parts: vec![field(text)?] });
        }
        let (mut parts, mut rest) = (Vec::new(), text);
        while !rest.is_empty() {
            let brace = rest.find(['{', '}']).unwrap_or(rest.len());
            if brace > 0 {
                parts.push(TemplatePart::Text(rest.as_bytes()[..brace].to_vec()));
            }
            rest = &rest[brace..];
            if rest.is_empty() {
                break;
            }
            let Some(inner) = rest.strip_prefix('{') else {
                return Err("a brace is closed that was not opened; write {\"}\"} for one".to_owned());
            };
            let (part, behind) = in_braces(inner)?;
            parts.push(part);
            rest = behind;
        }
        match parts.len() > MOST {
            true => Err(format!("has more than {MOST} parts")),
            false => Ok(Template { parts }),
        }
    }
}

/// What stands in braces, the first of which is behind us, and what follows them.
fn in_braces(text: &str) -> Result<(TemplatePart<String>, &str), String> {
    if let Some(quoted) = text.strip_prefix('"') {
        let closed = quoted.split_once("\"}").filter(|(literal, _)| !literal.contains('"'));
        let (literal, behind) = closed.ok_or("a text in braces is not closed; write e.g. {\"web\"}")?;
        if literal.is_empty() {
            return Err("a text in braces is empty".to_owned());
        }
        return Ok((TemplatePart::Text(literal.as_bytes().to_vec()), behind));
    }
    let (inner, behind) = text.split_once('}').ok_or("a brace is not closed")?;
    Ok((field(inner)?, behind))
}

/// A field, with what is made of it.
fn field(text: &str) -> Result<TemplatePart<String>, String> {
    let mut parts = text.split('|');
    let (name, mut made) = of_network(parts.next().unwrap_or_default().trim());
    for part in parts {
        made.push(part.parse()?);
    }
    if name.is_empty() {
        return Err("a field has no name".to_owned());
    }
    if name.contains('"') {
        return Err("a field has a quotation mark in its name; a text in quotes is written {\"web\"}".to_owned());
    }
    match made.len() > MOST {
        true => Err(format!("makes more than {MOST} things of '{name}'")),
        false => Ok(TemplatePart::Field(name.to_owned(), made)),
    }
}

/// A name and the network behind it, as in `src_ip/24` or `src_ip/24/64`. A name that begins with a
/// slash is a JSON Pointer, of which slashes are a part.
fn of_network(text: &str) -> (&str, Vec<FieldTransform>) {
    let none = (text, Vec::new());
    if text.starts_with('/') {
        return none;
    }
    let Some((name, bits)) = text.split_once('/') else { return none };
    match format!("net:{bits}").parse() {
        Ok(network) => (name, vec![network]),
        Err(_) => none,
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [TemplatePart::Field(name, made)] = &self.parts[..]
            && made.is_empty()
            && !name.contains(['{', '}', '|', '/', '"'])
        {
            return f.write_str(name);
        }
        for part in &self.parts {
            match part {
                TemplatePart::Text(text) => {
                    let text = String::from_utf8_lossy(text);
                    if text.contains(['{', '}']) { write!(f, "{{\"{text}\"}}")? } else { f.write_str(&text)? }
                }
                TemplatePart::Field(name, made) => {
                    write!(f, "{{{name}")?;
                    made.iter().try_for_each(|one| write!(f, "|{one}"))?;
                    f.write_str("}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn made_of(template: &str, fields: &[(&str, &str)]) -> Option<String> {
        let template: Template = template.parse().unwrap();
        let by_slot = template.with_slots(|name| fields.iter().position(|(known, _)| *known == name)).ok()?;
        let mut into = b"before".to_vec();
        let is_there = by_slot.write(|slot| Some(fields[slot].1.as_bytes()), &mut into);
        assert!(is_there || into == b"before");
        is_there.then(|| String::from_utf8(into[6..].to_vec()).unwrap())
    }

    #[test]
    fn fields_and_texts_are_put_together() {
        let fields = [("ip", "10.1.2.3"), ("port", "443"), ("none", ""), ("Host", "WWW.Example.COM."), ("/a/0", "x")];
        for (template, made) in [
            ("ip", "10.1.2.3"),
            ("{ip}", "10.1.2.3"),
            ("{ip}:{port}/tcp", "10.1.2.3:443/tcp"),
            ("{ip/24}", "10.1.2.0/24"),
            ("{ip/8/32}", "10.0.0.0/8"),
            ("{Host|lower|no-dot}", "www.example.com"),
            ("{\"web\"}", "web"),
            ("{\"{}\"}{port}", "{}443"),
            ("/a/0", "x"),
            ("{/a/0}", "x"),
        ] {
            assert_eq!(made_of(template, &fields).as_deref(), Some(made), "{template}");
        }
        assert_eq!(made_of("none", &fields), None);
        assert_eq!(made_of("{ip}:{none}", &fields), None);
        assert_eq!(made_of("{ip}:{unknown}", &fields), None);
    }

    #[test]
    fn what_is_no_template_says_why() {
        for (text, said) in [
            ("", "expected the name"),
            ("{ip", "not closed"),
            ("ip}", "was not opened"),
            ("{}", "no name"),
            ("{|lower}", "no name"),
            ("{ip|nothing}", "nothing"),
            ("{\"open}", "not closed"),
            ("{\"\"}", "is empty"),
        ] {
            let message = text.parse::<Template>().unwrap_err();
            assert!(message.contains(said), "{text}: {message}");
        }
        assert!("{a}".repeat(MOST + 1).parse::<Template>().is_err());
        assert!(format!("{{a{}}}", "|lower".repeat(MOST + 1)).parse::<Template>().is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(text in r#"[a-z{}"|/:. ]{0,20}"#) {
            if let Ok(template) = text.parse::<Template>() {
                let written = template.to_string();
                prop_assert_eq!(written.parse::<Template>(), Ok(template), "{}", written);
            }
        }
    }
}
