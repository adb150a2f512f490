//! `multipart/form-data` as a browser sends it: small fields, and one file at the end.
//!
//! RFC 7578, with the delimiters of RFC 2046 (section 5.1.1).

use bytes::{Buf, Bytes, BytesMut};

use super::error::S3Error;

/// The most bytes that the fields before the file may have, with their headers: 20 KB.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html>
const MAX_FIELDS: usize = 20_000;

/// Reads a form as it comes.
#[derive(Debug)]
pub(super) struct Reader {
    /// What ends a part: the end of a line, two hyphens and the boundary.
    delimiter: Vec<u8>,
    buffer: BytesMut,
    state: State,
    /// How many bytes have come before the file.
    before: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// Before the first part, or after a delimiter.
    Between,
    /// The headers of a part come.
    Headers,
    /// The content of a field comes.
    Field(String),
    /// The content of the file comes.
    File,
    /// Nothing that counts comes any more.
    End,
}

/// What a form has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A field: its name in lower case, and its value.
    Field(String, String),
    /// The file begins; this is its name.
    File(String),
    /// The next bytes of the file.
    Bytes(Bytes),
    /// The file has ended.
    End,
}

impl Reader {
    /// Reads a form with this content type.
    pub(super) fn new(content_type: &str) -> Option<Self> {
        let (kind, parameters) = content_type.split_once(';')?;
        if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
            return None;
        }
        let boundary = parameter(parameters, "boundary").filter(|boundary| !boundary.is_empty())?;
        Some(Self {
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            // The first delimiter is at the beginning of a line, as if one had ended before.
            buffer: BytesMut::from(&b"\r\n"[..]),
            state: State::Between,
            before: 0,
        })
    }

    /// Takes the next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Piece>, S3Error> {
        self.buffer.extend_from_slice(bytes);
        if !matches!(self.state, State::File | State::End) {
            self.before += bytes.len();
        }
        let mut pieces = Vec::new();
        while self.step(&mut pieces)? {}
        // What is still in the buffer belongs to the fields, too, unless the file has begun.
        let fields = !matches!(self.state, State::File | State::End);
        if fields && self.before > MAX_FIELDS {
            let message = "Your POST request fields preceding the upload file were too large.";
            return Err(S3Error::client("MaxPostPreDataLengthExceeded", message));
        }
        Ok(pieces)
    }

    /// Whether the form has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.state == State::End
    }

    /// Goes on as far as the buffer allows; `false` if more has to come.
    fn step(&mut self, pieces: &mut Vec<Piece>) -> Result<bool, S3Error> {
        match &self.state {
            State::Between => {
                let Some(at) = find(&self.buffer, &self.delimiter) else {
                    return Ok(false);
                };
                let Some(next) = self.after_delimiter(at) else {
                    return Ok(false);
                };
                self.state = next?;
                Ok(true)
            }
            State::Headers => {
                let Some(end) = find(&self.buffer, b"\r\n\r\n") else {
                    return Ok(false);
                };
                let head = self.buffer.split_to(end);
                self.buffer.advance(4);
                let head = String::from_utf8(head.to_vec()).map_err(|_| malformed())?;
                let (name, file) = disposition(&head).ok_or_else(malformed)?;
                self.state = if name == "file" {
                    pieces.push(Piece::File(file.unwrap_or_default()));
                    State::File
                } else {
                    State::Field(name)
                };
                Ok(true)
            }
            State::Field(name) => {
                let Some(at) = find(&self.buffer, &self.delimiter) else {
                    return Ok(false);
                };
                let (name, value) = (name.clone(), self.buffer[..at].to_vec());
                let Some(next) = self.after_delimiter(at) else {
                    return Ok(false);
                };
                let value = String::from_utf8(value).map_err(|_| malformed())?;
                pieces.push(Piece::Field(name, value));
                self.state = next?;
                Ok(true)
            }
            State::File => Ok(self.file(pieces)),
            State::End => {
                self.buffer.clear();
                Ok(false)
            }
        }
    }

    fn file(&mut self, pieces: &mut Vec<Piece>) -> bool {
        if let Some(at) = find(&self.buffer, &self.delimiter) {
            if self.buffer.len() < at + self.delimiter.len() + 2 {
                return false;
            }
            pieces.push(Piece::Bytes(self.buffer.split_to(at).freeze()));
            pieces.push(Piece::End);
            // S3 passes over what comes after the file.
            self.state = State::End;
            return true;
        }
        // The end of the buffer may be the beginning of the delimiter.
        let safe = self.buffer.len().saturating_sub(self.delimiter.len());
        if safe > 0 {
            pieces.push(Piece::Bytes(self.buffer.split_to(safe).freeze()));
        }
        false
    }

    /// What comes after the delimiter at `at`, which is taken out; `None` if more has to come.
    fn after_delimiter(&mut self, at: usize) -> Option<Result<State, S3Error>> {
        let after = at + self.delimiter.len();
        let two = self.buffer.get(after..after + 2)?;
        let next = match two {
            b"\r\n" => Ok(State::Headers),
            b"--" => Ok(State::End),
            _ => Err(malformed()),
        };
        self.buffer.advance(after + 2);
        Some(next)
    }
}

