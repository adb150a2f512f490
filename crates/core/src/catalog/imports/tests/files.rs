//! Files that are not what they should be, and files in pieces.

use proptest::prelude::*;

use super::*;

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(work)
}

/// Returns the code of the failure of an import of `file`, and how many rows were imported before.
async fn failure(content: Content, file: &[u8]) -> (String, u64) {
    let shop = shop();
    let import = running(content, file.len());
    let import = shop.run(1, import, file, PIECE_BYTES).await;
    let failure = import.failure.map(|failure| failure.code);
    (failure.unwrap_or_default(), import.counts.imported)
}

#[tokio::test]
async fn a_file_that_cannot_be_read_fails_with_the_reason() {
    let row = tea("A", "5.00").to_string();
    let utf_16: Vec<u8> = std::iter::once(0xfeff)
        .chain("sku,price\n".encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let wide = [b"name".to_vec(), b",x".repeat(10_000_000)].concat();
    let open = [
        b"name,category,sku,price\nTea,tea,A,5.00\nTea,tea,B,\"5.00\n".to_vec(),
        b"x,y\n".repeat(400_000),
    ]
    .concat();
    let cases: [(&str, Content, Vec<u8>, u64); 14] = [
        ("not_utf8", Content::Prices, utf_16, 0),
        (
            "not_utf8",
            Content::Products,
            [row.as_bytes(), b"\n{\"name\": \"Caf\xe9\"}\n"].concat(),
            1,
        ),
        (
            "not_utf8",
            Content::Products,
            b"name,category,sku,price\nTea,tea,A,5.00\nCaf\xe9,tea,B,5.00\n".to_vec(),
            1,
        ),
        (
            "compressed",
            Content::Products,
            b"PK\x03\x04zip bomb".to_vec(),
            0,
        ),
        (
            "compressed",
            Content::Products,
            b"\x1f\x8b\x08gzip bomb".to_vec(),
            0,
        ),
        (
            "header",
            Content::Prices,
            b"sku|price\nA|5.00\n".to_vec(),
            0,
        ),
        (
            "header",
            Content::Prices,
            b"SKU,Amount\nA,5.00\n".to_vec(),
            0,
        ),
        ("header", Content::Prices, b"price\n5.00\n".to_vec(), 0),
        ("header", Content::Prices, b"sku,sku\nA,A\n".to_vec(), 0),
        (
            "header",
            Content::Products,
            b"name,seo_title\nA,A\n".to_vec(),
            0,
        ),
        ("header", Content::Products, wide, 0),
        ("row_too_long", Content::Products, open, 0),
        (
            "row_too_long",
            Content::Products,
            [b"{\"name\": \"".to_vec(), b"x".repeat(2_000_000)].concat(),
            0,
        ),
        ("header", Content::Products, b"<html></html>".to_vec(), 0),
    ];
    for (code, content, file, imported) in cases {
        let start = String::from_utf8_lossy(&file[..file.len().min(30)]).into_owned();
        assert_eq!(
            failure(content, &file).await,
            (code.to_owned(), imported),
            "{start}"
        );
    }
}

#[tokio::test]
async fn a_file_in_utf_16_is_told_to_be() {
    for file in [&b"\xff\xfes\0k\0u\0"[..], b"\xfe\xff\0s\0k\0u"] {
        let shop = shop();
        let import = running(Content::Prices, file.len());
        let import = shop.run(1, import, file, PIECE_BYTES).await;
        let detail = import.failure.unwrap().detail;
        assert!(detail.contains("UTF-16"), "{detail}");
    }
}

#[tokio::test]
async fn a_header_has_at_most_two_hundred_columns() {
    for (attributes, code) in [(199, ""), (200, "header")] {
        let columns = (0..attributes).map(|number| format!(",attributes.{number}"));
        let file = format!("name{}\n", columns.collect::<String>());
        let failed = failure(Content::Products, file.as_bytes()).await;
        assert_eq!(failed, (code.to_owned(), 0), "{attributes}");
    }
}

#[tokio::test]
async fn a_file_may_begin_with_a_byte_order_mark_and_have_no_rows() {
    for (file, rows) in [
        ("\u{feff}sku,price\r\n", 0),
        ("\u{feff}sku,price", 0),
        ("sku\tprice\r\nX\t1.00\r\n\r\n", 1),
        ("\u{feff}{\"sku\": \"X\"}", 1),
        ("\n\n{\"sku\": \"X\"}\n\n", 1),
    ] {
        let import = shop().import(1, Content::Prices, file).await;
        assert_eq!(
            (import.status, import.counts.rows),
            (Status::Completed, rows),
            "{file:?}"
        );
    }
}

#[tokio::test]
async fn lines_are_counted_from_the_beginning_of_the_file() {
    let shop = shop();
    let rows: String = (0..50)
        .map(|number| format!("\"X\n{number}\",1.00\n"))
        .collect();
    let file = format!("sku,price\n{rows}");
    let import = running(Content::Prices, file.len());
    let import = shop.run(1, import, file.as_bytes(), 60).await;
    let lines: Vec<u64> = import.faults.iter().map(|fault| fault.line).collect();
    assert_eq!(
        lines,
        (0..50).map(|number| 2 + 2 * number).collect::<Vec<u64>>()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However a file is cut in pieces, the same comes of it.
    #[test]
    fn a_file_in_pieces_is_imported_as_a_whole_one(most in 600_usize..2_000, is_csv: bool) {
        let file = if is_csv {
            super::sheets::FILE.to_owned()
        } else {
            let rows = (0..30).map(|number| tea(&format!("茶{number}"), "5.00"));
            lines(&rows.collect::<Vec<_>>())
        };
        block_on(async {
            let (whole, pieces) = (shop(), shop());
            let wanted = whole.import(1, Content::Products, &file).await;
            let import = running(Content::Products, file.len());
            let import = pieces.run(1, import, file.as_bytes(), most).await;
            prop_assert_eq!(counts(&import), counts(&wanted));
            prop_assert_eq!(import.faults, wanted.faults);
            prop_assert_eq!(import.read_bytes, wanted.read_bytes);
            prop_assert_eq!(import.read_lines, wanted.read_lines);
            prop_assert_eq!(pieces.stored().len(), whole.stored().len());
            Ok(())
        })?;
    }

    /// Whatever is in a file, its import ends.
    #[test]
    fn an_import_of_any_bytes_ends(bytes in proptest::collection::vec(any::<u8>(), 1..300), begins in 0_usize..4) {
        let begin: &[u8] = [&b""[..], b"sku,price\n", b"name;sku\n", b"{"][begins];
        let file = [begin, &bytes].concat();
        block_on(async {
            let shop = shop();
            let import = running(Content::Products, file.len());
            let import = shop.run(1, import, &file, PIECE_BYTES).await;
            prop_assert!(import.status.is_over());
            Ok(())
        })?;
    }
}
