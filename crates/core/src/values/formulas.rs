//! Cells that a spreadsheet would run as formulas. An apostrophe before them keeps them texts.

/// What a formula begins with for a spreadsheet.
const BEGINNINGS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Returns the text of a cell, with an apostrophe if it needs one, or begins with some before what would need one.
pub(crate) fn escaped(text: &str) -> String {
    if text.trim_start_matches('\'').starts_with(BEGINNINGS) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// Returns what [`escaped`] made `cell` of.
pub(crate) fn unescaped(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.trim_start_matches('\'').starts_with(BEGINNINGS) => rest,
        Some(_) | None => cell,
    }
}
