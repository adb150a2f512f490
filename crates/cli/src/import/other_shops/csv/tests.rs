use proptest::prelude::*;

use super::*;

/// Gives a text in pieces of these sizes, by turns.
struct Pieces<'a> {
    text: &'a [u8],
    sizes: std::iter::Cycle<std::vec::IntoIter<usize>>,
}

impl<'a> Pieces<'a> {
    fn new(text: &'a [u8], sizes: Vec<usize>) -> Self {
        Self {
            text,
            sizes: sizes.into_iter().cycle(),
        }
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = self
            .sizes
            .next()
            .unwrap_or(1)
            .min(buffer.len())
            .min(self.text.len());
        let (now, later) = self.text.split_at(size);
        buffer[..size].copy_from_slice(now);
        self.text = later;
        Ok(size)
    }
}

type Expected = Result<(u64, Vec<String>), &'static str>;

fn rows(text: impl Read) -> Vec<Expected> {
    let rows = Rows::new(text);
    let texts = |row: Row| (row.line, row.fields().map(str::to_owned).collect());
    rows.map(|row| row.map(texts).map_err(|fault| fault.code))
        .collect()
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "rows are compared with faults among them"
)]
fn row(line: u64, fields: &[&str]) -> Expected {
    Ok((
        line,
        fields.iter().map(|field| (*field).to_owned()).collect(),
    ))
}

#[test]
fn records_have_the_line_on_which_they_start_whatever_ends_lines() {
    for end in ["\n", "\r\n", "\r"] {
        let text = ["a,b", "\"1", "2\",\"x\"\"y\"", "", "3, 4 "].join(end);
        let expected = [
            row(1, &["a", "b"]),
            row(2, &[&format!("1{end}2"), "x\"y"]),
            row(5, &["3", "4"]),
        ];
        assert_eq!(rows(text.as_bytes()), expected, "{end:?}");
    }
}

#[test]
fn the_delimiter_is_what_the_header_has_most_often_outside_of_quotes() {
    for (text, fields) in [
        ("a,b;c,d", vec!["a", "b;c", "d"]),
        ("\u{feff}a;\"b,c,d\";e", vec!["a", "b,c,d", "e"]),
        ("a\tb,c\td", vec!["a", "b,c", "d"]),
        ("a", vec!["a"]),
    ] {
        assert_eq!(rows(text.as_bytes()), [row(1, &fields)], "{text}");
    }
}

#[test]
fn what_is_not_utf_8_is_a_fault() {
    for text in [
        &b"a\nK\xe4se"[..],
        // A letter whose bytes are in two fields.
        b"a,b\n\xc3,\xa4",
    ] {
        assert_eq!(rows(text).last(), Some(&Err("not_utf8")), "{text:?}");
    }
    assert_eq!(rows(&b"\xff\xfea\0"[..]), [Err("not_utf8")]);
}

#[test]
fn a_quote_that_is_not_closed_is_a_fault_on_the_line_of_its_row() {
    for text in ["a\n\"b", "a\n\"b\nc\n\n", "a\n\"b\"\""] {
        let fault = Rows::new(text.as_bytes())
            .find_map(Result::err)
            .expect(text);
        assert_eq!((fault.line, fault.code), (2, "unclosed_quote"), "{text}");
    }
    for text in ["a\n\"b\"", "a\n\"b\"\n", "a\nb\"", "a\n\"\"", ""] {
        assert!(Rows::new(text.as_bytes()).all(|row| row.is_ok()), "{text}");
    }
}

#[test]
fn rows_of_too_many_bytes_or_columns_are_faults_before_they_are_read_to_their_end() {
    let header = b"a\n".chain(std::io::repeat(b'x'));
    assert_eq!(rows(header), [row(1, &["a"]), Err("row_too_long")]);
    let quoted = b"a\n\"".chain(std::io::repeat(b'\n'));
    assert_eq!(rows(quoted), [row(1, &["a"]), Err("row_too_long")]);
    assert_eq!(rows(std::io::repeat(b',')), [Err("too_many_columns")]);
}

#[test]
fn a_file_that_cannot_be_read_is_a_fault() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("gone"))
        }
    }
    assert_eq!(rows(b"a,b\n1".chain(Broken)), [Err("unreadable")]);
}

proptest! {
    #[test]
    fn rows_are_the_same_whatever_the_sizes_of_reads(
        text in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..300),
            "[a,;\"\r\nä]{0,80}".prop_map(String::into_bytes),
        ],
        sizes in proptest::collection::vec(1_usize..9, 1..5),
    ) {
        prop_assert_eq!(rows(Pieces::new(&text, sizes)), rows(text.as_slice()));
    }

    #[test]
    fn fields_that_are_written_with_quotes_are_read_as_they_were(
        fields in proptest::collection::vec(proptest::collection::vec("[a ,;\"\r\nä]{1,6}", 2..4), 1..5),
    ) {
        let quoted = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
        let lines = fields.iter().map(|row| row.iter().map(quoted).collect::<Vec<_>>().join(","));
        let text = format!("a,b,c\n{}", lines.collect::<Vec<_>>().join("\r\n"));
        let read: Vec<Vec<String>> = rows(text.as_bytes()).into_iter().skip(1).map(|row| row.unwrap().1).collect();
        let trimmed = fields.iter().map(|row| row.iter().map(|field| field.trim().to_owned()).collect());
        let trimmed: Vec<Vec<String>> = trimmed.collect();
        prop_assert_eq!(read, trimmed);
    }
}
