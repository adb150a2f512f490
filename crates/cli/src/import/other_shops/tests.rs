use proptest::prelude::*;

use super::*;

const FILES: [&str; 4] = [
    include_str!("testdata/shopify_2019.csv"),
    include_str!("testdata/shopify_2025.csv"),
    include_str!("testdata/woocommerce.csv"),
    include_str!("testdata/woocommerce_de.csv"),
];

fn options() -> Options {
    let now = "2026-11-27T00:00:00Z".parse().unwrap();
    Options::new("EUR".parse().unwrap(), now)
}

fn place(fault: &Fault) -> String {
    let column = fault.column.as_deref().unwrap_or("-");
    format!("{} {column} {}", fault.line, fault.code)
}

fn all(file: impl Read) -> Vec<Result<Line, Fault>> {
    read(file, &options()).collect()
}

/// Returns what is read of `file`, a line each.
pub(super) fn lines(file: &str) -> String {
    let lines = all(file.as_bytes()).into_iter().map(|line| match line {
        Ok(Line::Product { line, body }) => format!("{line} {body}\n"),
        Ok(Line::Stock { sku, on_hand }) => format!("stock {sku} {on_hand}\n"),
        Ok(Line::Note(note)) => format!("note {}\n", place(&note)),
        Err(fault) => format!("fault {}\n", place(&fault)),
    });
    lines.collect()
}

/// Returns the line, column and code of each fault.
pub(super) fn faults(file: &str) -> Vec<String> {
    let faults = all(file.as_bytes()).into_iter().filter_map(Result::err);
    faults.map(|fault| place(&fault)).collect()
}

/// Returns the line, column and code of each note.
pub(super) fn notes(file: &str) -> Vec<String> {
    let notes = all(file.as_bytes())
        .into_iter()
        .filter_map(|line| match line {
            Ok(Line::Note(note)) => Some(place(&note)),
            Ok(Line::Product { .. } | Line::Stock { .. }) | Err(_) => None,
        });
    notes.collect()
}

fn products(file: &str, options: &Options) -> Vec<Value> {
    let products = read(file.as_bytes(), options).filter_map(|line| match line {
        Ok(Line::Product { body, .. }) => Some(body),
        Ok(Line::Stock { .. } | Line::Note(_)) | Err(_) => None,
    });
    products.collect()
}

#[test]
fn the_header_tells_where_a_file_is_from() {
    assert_eq!(
        detect(&["Handle", "Title", "Status"]),
        Some(Dialect::Shopify)
    );
    assert_eq!(detect(&["Title", "URL handle"]), Some(Dialect::Shopify));
    let woocommerce = ["ID", "Type", "SKU", "Name", "Regular price"];
    assert_eq!(detect(&woocommerce), Some(Dialect::WooCommerce));
    let german = ["ID", "Typ", "Artikelnummer", "Name", "Regulärer Preis"];
    assert_eq!(detect(&german), Some(Dialect::WooCommerce));
    assert_eq!(detect(&["sku", "name", "price"]), None);
    assert_eq!(faults("sku,name\na,b"), ["1 - unknown_format"]);
    assert_eq!(faults(""), ["1 - empty"]);
    assert_eq!(faults("Handle,Title\n"), [""; 0]);
}

#[test]
fn what_is_read_is_what_the_api_takes() {
    let api: Value =
        serde_json::from_str(include_str!("../../../../../infra/openapi.json")).unwrap();
    let mut schema = api["components"]["schemas"]["NewProduct"].clone();
    schema["components"] = api["components"].clone();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for file in FILES {
        let products = products(file, &options());
        assert!(!products.is_empty());
        for product in products {
            let errors: Vec<String> = schema
                .iter_errors(&product)
                .map(|e| e.to_string())
                .collect();
            assert!(errors.is_empty(), "{product}: {errors:?}");
        }
    }
}

#[test]
fn texts_that_are_too_long_for_their_field_become_attributes() {
    let tags: Vec<String> = (0..60).map(|n| format!("tag{n}")).collect();
    let pictures: String = (1..=25).fold(String::new(), |rows, n| {
        rows + &format!("a,,,,,,,https://example.com/{n}.jpg\n")
    });
    let file = format!(
        "Handle,Title,Body (HTML),Vendor,Tags,SEO Title,Variant Price,Image Src\n\
         a,A,\"<p>{}</p><p>{}</p>\",V,\"{}\",{},5,http://example.com/0.jpg\n{pictures}",
        "x".repeat(700),
        "y".repeat(700),
        tags.join(","),
        "t".repeat(150),
    );
    let product = &products(&file, &options())[0];
    let attributes = &product["attributes"];
    assert_eq!(product["description"], "x".repeat(700));
    assert_eq!(attributes["description_2"], "y".repeat(700));
    assert_eq!(product["tags"].as_array().unwrap().len(), 50);
    assert!(
        attributes["more_tags"]
            .as_str()
            .unwrap()
            .starts_with("tag50, tag51")
    );
    assert_eq!(attributes["seo_title"], "t".repeat(150));
    assert_eq!(product["images"].as_array().unwrap().len(), 20);
    let more = attributes["more_images"].as_str().unwrap();
    assert!(
        more.starts_with("http://example.com/0.jpg\nhttps://example.com/21.jpg"),
        "{more}"
    );
}

