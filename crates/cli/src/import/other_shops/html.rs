//! Plain text of HTML, such as descriptions are written in.
//!
//! Tags go; paragraphs, line breaks and list items stay apart; character references become characters. Pictures, videos
//! and the addresses of links are lost, which [`Text::lost`] tells. It takes time in proportion to the text, whatever the
//! text is.

/// What HTML says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// As plain text, without space at its ends.
    pub(super) text: String,
    /// Whether there was something that text cannot hold: a link, a picture, a video.
    pub(super) lost: bool,
}

/// How far apart two texts are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    None,
    Space,
    Cell,
    Line,
    Paragraph,
}

/// What the end of a line in HTML means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Lines {
    /// A blank, unless there is no tag at all, so that the text is not HTML.
    #[default]
    Blank,
    /// The end of a line, as `WordPress` shows it, but for one after a tag that ends the line itself.
    Kept,
}

/// Returns the plain text of `html`.
pub(super) fn to_text(html: &str, lines: Lines) -> Text {
    let mut writer = Writer {
        text: String::with_capacity(html.len()),
        gap: Gap::None,
        keeps_lines: lines == Lines::Kept || !has_tag(html),
        is_after_block: false,
    };
    let mut lost = false;
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        writer.write(before);
        let Some((name, after)) = tag_at(tag) else {
            writer.write("<");
            rest = tag.get(1..).unwrap_or_default();
            continue;
        };
        let name = name.to_ascii_lowercase();
        lost |= matches!(
            name.as_str(),
            "a" | "img" | "iframe" | "video" | "audio" | "object"
        );
        writer.tag(&name);
        rest = match name.as_str() {
            "script" | "style" | "head" | "template" => after_element(after, &name),
            _ => after,
        };
    }
    writer.write(rest);
    Text {
        text: writer.text,
        lost,
    }
}

fn has_tag(html: &str) -> bool {
    let mut places = html.match_indices('<');
    places.any(|(at, _)| html.get(at..).and_then(tag_at).is_some())
}

/// Returns the name of the tag or comment that `text` starts with, and what comes after it. A closing tag's name has its
/// slash.
fn tag_at(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('<')?;
    if let Some(comment) = inner.strip_prefix("!--") {
        let end = comment.find("-->");
        let after = end.and_then(|end| comment.get(end + 3..));
        return Some(("!", after.unwrap_or_default()));
    }
    let is_name = |c: char| c.is_ascii_alphanumeric();
    let slash = usize::from(inner.starts_with('/'));
    let letters = inner.get(slash..)?;
    let is_tag = letters.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!' || c == '?');
    if !is_tag {
        return None;
    }
    let length = letters.find(|c| !is_name(c)).unwrap_or(letters.len());
    let name = inner.get(..slash + length)?;
    let end = end_of_tag(inner)?;
    Some((name, inner.get(end + 1..)?))
}

/// Returns where the tag ends whose inside `inner` starts with: at the first `>` that is not in a quoted attribute. A tag
/// of more than 64 KiB is read as text, so that many of them do not take long.
fn end_of_tag(inner: &str) -> Option<usize> {
    let mut quote = None;
    let bytes = inner.bytes().take(64 * 1024).enumerate();
    let mut plain = None;
    for (at, byte) in bytes {
        match (byte, quote) {
            (b'>', None) => return Some(at),
            (b'>', Some(_)) => plain = plain.or(Some(at)),
            (b'<', None) => return None,
            (b'"' | b'\'', None) => quote = Some(byte),
            (byte, Some(open)) if byte == open => quote = None,
            _ => {}
        }
    }
    // A quotation mark that is never closed is a character like others.
    plain
}

/// Returns what comes after the end of the element `name`.
fn after_element<'a>(text: &'a str, name: &str) -> &'a str {
    let mut places = text.match_indices("</");
    let end = places.find_map(|(at, _)| {
        let tag = text.get(at..)?;
        let found = tag.get(2..2 + name.len())?;
        found.eq_ignore_ascii_case(name).then_some(tag)
    });
    let end = end.and_then(|tag| tag.split_once('>'));
    end.map_or("", |(_, after)| after)
}

struct Writer {
    text: String,
    /// How far the next text is from the last.
    gap: Gap,
    keeps_lines: bool,
    /// Whether the last thing was a tag that ends a line.
    is_after_block: bool,
}

impl Writer {
    /// Makes the gap before the next text at least `gap` wide.
    fn part(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    fn block(&mut self, gap: Gap) {
        self.part(gap);
        self.is_after_block = true;
    }

    fn tag(&mut self, name: &str) {
        match name.trim_start_matches('/') {
            "br" if self.gap >= Gap::Line => self.block(Gap::Paragraph),
            "br" | "tr" | "dt" | "dd" | "option" | "div" | "section" | "article" | "figure" => {
                self.block(Gap::Line);
            }
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "ul" | "ol" | "dl" | "table" | "hr"
            | "blockquote" | "pre" => self.block(Gap::Paragraph),
            "td" | "th" => self.part(Gap::Cell),
            "li" => {
                self.block(Gap::Line);
                if name == "li" {
                    self.word("-");
                    self.part(Gap::Space);
                }
            }
            _ => {}
        }
    }

    fn write(&mut self, html: &str) {
        let text = html_escape::decode_html_entities(html);
        let is_space = |c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}';
        let mut word_start = None;
        for (at, c) in text.char_indices() {
            if !is_space(c) {
                word_start = word_start.or(Some(at));
                continue;
            }
            if let Some(start) = word_start.take() {
                self.word(text.get(start..at).unwrap_or_default());
            }
            match c {
                '\n' if !self.keeps_lines || self.is_after_block => self.part(Gap::Space),
                '\n' if self.gap >= Gap::Line => self.part(Gap::Paragraph),
                '\n' => self.part(Gap::Line),
                _ => self.part(Gap::Space),
            }
        }
        if let Some(start) = word_start {
            self.word(text.get(start..).unwrap_or_default());
        }
    }

    fn word(&mut self, word: &str) {
        if !self.text.is_empty() {
            self.text.push_str(match self.gap {
                Gap::None => "",
                Gap::Space => " ",
                Gap::Cell => "\t",
                Gap::Line => "\n",
                Gap::Paragraph => "\n\n",
            });
        }
        self.gap = Gap::None;
        self.is_after_block = false;
        self.text.push_str(word);
    }
}

#[cfg(test)]
mod tests;
