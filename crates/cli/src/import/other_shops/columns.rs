//! What the columns of a file are.

use std::collections::BTreeMap;

use super::attributes::Attributes;
use super::csv::Row;
use super::output::Output;
use super::values::one_line;
use super::{Fault, Options};

/// Longer headers are cut, as they go into what is told of each cell.
const MOST_HEADER_CHARACTERS: usize = 200;

const DIFFERS: (&str, &str) = (
    "differs",
    "the rows of a product say different things here: the first is taken",
);
const OF_VARIATION: (&str, &str) = (
    "of_variation",
    "only products have this attribute: that of variations is left out, from here on",
);
const NOT_TAKEN: (&str, &str) = (
    "not_taken",
    "Oxcart has no field for this: what the column says is left out, from here on",
);

/// A field that is not empty, with its place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) line: u64,
    pub(super) column: String,
    pub(super) text: String,
}

impl Cell {
    pub(super) fn fault(&self, code: &'static str, detail: impl Into<String>) -> Fault {
        Fault::new(self.line, Some(self.column.clone()), code, detail)
    }
}

/// What a column is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Use<F> {
    /// One of the fields that a reader reads.
    Field(F),
    /// An attribute of this name.
    Attribute(String),
    /// Nothing that Oxcart keeps, unless it is one of these usual values, in lower case.
    Usual(&'static [&'static str]),
    /// Nothing that says anything of a product.
    Nothing,
}

/// The columns of a file, of which a reader knows the fields `F`.
pub(super) struct Columns<F> {
    headers: Vec<String>,
    fields: BTreeMap<F, usize>,
    others: Vec<(usize, Use<F>)>,
}

impl<F: Copy + Ord> Columns<F> {
    /// Reads the `header`. `known` tells what a column is for by its name in lower case.
    pub(super) fn new(
        header: &Row,
        options: &Options,
        known: impl Fn(&str) -> Option<Use<F>>,
    ) -> Self {
        let headers = header.fields().map(one_line);
        let short = |name: String| name.chars().take(MOST_HEADER_CHARACTERS).collect();
        let headers: Vec<String> = headers.map(short).collect();
        let is_among = |list: &[String], name: &str| list.iter().any(|other| normal(other) == name);
        let mut fields = BTreeMap::new();
        let mut others = Vec::new();
        for (index, header) in headers.iter().enumerate() {
            let name = normal(header);
            let other = match known(&name) {
                _ if is_among(&options.ignore, &name) => Use::Nothing,
                Some(Use::Field(field)) if !fields.contains_key(&field) => {
                    fields.insert(field, index);
                    continue;
                }
                _ if is_among(&options.keep, &name) => Use::Attribute(attribute_name(header)),
                // A column that is there twice counts once.
                Some(Use::Field(_)) | None => Use::Usual(&[]),
                Some(other) => other,
            };
            others.push((index, other));
        }
        Self {
            headers,
            fields,
            others,
        }
    }

    /// Returns whether the file has the column.
    pub(super) fn has(&self, field: F) -> bool {
        self.fields.contains_key(&field)
    }

    /// Returns the header of the column, or `name` if the file does not have it.
    pub(super) fn header(&self, field: F, name: &str) -> String {
        let index = self.fields.get(&field);
        let header = index.and_then(|index| self.headers.get(*index));
        header.map_or(name, String::as_str).to_owned()
    }

    /// Returns what the row says in the column, unless it is empty.
    pub(super) fn cell(&self, row: &Row, field: F) -> Option<Cell> {
        let index = *self.fields.get(&field)?;
        self.cell_at(row, index)
    }

    fn cell_at(&self, row: &Row, index: usize) -> Option<Cell> {
        let text = row.get(index);
        (!text.is_empty()).then(|| Cell {
            line: row.line,
            column: self.headers.get(index).cloned().unwrap_or_default(),
            text: text.to_owned(),
        })
    }

    /// Adds what the row says in columns of attributes, and notes what it says that is left out. Without `attributes`, which
    /// a variation has none of its own of, these are left out too.
    pub(super) fn read_others(
        &self,
        row: &Row,
        mut attributes: Option<&mut Attributes>,
        output: &mut Output,
    ) {
        for (index, other) in &self.others {
            let Some(cell) = self.cell_at(row, *index) else {
                continue;
            };
            let note = match other {
                Use::Attribute(name) => match &mut attributes {
                    Some(attributes) => (!attributes.put(name, &cell.text)).then_some(DIFFERS),
                    None => Some(OF_VARIATION),
                },
                Use::Usual(usual) => {
                    let text = cell.text.to_lowercase();
                    (!usual.contains(&text.as_str())).then_some(NOT_TAKEN)
                }
                Use::Nothing | Use::Field(_) => None,
            };
            if let Some((code, detail)) = note {
                output.note_once(cell.fault(code, detail));
            }
        }
    }

    /// Returns a fault if the row does not have one field for each column.
    pub(super) fn check(&self, row: &Row) -> Option<Fault> {
        let (columns, fields) = (self.headers.len(), row.len());
        let is_extra_empty = || row.fields().skip(columns).all(str::is_empty);
        if fields == columns || (fields > columns && is_extra_empty()) {
            return None;
        }
        let detail = format!(
            "this row has {fields} fields and the header {columns}: is a comma missing, or a quote?"
        );
        Some(Fault::new(row.line, None, "columns", detail))
    }
}

/// Returns a header as it is compared: in one line of lower case.
pub(super) fn normal(header: &str) -> String {
    one_line(header).to_lowercase()
}

/// Returns the name of the attribute for a column: `specs.roast` for `Roast (product.metafields.specs.roast)`, and without
/// the `Meta:` of `WooCommerce`.
fn attribute_name(header: &str) -> String {
    let field = header.rsplit_once("(product.metafields.");
    let field = field.and_then(|(_, key)| key.strip_suffix(')'));
    let meta = header
        .split_once(':')
        .filter(|(meta, _)| meta.eq_ignore_ascii_case("meta"));
    field
        .or(meta.map(|(_, key)| key.trim()))
        .unwrap_or(header)
        .to_owned()
}
