//! The attributes of a product: texts by name, within the bounds of the catalogue.

use std::collections::BTreeMap;

use super::columns::Cell;
use super::values;

/// The most characters of an attribute, and of a description.
pub(super) const MOST_CHARACTERS: usize = 1000;

const MOST_ATTRIBUTES: usize = 50;
const MOST_NAME_CHARACTERS: usize = 100;

/// The most bytes of all names and texts together.
const MOST_BYTES: usize = 8 * 1024;

/// Attributes that have room for any text: one that is too long goes on in the next, `name_2`.
#[derive(Clone, Debug, Default)]
pub(super) struct Attributes {
    texts: BTreeMap<String, String>,
}

impl Attributes {
    /// Adds the `text` as attribute `name`. Returns false if there is another text of that name.
    pub(super) fn put(&mut self, name: &str, text: &str) -> bool {
        self.put_from(1, name, text)
    }

    /// Adds the `text` as attribute `name`, or `name_2` and so on if it is from the second on that it is there.
    pub(super) fn put_from(&mut self, first: usize, name: &str, text: &str) -> bool {
        let text = clean(text);
        let name = values::one_line(name);
        if text.is_empty() || name.is_empty() {
            return true;
        }
        let name: String = name.chars().take(MOST_NAME_CHARACTERS - 5).collect();
        let numbered = |number: usize| match (number, name.as_str()) {
            // The catalogue takes it for the weight.
            (1, "weight_grams") => "weight_grams_1".to_owned(),
            (1, _) => name.clone(),
            (number, _) => format!("{name}_{number}"),
        };
        if let Some(other) = self.texts.get(&numbered(first)) {
            return *other == text;
        }
        for (number, piece) in (first..).zip(pieces(&text)) {
            self.texts.insert(numbered(number), piece.to_owned());
        }
        true
    }

    /// Adds a cell under a name of ours.
    pub(super) fn put_cell(&mut self, name: &str, cell: Option<&Cell>) {
        if let Some(cell) = cell {
            self.put(name, &cell.text);
        }
    }

    /// Returns the texts by name, or why they are too many.
    pub(super) fn finish(self) -> Result<BTreeMap<String, String>, String> {
        let size = |(name, text): (&String, &String)| name.len() + text.len();
        let bytes: usize = self.texts.iter().map(size).sum();
        if self.texts.len() <= MOST_ATTRIBUTES && bytes <= MOST_BYTES {
            return Ok(self.texts);
        }
        let largest = self.texts.iter().max_by_key(|entry| size(*entry));
        let largest = largest.map(|(name, _)| name.as_str()).unwrap_or_default();
        Err(format!(
            "what goes into attributes is {} texts of {bytes} bytes, more than {MOST_ATTRIBUTES} or {MOST_BYTES}; the \
             longest is {largest}: shorten it, or ignore its column",
            self.texts.len()
        ))
    }
}

/// Returns `text` without control characters but line feed and tab, and without space at its ends.
fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let is_kept = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    let text: String = text.chars().filter(is_kept).collect();
    text.trim().to_owned()
}

/// Returns `text` in pieces of at most 1000 characters, parted between paragraphs, or else lines, or else words.
pub(super) fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text.trim();
    while let Some((most, _)) = rest.char_indices().nth(MOST_CHARACTERS) {
        // A break may come right after the last character that has room.
        let fits = rest.get(..most).unwrap_or_default();
        let marks = ["\n\n", "\n", " "];
        let end = marks.iter().find_map(|mark| {
            let at = fits.rfind(mark)?;
            // Half of the room at least is used.
            (at > fits.len() / 2).then_some(at)
        });
        let (piece, after) = rest.split_at(end.unwrap_or(most));
        pieces.push(piece.trim());
        rest = after.trim_start();
    }
    pieces.push(rest);
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

#[cfg(test)]
mod tests;
