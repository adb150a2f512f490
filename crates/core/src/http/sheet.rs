//! Lists as sheets: CSV (RFC 4180), for a client that accepts `text/csv`. The pages of a list, one after another, are one
//! sheet.

use csv::{Terminator, WriterBuilder};
use http::StatusCode;

use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::values::formulas::escaped;

/// The media type of a sheet.
const SHEET: &str = "text/csv";

/// Returns whether the client that sent `request` accepts a sheet.
#[must_use]
pub fn is_wanted(request: &Request) -> bool {
    let accepted = request.header("accept").unwrap_or_default();
    accepted.split([',', ';']).any(|part| part.trim() == SHEET)
}

/// Returns 200 with the sheet of `rows`, below a row of `titles` if there are some. A cell that a spreadsheet would run as
/// a formula has an apostrophe before it.
///
/// # Errors
/// [`Problem::Internal`] if the sheet cannot be written.
pub fn sheet<R>(
    titles: Option<&[&str]>,
    rows: impl IntoIterator<Item = R>,
) -> Result<Response, Problem>
where
    R: IntoIterator<Item = String>,
{
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    if let Some(titles) = titles {
        writer.write_record(titles).map_err(Problem::internal)?;
    }
    for row in rows {
        let cells = row.into_iter().map(|cell| escaped(&cell));
        writer.write_record(cells).map_err(Problem::internal)?;
    }
    Ok(Response {
        status: StatusCode::OK,
        headers: Vec::new(),
        content_type: SHEET,
        body: writer
            .into_inner()
            .map_err(|error| Problem::internal(error.into_error()))?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing;
    use crate::values::clock::Time;

    #[test]
    fn a_cell_is_never_a_formula_nor_ends_its_row() {
        let cells = ["=1+1", "-1", "a,b", "\"", "x\r\ny", "'@"].map(str::to_owned);
        let made = sheet(Some(&["a", "b", "c", "d", "e", "f"]), [cells]).unwrap();
        let text = String::from_utf8(made.body).unwrap();
        let row = "'=1+1,'-1,\"a,b\",\"\"\"\",\"x\r\ny\",''@\r\n";
        assert_eq!(text, format!("a,b,c,d,e,f\r\n{row}"));
    }

    #[test]
    fn a_sheet_is_for_clients_that_accept_it() {
        let wanted = |accept: &str| {
            let request = testing::request(Time::from_millis(0), &json!({}));
            is_wanted(&request.with("accept", accept))
        };
        assert!(wanted("text/csv"));
        assert!(wanted("text/html, text/csv;q=0.9"));
        assert!(!wanted("application/json"));
        assert!(!wanted("text/csvx"));
    }
}
