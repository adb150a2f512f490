//! Percent-encoding as S3 has it: of UTF-8, with `~` as it is, and a space as `%20`.

/// Decodes `%XX`, and `+` as a space if `plus` says so; `None` if that is not UTF-8 or not encoded as it should be.
pub(super) fn decode(text: &str, plus: bool) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        decoded.push(match byte {
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            b'+' if plus => b' ',
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

/// Encodes everything but letters, digits, `-`, `.`, `_`, `~` and what is in `also`.
pub(super) fn encode(text: &str, also: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || "-._~".contains(c) || (c.is_ascii() && also.contains(c)) {
            encoded.push(c);
        } else {
            encoded.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(digit.into(), 16).unwrap_or('0');
                encoded.push(digit.to_ascii_uppercase());
            }
        }
    }
    encoded
}

/// The parameters of a query, decoded; `None` as for [`decode`].
pub(super) fn parameters(query: &str) -> Option<Vec<(String, String)>> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        Some((decode(name, true)?, decode(value, true)?))
    };
    parts.map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_is_decoded_to_what_it_was() {
        let text = "imports/Größe +%&=~.csv";
        let encoded = encode(text, "/");
        assert_eq!(encoded, "imports/Gr%C3%B6%C3%9Fe%20%2B%25%26%3D~.csv");
        assert_eq!(decode(&encoded, true).as_deref(), Some(text));
        for wrong in ["%", "%4", "%zz", "%FF", "%+1"] {
            assert_eq!(decode(wrong, false), None, "{wrong}");
        }
        let expected = [
            ("a b".to_owned(), "1".to_owned()),
            ("c".to_owned(), String::new()),
        ];
        assert_eq!(parameters("a+b=1&c").unwrap(), expected);
    }
}
