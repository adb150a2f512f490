//! The MD5 digests with which SDKs check that SQS got what they sent.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::store::Attribute;

/// The digest of a message body, in hexadecimal.
pub(super) fn of_body(body: &str) -> String {
    format!("{:x}", md5::compute(body))
}

/// The digest of a message's attributes; `None` if it has none. By name in order: name, type, a
/// byte for the kind of value, and value, each text with its length before it (SQS Developer Guide,
/// "Calculating the MD5 message digest for message attributes").
pub(super) fn of_attributes(attributes: &BTreeMap<String, Attribute>) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut bytes = Vec::new();
    for (name, attribute) in attributes {
        put(&mut bytes, name.as_bytes());
        put(&mut bytes, attribute.data_type.as_bytes());
        if let Some(base64) = &attribute.binary_value {
            bytes.push(2);
            put(&mut bytes, &STANDARD.decode(base64).unwrap_or_default());
        } else {
            bytes.push(1);
            put(
                &mut bytes,
                attribute
                    .string_value
                    .as_deref()
                    .unwrap_or_default()
                    .as_bytes(),
            );
        }
    }
    Some(format!("{:x}", md5::compute(bytes)))
}

fn put(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(part);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_that_sdks_expect() {
        assert_eq!(
            of_body("This is a test message"),
            "fafb00f5732ab283681e124bf8747ed1"
        );
        let attribute = |data_type: &str, value: &str| Attribute {
            data_type: data_type.to_owned(),
            string_value: Some(value.to_owned()),
            binary_value: None,
        };
        let attributes = BTreeMap::from([
            (
                "AccountId".to_owned(),
                attribute("String.AccountId", "000123456"),
            ),
            (
                "NumberId".to_owned(),
                attribute("Number", "230.000000000000000001"),
            ),
        ]);
        assert_eq!(
            of_attributes(&attributes).unwrap(),
            "0734578582276ede468a2092059004d9"
        );
        assert_eq!(of_attributes(&BTreeMap::new()), None);
    }
}
