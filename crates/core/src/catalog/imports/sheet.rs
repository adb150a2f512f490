//! Files with columns: what their cells say, as the body of a request would.

use csv::{ByteRecord, ReaderBuilder};
use serde_json::{Map, Value, json};

use super::model::{Content, Failure, Fault, Header};
use super::rows::{Cut, MOST_ROWS, Row, text};
use crate::catalog::variants::MOST_OPTIONS;
use crate::values::money::Currency;

mod cells;

use cells::{ATTRIBUTE_PREFIX, Cells, Named};

/// The most columns of a file.
const MOST_COLUMNS: usize = 200;

/// What may stand between two cells.
const DELIMITERS: [char; 3] = [',', ';', '\t'];

/// Columns of variants, which prices have as well.
pub(in crate::catalog) const PRICE_COLUMNS: [&str; 5] = [
    "sku",
    "price",
    "sale_price",
    "sale_starts_at",
    "sale_ends_at",
];

/// Columns of stock.
const STOCK_COLUMNS: [&str; 3] = ["sku", "on_hand", "backorder"];

/// Columns of products, beside those of their variants and options.
const PRODUCT_COLUMNS: [&str; 17] = [
    "id",
    "name",
    "description",
    "category",
    "status",
    "shipped",
    "brand",
    "tags",
    "slug",
    "seo_title",
    "seo_description",
    "images",
    "translations",
    "attributes",
    "variant_id",
    "gtin",
    "weight_grams",
];

fn is_known(column: &str, content: Content) -> bool {
    let is_option = |column: &str| {
        let column = column.strip_prefix("option").unwrap_or_default();
        let (number, rest) = column.split_once('_').unwrap_or_default();
        let number: Option<usize> = number.parse().ok();
        number.is_some_and(|number| (1..=MOST_OPTIONS).contains(&number))
            && matches!(rest, "name" | "value" | "values")
    };
    let of_products = || {
        PRODUCT_COLUMNS.contains(&column)
            || column.starts_with(ATTRIBUTE_PREFIX)
            || is_option(column)
    };
    match content {
        Content::Products => PRICE_COLUMNS.contains(&column) || of_products(),
        Content::Prices => PRICE_COLUMNS.contains(&column),
        Content::Stock => STOCK_COLUMNS.contains(&column),
    }
}

fn reader(piece: &[u8], delimiter: char) -> csv::Reader<&[u8]> {
    let mut builder = ReaderBuilder::new();
    builder.has_headers(false).flexible(true);
    builder.delimiter(u8::try_from(delimiter).unwrap_or(b','));
    builder.from_reader(piece)
}

/// Reads the header at the beginning of `piece`, and returns how many bytes it has, too.
///
/// # Errors
/// If columns are unknown, missing or repeated.
pub(super) fn header(piece: &[u8], content: Content) -> Result<(Header, usize), Failure> {
    let mut read: Vec<(Header, usize)> = Vec::new();
    for delimiter in DELIMITERS {
        let mut reader = reader(piece, delimiter);
        let mut record = ByteRecord::new();
        let Ok(true) = reader.read_byte_record(&mut record) else {
            return Err(Failure::new("empty", "The file is empty."));
        };
        let columns = record.iter().take(MOST_COLUMNS + 1);
        let columns = columns.map(|column| {
            let column = text(column, 1)?.trim();
            Ok(if column.starts_with(ATTRIBUTE_PREFIX) {
                column.to_owned()
            } else {
                column.to_ascii_lowercase()
            })
        });
        let columns: Vec<String> = columns.collect::<Result<_, Failure>>()?;
        let end = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        read.push((Header { delimiter, columns }, end));
    }
    let most = read
        .into_iter()
        .rev()
        .max_by_key(|(header, _)| header.columns.len());
    let (header, end) = most.ok_or_else(|| Failure::new("empty", "The file is empty."))?;
    check(&header, content)?;
    Ok((header, end))
}

fn check(header: &Header, content: Content) -> Result<(), Failure> {
    let fault = |detail: String| Err(Failure::new("header", detail));
    let columns = &header.columns;
    if columns.len() > MOST_COLUMNS {
        return fault(format!("The header has more than {MOST_COLUMNS} columns."));
    }
    let short = |column: &String| column.chars().take(60).collect::<String>();
    let unknown = columns.iter().filter(|column| !is_known(column, content));
    let unknown: Vec<String> = unknown.take(5).map(short).collect();
    if !unknown.is_empty() {
        let unknown = unknown.join(", ");
        return fault(format!(
            "The header has columns that are not known: {unknown}. docs/imports.md lists those that are. Commas, semicolons or tabs may stand between the names."
        ));
    }
    let mut places = columns.iter().enumerate();
    let repeated =
        places.find(|(place, column)| columns.iter().take(*place).any(|other| other == *column));
    if let Some((_, column)) = repeated {
        return fault(format!("The column {} is there twice.", short(column)));
    }
    let has = |name: &str| columns.iter().any(|column| column == name);
    let required = match content {
        Content::Products => "name",
        Content::Prices | Content::Stock => "sku",
    };
    if !has(required) {
        return fault(format!("The column {required} is missing."));
    }
    if has("seo_title") != has("seo_description") {
        return fault("The columns seo_title and seo_description come together.".to_owned());
    }
    if !has("sale_price") && (has("sale_starts_at") || has("sale_ends_at")) {
        return fault("The column sale_price is missing.".to_owned());
    }
    Ok(())
}

