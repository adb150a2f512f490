//! Percent-decoding of paths.

/// Decodes `%XX`. Everything else stays as it is, and invalid UTF-8 is replaced.
pub(super) fn decode_path(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        match (byte, after) {
            (b'%', [high, low, after @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                decoded.push(digit(*high) * 16 + digit(*low));
                rest = after;
            }
            _ => {
                decoded.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The value of a hexadecimal digit.
fn digit(hexadecimal: u8) -> u8 {
    match hexadecimal {
        b'0'..=b'9' => hexadecimal - b'0',
        b'a'..=b'f' => hexadecimal - b'a' + 10,
        _ => hexadecimal - b'A' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_encoded_is_decoded() {
        assert_eq!(decode_path("/a%20b/%C3%bc%2F"), "/a b/ü/");
        assert_eq!(decode_path("/100%/%zz+%4"), "/100%/%zz+%4");
    }
}