#[test]
fn options_tell_which_columns_are_kept_and_ignored_and_what_is_not_counted() {
    let file = "Handle,Title,Type,Variant Price,Cost per item,Roast (product.metafields.coffee.roast)\n\
                a,A,Tea,5,2,dark\n";
    let options = Options {
        keep: vec!["roast (product.metafields.coffee.roast)".to_owned()],
        ignore: vec!["cost per item".to_owned(), "Type".to_owned()],
        uncounted: Some(9),
        category: "other".to_owned(),
        ..options()
    };
    let lines: Vec<Line> = read(file.as_bytes(), &options)
        .map(Result::unwrap)
        .collect();
    let [Line::Product { body, .. }, stock] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    assert_eq!(body["attributes"]["coffee.roast"], "dark");
    assert_eq!(body["category"], "other");
    let sku = "a".to_owned();
    assert_eq!(*stock, Line::Stock { sku, on_hand: 9 });
}

#[test]
fn a_sku_is_made_of_the_handle_and_the_values_the_same_each_time() {
    let file = |handle: &str| {
        format!(
            "Handle,Title,Option1 Name,Option1 Value,Variant Price\n{handle},A,Size, M ,5\n{handle},,,L,5\n"
        )
    };
    let skus = |handle: &str| {
        let product = &products(&file(handle), &options())[0];
        let variants = product["variants"].as_array().unwrap().clone();
        variants
            .iter()
            .map(|variant| variant["sku"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(skus("shirt"), ["shirt/M", "shirt/L"]);
    let long = skus(&"x".repeat(120));
    assert!(
        long[0].chars().count() <= 100 && long[0] != long[1],
        "{long:?}"
    );
    assert_eq!(long, skus(&"x".repeat(120)));
}

#[test]
fn an_identifier_is_no_sku() {
    let file = "Handle,Title,Variant SKU,Variant Price\na,A,0197f0a0-0000-7000-8000-000000000001,5";
    assert_eq!(faults(file), ["2 Variant SKU reserved"]);
}

#[test]
fn nothing_comes_after_a_row_that_cannot_be_read() {
    let file = "Handle,Title,Variant Price\na,A,1\nb,B,1\nc,\"C,1\nd,D,1\n";
    assert_eq!(faults(file), ["4 - unclosed_quote"]);
    assert_eq!(products(file, &options()).len(), 1);
}

/// Gives one byte at a time.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = 1.min(self.0.len()).min(buffer.len());
        self.0.read(&mut buffer[..size])
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_damaged_file_is_read_the_same_at_any_speed_and_never_panics(
        which in 0..FILES.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        end in any::<prop::sample::Index>(),
    ) {
        let mut file = FILES[which].as_bytes().to_vec();
        let header = file.iter().position(|byte| *byte == b'\n').unwrap();
        for (at, byte) in changes {
            let at = header + 1 + at.index(file.len() - header - 1);
            file[at] = byte;
        }
        file.truncate(header + 1 + end.index(file.len() - header - 1));
        prop_assert_eq!(all(file.as_slice()), all(Slow(&file)));
    }

    #[test]
    fn cells_of_any_text_never_panic(
        which in 0..FILES.len(),
        cells in proptest::collection::vec(proptest::collection::vec(
            prop_oneof![
                "[^\"]{0,12}",
                Just("variable".to_owned()), Just("variation".to_owned()), Just("simple".to_owned()),
                Just("id:1".to_owned()), Just("1".to_owned()), Just("9.99".to_owned()), Just("a, b".to_owned()),
            ],
            36,
        ), 0..8),
    ) {
        let header = FILES[which].lines().next().unwrap();
        let columns = header.split(if header.contains(';') { ';' } else { ',' }).count();
        let quoted = |cell: &String| format!("\"{cell}\"");
        let mark = if header.contains(';') { ";" } else { "," };
        let rows = cells.iter().map(|row| {
            let cells: Vec<String> = row.iter().cycle().take(columns).map(quoted).collect();
            cells.join(mark)
        });
        let file = format!("{header}\n{}", rows.collect::<Vec<_>>().join("\n"));
        for line in all(file.as_bytes()) {
            if let Ok(Line::Product { body, .. }) = line {
                prop_assert!(body["name"].as_str().is_some_and(|name| !name.trim().is_empty()));
            }
        }
    }
}