/// The records of one row.
struct Group {
    start: usize,
    lines: Vec<u64>,
    records: Vec<Result<Vec<String>, Fault>>,
}

/// Returns the rows at the beginning of `piece`, whose first line is `first_line`. A product has a record for each of its
/// variants; those after the first have no name and no identifier. Nothing of the file comes after `piece` if it `is_last`.
pub(super) fn cut(
    piece: &[u8],
    header: &Header,
    content: Content,
    currency: Currency,
    first_line: u64,
    is_last: bool,
) -> Cut {
    let mut reader = reader(piece, header.delimiter);
    let mut record = ByteRecord::new();
    let mut rows = Vec::new();
    let mut open: Option<Group> = None;
    let mut bytes = 0;
    let close = |group: Group| Row {
        said: said(header, content, currency, group.records),
        lines: group.lines,
    };
    let line = loop {
        let start = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        let line = first_line + reader.position().line().saturating_sub(1);
        let is_read = matches!(reader.read_byte_record(&mut record), Ok(true));
        let end = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        // What ends with the piece may go on after it.
        if !is_read || (!is_last && end >= piece.len()) {
            break line;
        }
        let cells = match cells::cells(&record, header, line) {
            Ok(cells) => cells,
            Err(failure) => {
                rows.extend(open.map(close));
                let cut = Cut::at(rows, piece, start, line);
                return Cut {
                    failure: Some(failure),
                    ..cut
                };
            }
        };
        let goes_on = content == Content::Products
            && cells
                .as_ref()
                .is_ok_and(|cells| Named(header, cells).goes_on());
        if let Some(group) = open.as_mut().filter(|_| goes_on) {
            group.lines.push(line);
            group.records.push(cells);
        } else {
            rows.extend(open.take().map(close));
            if rows.len() >= MOST_ROWS {
                return Cut::at(rows, piece, start, line);
            }
            open = Some(Group {
                start,
                lines: vec![line],
                records: vec![cells],
            });
        }
        bytes = end;
    };
    match open {
        Some(group) if is_last => rows.push(close(group)),
        Some(group) => bytes = group.start,
        None => {}
    }
    if is_last {
        bytes = piece.len();
    }
    Cut::at(rows, piece, bytes, line)
}

/// Returns what the `records` of a row say.
fn said(
    header: &Header,
    content: Content,
    currency: Currency,
    records: Vec<Result<Vec<String>, Fault>>,
) -> Result<Map<String, Value>, Fault> {
    let records: Vec<Vec<String>> = records.into_iter().collect::<Result<_, _>>()?;
    let mut rows = records
        .iter()
        .map(|cells| Cells::new(header, cells, currency));
    let Some(first) = rows.next() else {
        return Ok(Map::new());
    };
    match content {
        Content::Products => {}
        Content::Prices => return Ok(first.variant()),
        Content::Stock => return Ok(first.stock()),
    }
    let mut product = first.product();
    let others: Vec<Cells<'_>> = rows.collect();
    let names = first.option_names();
    if others.is_empty() && names.is_empty() {
        product.extend(first.variant());
        return Ok(product);
    }
    let all: Vec<&Cells<'_>> = std::iter::once(&first).chain(&others).collect();
    let options = names
        .iter()
        .map(|(number, name)| json!({"name": name, "values": first.option_values(*number, &all)}));
    product.insert("options".to_owned(), options.collect());
    let variants = all
        .iter()
        .map(|row| Value::Object(row.listed_variant(&names)));
    product.insert("variants".to_owned(), variants.collect());
    Ok(product)
}

/// Returns the line and the column of what `pointer` points to in a row of `lines`.
pub(super) fn locate(header: &Header, lines: &[u64], pointer: &str) -> (u64, Option<String>) {
    let mut line = lines.first().copied().unwrap_or_default();
    let mut rest = pointer.trim_start_matches('/');
    if let Some(listed) = rest.strip_prefix("variants/") {
        let (place, field) = listed.split_once('/').unwrap_or((listed, ""));
        let place: Option<usize> = place.parse().ok();
        line = place
            .and_then(|place| lines.get(place).copied())
            .unwrap_or(line);
        rest = match field {
            "id" => "variant_id",
            field => field,
        };
    }
    let mut parts = rest.splitn(3, '/');
    let parts = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    let column = match parts {
        ("sale", Some(field), _) => format!("sale_{field}"),
        ("sale", None, _) => "sale_price".to_owned(),
        ("seo", Some(field), _) => format!("seo_{field}"),
        ("options", Some(place), Some("name")) => numbered(place, "name"),
        ("options", Some(place), _) => numbered(place, "value"),
        ("options", None, _) => numbered("0", "value"),
        ("attributes", Some(name), _) => {
            let own = format!(
                "{ATTRIBUTE_PREFIX}{}",
                name.replace("~1", "/").replace("~0", "~")
            );
            let has_own = header.columns.contains(&own);
            if has_own {
                own
            } else {
                "attributes".to_owned()
            }
        }
        (field, _, _) => field.to_owned(),
    };
    let column = Some(column).filter(|column| header.columns.contains(column));
    (line, column)
}

fn numbered(place: &str, what: &str) -> String {
    let number: usize = place.parse().unwrap_or(0);
    format!("option{}_{what}", number + 1)
}
