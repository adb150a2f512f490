//! XML as far as S3 needs it: elements with text.

use std::fmt::Write;

/// What an XML document begins with.
pub(super) const PROLOGUE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// The namespace of S3's documents.
pub(super) const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Adds an element with this text.
pub(super) fn element(to: &mut String, name: &str, text: &str) {
    // Writing to a text does not fail.
    let _ = write!(to, "<{name}>{}</{name}>", escape(text));
}

/// A document of one element whose content is XML.
pub(super) fn document(name: &str, content: &str) -> String {
    format!("{PROLOGUE}<{name} xmlns=\"{NAMESPACE}\">{content}</{name}>")
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if c.is_control() => {
                let _ = write!(escaped, "&#{};", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// An element of a document that was read: its name, its text, and the elements in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    /// The text of the first element of that name.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        let child = self.children.iter().find(|child| child.name == name)?;
        Some(&child.text)
    }
}

/// Reads a document; `None` if it is not well-formed, or has what S3's requests do not have, such as a document type.
pub(super) fn parse(text: &str) -> Option<Element> {
    let mut rest = text.trim_start_matches('\u{feff}').trim();
    if let Some(prologue) = rest.strip_prefix("<?xml") {
        rest = prologue.split_once("?>")?.1;
    }
    let mut open = vec![Element::default()];
    while !rest.is_empty() {
        let (before, tag) = rest.split_once('<')?;
        let (tag, after) = tag.split_once('>')?;
        open.last_mut()?.text.push_str(&unescape(before)?);
        rest = after.trim_end();
        if let Some(name) = tag.strip_prefix('/') {
            let closed = open.pop()?;
            if closed.name != name.trim_end() {
                return None;
            }
            let text = closed.text.trim().to_owned();
            open.last_mut()?.children.push(Element { text, ..closed });
            continue;
        }
        let empty = tag.ends_with('/');
        let name = tag.trim_end_matches('/').split_whitespace().next()?;
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        let element = Element {
            name: name.to_owned(),
            ..Element::default()
        };
        if empty {
            open.last_mut()?.children.push(element);
        } else {
            open.push(element);
        }
    }
    let mut document = open.pop().filter(|_| open.is_empty())?;
    let root = document.children.pop()?;
    (document.children.is_empty() && document.text.trim().is_empty()).then_some(root)
}

fn unescape(text: &str) -> Option<String> {
    let mut unescaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, entity)) = rest.split_once('&') {
        let (entity, after) = entity.split_once(';')?;
        unescaped.push_str(before);
        unescaped.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let number = entity.strip_prefix('#')?;
                let code = match number.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)?
            }
        });
        rest = after;
    }
    unescaped.push_str(rest);
    Some(unescaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_as_it_was_written() {
        let mut content = String::new();
        element(&mut content, "Key", "a<b>&\"c\"\n");
        let read = parse(&document("Result", &content)).unwrap();
        assert_eq!(read.name, "Result");
        assert_eq!(read.text_of("Key"), Some("a<b>&\"c\""));
        let spaced = "<A>\n  <B>1</B>\n  <C/>\n</A>\n";
        let read = parse(spaced).unwrap();
        assert_eq!(read.text_of("B"), Some("1"));
        assert_eq!(read.text_of("C"), Some(""));
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for wrong in [
            "",
            "a",
            "<A>",
            "<A></B>",
            "<A/><B/>",
            "<A>&x;</A>",
            "<!DOCTYPE a><A/>",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
