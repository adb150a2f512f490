//! Records of a CSV file (RFC 4180), read within bounds.
//!
//! [`csv_core`] writes each record into a buffer that does not grow, so a file of any size, with any nonsense in it, is
//! read in the same memory. What it lets pass is refused here: text that is not UTF-8, and a quote that is never closed.

use std::io::Read;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::Fault;

/// The most bytes that the fields of one record have together. Shopify's longest description has 512 KB.
pub(super) const MOST_ROW_BYTES: usize = 1024 * 1024;

/// The most fields of a record. Exports with prices for many markets have some hundreds.
pub(super) const MOST_COLUMNS: usize = 4096;

/// How much of the file is read at once. The delimiter is looked for in the first of these.
const BUFFER_BYTES: usize = 64 * 1024;

const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// A record.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The line of the file on which it starts, from 1.
    pub(super) line: u64,
    text: String,
    ends: Vec<usize>,
}

impl Row {
    /// Returns the number of its fields.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns the field at `index` without space at its ends; empty if there is none.
    pub(super) fn get(&self, index: usize) -> &str {
        let start = match index.checked_sub(1) {
            Some(before) => self.ends.get(before).copied(),
            None => Some(0),
        };
        let end = self.ends.get(index).copied();
        let field = start
            .zip(end)
            .and_then(|(start, end)| self.text.get(start..end));
        field.unwrap_or_default().trim()
    }

    /// Returns its fields in order.
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// Returns how much memory it takes, in bytes.
    pub(super) fn size(&self) -> usize {
        // Beside its own, each has some bytes of the allocator's.
        self.text.len() + self.ends.len() * size_of::<usize>() + size_of::<Self>() + 32
    }
}

/// The records of a file. After a fault there are no more.
pub(super) struct Rows<R> {
    input: R,
    buffer: Vec<u8>,
    /// Where the bytes start that are not used yet.
    start: usize,
    core: Reader,
    fields: Vec<u8>,
    ends: Vec<usize>,
    /// The line of the next byte.
    line: u64,
    is_after_return: bool,
    stage: Stage,
}

/// How far a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    New,
    Begun,
    /// All bytes are read, but the last record may not be given yet.
    Ended,
    Over,
}