/// The name of a part in lower case, and the name of its file.
fn disposition(head: &str) -> Option<(String, Option<String>)> {
    let mut lines = head.split("\r\n");
    let line = lines.find(|line| {
        let name = line.split(':').next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case("content-disposition")
    })?;
    let (_, value) = line.split_once(':')?;
    let (kind, parameters) = value.split_once(';')?;
    let name = parameter(parameters, "name").filter(|_| kind.trim() == "form-data")?;
    Some((name.to_ascii_lowercase(), parameter(parameters, "filename")))
}

/// A parameter of a header, without its quotes.
fn parameter(parameters: &str, name: &str) -> Option<String> {
    let mut rest = parameters;
    while !rest.trim().is_empty() {
        let (key, after) = rest.split_once('=')?;
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => {
                let (value, next) = quoted.split_once('"')?;
                (value, next.trim_start().trim_start_matches(';'))
            }
            None => after.split_once(';').unwrap_or((after, "")),
        };
        if key.trim().eq_ignore_ascii_case(name) {
            // Browsers write these two in names of files so.
            return Some(value.trim().replace("%22", "\"").replace("%0D%0A", "\r\n"));
        }
        rest = next;
    }
    None
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    let first = *what.first()?;
    let mut from = 0;
    while let Some(at) = bytes.get(from..)?.iter().position(|byte| *byte == first) {
        let at = from + at;
        if bytes[at..].starts_with(what) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

fn malformed() -> S3Error {
    let message = "The body of your POST request is not well-formed multipart/form-data.";
    S3Error::client("MalformedPOSTRequest", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=\"x y\"";
    const BODY: &str = "--x y\r\nContent-Disposition: form-data; name=\"Key\"\r\n\r\na/${filename}\r\n\
                        --x y\r\ncontent-disposition: form-data; name=\"empty\"\r\n\r\n\r\n\
                        --x y\r\nContent-Type: text/csv\r\nContent-Disposition: form-data; \
                        name=\"file\"; filename=\"b;=.csv\"\r\n\r\n1,2\r\n--x\r\n\r\n--x y--\r\n";

    fn read(pieces: &[&[u8]]) -> Result<(Vec<Piece>, Vec<u8>), S3Error> {
        let mut reader = Reader::new(TYPE).unwrap();
        let (mut found, mut file) = (Vec::new(), Vec::new());
        for piece in pieces {
            for piece in reader.push(piece)? {
                match piece {
                    Piece::Bytes(bytes) => file.extend_from_slice(&bytes),
                    other @ (Piece::Field(..) | Piece::File(_) | Piece::End) => found.push(other),
                }
            }
        }
        assert!(reader.has_ended());
        Ok((found, file))
    }

    #[test]
    fn it_does_not_matter_how_a_form_comes() {
        let field = |name: &str, value: &str| Piece::Field(name.to_owned(), value.to_owned());
        let expected = [
            field("key", "a/${filename}"),
            field("empty", ""),
            Piece::File("b;=.csv".to_owned()),
            Piece::End,
        ];
        for at in 0..BODY.len() {
            let (one, two) = BODY.as_bytes().split_at(at);
            let (found, file) = read(&[one, two]).unwrap();
            assert_eq!(found, expected);
            assert_eq!(file, b"1,2\r\n--x\r\n");
        }
        let bytes: Vec<&[u8]> = BODY.as_bytes().chunks(1).collect();
        assert_eq!(read(&bytes).unwrap().0, expected);
    }

    #[test]
    fn a_form_that_is_none_or_too_large_is_refused() {
        assert!(Reader::new("application/json").is_none());
        assert!(Reader::new("multipart/form-data").is_none());
        let wrong = "--x y\r\nContent-Type: text/csv\r\n\r\n1\r\n--x y--";
        assert!(read(&[wrong.as_bytes()]).is_err());
        let head = "--x y\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n";
        let large = format!("{head}{}", "1".repeat(MAX_FIELDS));
        let refused = read(&[large.as_bytes()]).unwrap_err();
        assert_eq!(refused.code, "MaxPostPreDataLengthExceeded");
    }
}
