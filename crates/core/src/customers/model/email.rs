//! Email addresses.

use std::fmt;
use std::str::FromStr;

use email_address::{EmailAddress, Options};

/// The longest email address (RFC 5321 section 4.5.3.1.3: a path has at most 256 octets, including two
/// angle brackets).
const MAX_EMAIL_CHARACTERS: usize = 254;

/// An email address, as it was entered.
///
/// `Debug` does not show it, so that no log contains an address.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

/// The error for a text that is not an email address at a host name with a dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an email address")]
pub struct InvalidEmail;

impl Email {
    /// Returns the address as it was entered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the address in lower case. Addresses that are equal in lower case belong to the same
    /// customer.
    #[must_use]
    pub fn lowercase(&self) -> String {
        self.0.to_lowercase()
    }

    /// Returns the address `text` that is stored. Earlier releases accepted more than mail can be sent to.
    #[must_use]
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// Returns whether mail can be sent to the address.
    #[must_use]
    pub fn is_deliverable(&self) -> bool {
        self.0.parse::<Self>().is_ok()
    }

    /// Returns the mailbox that the address leads to at most providers: in lower case, without a tag (`+shop`) and
    /// without dots before the `@`. Only counts are kept by it.
    #[must_use]
    pub fn mailbox(&self) -> String {
        let address = self.lowercase();
        let (local, domain) = address.rsplit_once('@').unwrap_or((&address, ""));
        let name = local.split('+').next().unwrap_or_default();
        format!("{}@{domain}", name.replace('.', ""))
    }
}

/// Returns whether `domain` is a host name with a dot (RFC 1123 section 2.1), and not an IP address.
fn is_host_name(domain: &str) -> bool {
    let is_label = |label: &str| {
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(letters)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let top = domain.rsplit_once('.').map(|(_, top)| top);
    domain.split('.').all(is_label)
        && top.is_some_and(|top| top.len() > 1 && !top.bytes().all(|byte| byte.is_ascii_digit()))
}

impl FromStr for Email {
    type Err = InvalidEmail;

    fn from_str(text: &str) -> Result<Self, InvalidEmail> {
        let options = Options::default()
            .with_required_tld()
            .without_domain_literal()
            .without_display_text();
        // SES takes only ASCII: a domain with other letters in its `xn--` form, and no such mailbox.
        if text.len() > MAX_EMAIL_CHARACTERS || !text.is_ascii() {
            return Err(InvalidEmail);
        }
        let address = EmailAddress::parse_with_options(text, options).map_err(|_| InvalidEmail)?;
        // The provider refuses a quoted local part (RFC 5322 section 3.4.1) and a domain that is not a host name.
        if address.local_part().contains('"') || !is_host_name(address.domain()) {
            return Err(InvalidEmail);
        }
        Ok(Self(address.into()))
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_mailbox_at_a_domain() {
        for text in ["ana@example.com", "Ana.Li+shop@sub.example.co.uk"] {
            assert_eq!(text.parse::<Email>().unwrap().as_str(), text);
        }
        let long = format!("{}@{}.com", "a".repeat(60), "b".repeat(200));
        for text in [
            "",
            "ana",
            "ana@",
            "@example.com",
            "ana@localhost",
            "ana@[127.0.0.1]",
            "Ana <ana@example.com>",
            "ana@example.com\r\nBcc: eve@example.com",
            "a b@example.com",
            "\"a b\"@example.com",
            "\"ana\"@example.com",
            "ana@example.com%00",
            "ana@exam_ple.com",
            "ana@-example.com",
            "ana@example-.com",
            "ana@example..com",
            "ana@example.com.",
            "ana@127.0.0.1",
            "ana@example.1",
            ".ana@example.com",
            "ana..li@example.com",
            "ana.@example.com",
            "j\u{fc}rgen@example.com",
            "ana@b\u{fc}cher.example",
            &long,
        ] {
            assert_eq!(text.parse::<Email>(), Err(InvalidEmail), "{text:?}");
        }
    }

    #[test]
    fn an_address_is_compared_in_lower_case_and_never_shown() {
        let email: Email = "Ana@Example.COM".parse().unwrap();
        assert_eq!(email.lowercase(), "ana@example.com");
        assert!(!format!("{email:?}").to_lowercase().contains("ana"));
    }

    #[test]
    fn an_address_that_was_accepted_earlier_is_read_and_not_written_to() {
        for (text, deliverable) in [
            ("\"a b\"@example.com", false),
            ("ana@127.0.0.1", false),
            ("ana@example.com", true),
        ] {
            let email = Email::stored(text.to_owned());
            assert_eq!(
                (email.as_str(), email.is_deliverable()),
                (text, deliverable)
            );
        }
    }

    #[test]
    fn addresses_of_one_mailbox_are_counted_together() {
        for text in [
            "ana.li@example.com",
            "Ana.Li+1@Example.com",
            "a.n.a.l.i@example.com",
        ] {
            let email: Email = text.parse().unwrap();
            assert_eq!(email.mailbox(), "anali@example.com");
        }
        let other: Email = "ana.li@sub.example.com".parse().unwrap();
        assert_eq!(other.mailbox(), "anali@sub.example.com");
    }
}