impl<R: Read> Rows<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            start: 0,
            core: Reader::new(),
            fields: vec![0; MOST_ROW_BYTES],
            ends: vec![0; MOST_COLUMNS],
            line: 1,
            is_after_return: false,
            stage: Stage::New,
        }
    }

    fn fault(&self, code: &'static str, detail: impl Into<String>) -> Fault {
        Fault::new(self.line, None, code, detail)
    }

    /// Replaces the used bytes by as many as the file has, and the buffer holds. There are none at the end of the file.
    fn fill(&mut self) -> Result<(), Fault> {
        self.buffer.clear();
        self.start = 0;
        let mut input = self.input.by_ref().take(BUFFER_BYTES as u64);
        match input.read_to_end(&mut self.buffer) {
            Ok(_) => Ok(()),
            Err(error) => {
                Err(self.fault("unreadable", format!("the file cannot be read: {error}")))
            }
        }
    }

    /// Skips the byte order mark, and finds out how fields are delimited.
    fn begin(&mut self) -> Result<(), Fault> {
        self.stage = Stage::Begun;
        self.fill()?;
        if self.buffer.starts_with(&[0xff, 0xfe]) || self.buffer.starts_with(&[0xfe, 0xff]) {
            let detail = "this is UTF-16; save the file as \"CSV UTF-8\"";
            return Err(self.fault("not_utf8", detail));
        }
        if self.buffer.starts_with("\u{feff}".as_bytes()) {
            self.start = "\u{feff}".len();
        }
        let delimiter = delimiter_of(self.unused());
        self.core = ReaderBuilder::new().delimiter(delimiter).build();
        Ok(())
    }

    fn unused(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// Takes `count` bytes as used, and counts their lines. They end at `\n`, `\r\n` or `\r`.
    fn advance(&mut self, count: usize) {
        let used = self.unused().iter().take(count);
        let (mut line, mut is_after_return) = (self.line, self.is_after_return);
        for &byte in used {
            if byte == b'\r' || (byte == b'\n' && !is_after_return) {
                line += 1;
            }
            is_after_return = byte == b'\r';
        }
        (self.line, self.is_after_return) = (line, is_after_return);
        self.start += count;
    }

    /// Skips the ends of lines before a record, so that it starts on the line that it is said to be on.
    fn skip_line_ends(&mut self) -> Result<(), Fault> {
        loop {
            let ends = self.unused().iter();
            let count = ends
                .take_while(|byte| matches!(byte, b'\r' | b'\n'))
                .count();
            self.advance(count);
            if !self.unused().is_empty() {
                return Ok(());
            }
            self.fill()?;
            if self.buffer.is_empty() {
                return Ok(());
            }
        }
    }

    fn read(&mut self) -> Result<Option<Row>, Fault> {
        if self.stage == Stage::New {
            self.begin()?;
        }
        self.skip_line_ends()?;
        let line = self.line;
        let fault = |code, detail: String| Fault::new(line, None, code, detail);
        let (mut written, mut count) = (0, 0);
        loop {
            if self.unused().is_empty() {
                self.fill()?;
            }
            // Only in quotes, the end of a line is text. So one more, after the end of the file, tells an open quote.
            let is_end = self.buffer.is_empty() && self.stage == Stage::Begun;
            if is_end {
                self.stage = Stage::Ended;
            }
            let input = self.buffer.get(self.start..).unwrap_or_default();
            let input = if is_end { b"\n" } else { input };
            let fields = self.fields.get_mut(written..).unwrap_or_default();
            let ends = self.ends.get_mut(count..).unwrap_or_default();
            let (result, used, wrote, ended) = self.core.read_record(input, fields, ends);
            if is_end && result == ReadRecordResult::InputEmpty && wrote > 0 {
                let detail = "a quote in this row is never closed".to_owned();
                return Err(fault("unclosed_quote", detail));
            }
            written += wrote;
            count += ended;
            self.advance(if is_end { 0 } else { used });
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => {
                    let detail = format!("this row has more than {MOST_ROW_BYTES} bytes");
                    return Err(fault("row_too_long", detail));
                }
                ReadRecordResult::OutputEndsFull => {
                    let detail = format!("this row has more than {MOST_COLUMNS} columns");
                    return Err(fault("too_many_columns", detail));
                }
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(None),
            }
        }
        let fields = self.fields.get(..written).unwrap_or_default();
        let ends = self.ends.get(..count).unwrap_or_default().to_vec();
        let text = str::from_utf8(fields).ok();
        // A character must not begin in one field and end in the next.
        let text = text.filter(|text| ends.iter().all(|end| text.is_char_boundary(*end)));
        match text {
            Some(text) => Ok(Some(Row {
                line,
                text: text.to_owned(),
                ends,
            })),
            None => Err(fault(
                "not_utf8",
                "this row is not UTF-8; save the file as \"CSV UTF-8\"".to_owned(),
            )),
        }
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Result<Row, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.stage == Stage::Over {
            return None;
        }
        let row = self.read().transpose();
        if !matches!(row, Some(Ok(_))) {
            self.stage = Stage::Over;
        }
        row
    }
}

/// Returns the delimiter that is most often in the first line of `text`, outside of quotes.
fn delimiter_of(text: &[u8]) -> u8 {
    let mut counts = [0_usize; DELIMITERS.len()];
    let mut is_quoted = false;
    for &byte in text {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\n' | b'\r' if !is_quoted => break,
            _ if is_quoted => {}
            _ => {
                for (count, delimiter) in counts.iter_mut().zip(DELIMITERS) {
                    *count += usize::from(byte == delimiter);
                }
            }
        }
    }
    let found = counts.into_iter().zip(DELIMITERS);
    // The first of those that are there equally often.
    let found = found.rev().max_by_key(|(count, _)| *count);
    found.map_or(b',', |(_, delimiter)| delimiter)
}

#[cfg(test)]
mod tests;
