//! The encoding `aws-chunked`: chunks of a body, and after them headers that were not known before.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>

use bytes::{Buf, Bytes, BytesMut};

use super::error::S3Error;

/// The longest line between chunks, in bytes.
const MAX_LINE: usize = 1024;

/// Decodes a body as it comes.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    buffer: BytesMut,
    state: State,
    trailers: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// A line with the size of the next chunk comes.
    #[default]
    Size,
    /// So many bytes of a chunk come.
    Data(usize),
    /// The end of the line after a chunk comes.
    AfterData,
    /// Lines with headers come.
    Trailers,
    /// Nothing comes any more.
    End,
}

impl Decoder {
    /// Takes the next bytes, and returns what of the body they contain.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Bytes>, S3Error> {
        self.buffer.extend_from_slice(bytes);
        let mut decoded = Vec::new();
        loop {
            match self.state {
                State::Data(0) => self.state = State::AfterData,
                State::Data(left) => {
                    let ready = left.min(self.buffer.len());
                    if ready == 0 {
                        return Ok(decoded);
                    }
                    decoded.push(self.buffer.split_to(ready).freeze());
                    self.state = State::Data(left - ready);
                }
                State::End => {
                    if self.buffer.is_empty() {
                        return Ok(decoded);
                    }
                    return Err(malformed());
                }
                State::Size | State::AfterData | State::Trailers => {
                    let Some(line) = self.line()? else {
                        return Ok(decoded);
                    };
                    self.read(&line)?;
                }
            }
        }
    }

    /// The headers after the chunks, once the body has ended.
    pub(super) fn finish(self) -> Result<Vec<(String, String)>, S3Error> {
        // The empty line at the very end may be missing.
        let ended = matches!(self.state, State::End | State::Trailers);
        if ended && self.buffer.is_empty() {
            Ok(self.trailers)
        } else {
            Err(malformed())
        }
    }

    fn read(&mut self, line: &str) -> Result<(), S3Error> {
        self.state = match self.state {
            State::Size => {
                let size = line.split(';').next().unwrap_or_default().trim();
                match usize::from_str_radix(size, 16).map_err(|_| malformed())? {
                    0 => State::Trailers,
                    size => State::Data(size),
                }
            }
            State::Trailers if line.is_empty() => State::End,
            State::Trailers => {
                let (name, value) = line.split_once(':').ok_or_else(malformed)?;
                let name = name.trim().to_ascii_lowercase();
                self.trailers.push((name, value.trim().to_owned()));
                if self.trailers.len() > 10 {
                    return Err(malformed());
                }
                State::Trailers
            }
            State::AfterData if line.is_empty() => State::Size,
            State::AfterData | State::Data(_) | State::End => return Err(malformed()),
        };
        Ok(())
    }

    /// The next line, if all of it is there.
    fn line(&mut self) -> Result<Option<String>, S3Error> {
        let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') else {
            if self.buffer.len() > MAX_LINE {
                return Err(malformed());
            }
            return Ok(None);
        };
        let mut line = self.buffer.split_to(end);
        self.buffer.advance(1);
        if line.last() == Some(&b'\r') {
            line.truncate(end - 1);
        }
        let line = String::from_utf8(line.to_vec()).map_err(|_| malformed())?;
        Ok(Some(line))
    }
}

fn malformed() -> S3Error {
    S3Error::client("IncompleteBody", "The request body terminated unexpectedly")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str =
        "5\r\nhello\r\n1;chunk-signature=a\r\n!\r\n0\r\nX-Amz-Checksum-Crc32: abc=\r\n\r\n";

    type Decoded = (Vec<u8>, Vec<(String, String)>);

    fn decode(pieces: &[&[u8]]) -> Result<Decoded, S3Error> {
        let mut decoder = Decoder::default();
        let mut body = Vec::new();
        for piece in pieces {
            for part in decoder.push(piece)? {
                body.extend_from_slice(&part);
            }
        }
        Ok((body, decoder.finish()?))
    }

    #[test]
    fn it_does_not_matter_how_the_bytes_come() {
        let trailers = vec![("x-amz-checksum-crc32".to_owned(), "abc=".to_owned())];
        let bytes = BODY.as_bytes();
        for at in 0..bytes.len() {
            let (one, two) = bytes.split_at(at);
            assert_eq!(
                decode(&[one, two]).unwrap(),
                (b"hello!".to_vec(), trailers.clone())
            );
        }
        let (body, none) = decode(&[b"0\r\n\r\n"]).unwrap();
        assert!(body.is_empty() && none.is_empty());
    }

    #[test]
    fn a_body_that_ends_too_early_or_goes_on_is_refused() {
        for wrong in [
            "",
            "5\r\nhell",
            "5\r\nhello\r\n",
            "zz\r\n",
            "5\r\nhelloX\r\n0\r\n\r\n",
        ] {
            assert!(decode(&[wrong.as_bytes()]).is_err(), "{wrong}");
        }
        // At once, so that what goes on for ever is not kept.
        assert!(Decoder::default().push(b"0\r\n\r\nmore").is_err());
    }
}
