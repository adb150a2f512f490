//! Phone numbers, in the one form that every carrier takes: E.164 (ITU-T), such as `+4930123456`.

use phonelib::PhoneNumber;

/// A text that is not a phone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a phone number")]
pub struct InvalidPhoneNumber;

/// Returns the phone number `text` in E.164. The text has the number as it is dialled from abroad or, if
/// `country` (ISO 3166-1 alpha-2) is given, as it is dialled in that country.
///
/// This checks the structure of the numbering plan and not whether a range is in service, because
/// operators open new ranges every month. Chinese mobile numbers begin with 13 to 19 and have 11 digits.
///
/// # Errors
/// Returns [`InvalidPhoneNumber`], also for a number with letters or an extension, which E.164 cannot
/// express.
pub fn parse(text: &str, country: Option<&str>) -> Result<String, InvalidPhoneNumber> {
    if !is_written_as_a_number(text) {
        return Err(InvalidPhoneNumber);
    }
    let number = match country {
        Some(country) => PhoneNumber::try_parse_with_country(text, country),
        None if text.trim_start().starts_with('+') => PhoneNumber::try_parse(text),
        None => return Err(InvalidPhoneNumber),
    };
    let number = number.map_err(|_| InvalidPhoneNumber)?;
    let e164 = number.e164();
    if number.extension().is_some() || !is_as_in_china(e164) {
        return Err(InvalidPhoneNumber);
    }
    Ok(e164.to_owned())
}

/// Returns whether `text` is written as phone numbers are: `+` at most at its beginning, digits at its end, one pair of
/// parentheses at most, and between two digits at most one of `-`, `.` and `/`. phonelib drops whatever is not a digit,
/// and would read a number into anything.
fn is_written_as_a_number(text: &str) -> bool {
    let text = text.trim_matches(' ');
    let digits = text.strip_prefix('+').unwrap_or(text);
    let written = |c: char| c.is_ascii_digit() || " -()./".contains(c);
    let separators = |part: &str| part.matches(['-', '.', '/']).count();
    let begins = digits.starts_with(|c: char| c.is_ascii_digit() || c == '(');
    let ends = digits.ends_with(|c: char| c.is_ascii_digit());
    let parentheses = digits.matches(['(', ')']).collect::<String>();
    begins
        && ends
        && digits.chars().all(written)
        && ["", "()"].contains(&parentheses.as_str())
        && digits
            .split(|c: char| c.is_ascii_digit())
            .all(|between| separators(between) <= 1)
}

/// Returns whether a Chinese number is possible: after 86, a number that begins with 1 is a mobile number
/// of 11 digits, the second of them 3 to 9, unless it begins with 10 (Beijing). Other numbers pass.
fn is_as_in_china(e164: &str) -> bool {
    let Some(rest) = e164.strip_prefix("+861") else {
        return true;
    };
    match rest.bytes().next() {
        Some(b'0') => rest.len() < 10,
        Some(b'3'..=b'9') => rest.len() == 10,
        Some(_) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, country: Option<&str>, expected: Option<&str>) {
        assert_eq!(parse(text, country).ok().as_deref(), expected, "{text:?}");
    }

    #[test]
    fn a_number_is_read_as_it_is_dialled_from_abroad_or_at_home() {
        check("+49 30 1234567", None, Some("+49301234567"));
        check("+1 (415) 555-2671", Some("DE"), Some("+14155552671"));
        check("030 1234567", Some("DE"), Some("+49301234567"));
        check("0041 44 668 18 00", Some("DE"), Some("+41446681800"));
        check("030 / 1234567", Some("DE"), Some("+49301234567"));
        check("(030) 123-45.67", Some("DE"), Some("+49301234567"));
        check("030 1234567", None, None);
    }

    #[test]
    fn chinese_mobile_numbers_begin_with_13_to_19() {
        for second in ['3', '4', '5', '6', '7', '8', '9'] {
            let number = format!("1{second}812345678");
            let expected = format!("+86{number}");
            check(&number, Some("CN"), Some(&expected));
            check(&expected, None, Some(&expected));
        }
        for second in ['0', '1', '2'] {
            check(&format!("1{second}812345678"), Some("CN"), None);
        }
        check("1381234567", Some("CN"), None);
        check("+86 138 1234 56789", None, None);
        check("010 1234 5678", Some("CN"), Some("+861012345678"));
    }

    #[test]
    fn a_text_that_is_not_a_number_is_refused() {
        for text in [
            "",
            "+",
            "12",
            "call me",
            "+49 30 abc",
            "+999 123456789",
            "+49301234567 ext. 12",
            "+49 30 1234567890123456789",
            "١٢٣٤٥٦٧٨٩٠",
            "+1415555267\u{0}1",
            "-2147483648/-1",
            "2147483648/-1",
            "030--1234567",
            "030 1234567-",
            "/030 1234567",
            "030 +1234567",
            "++49301234567",
            "(030 1234567",
            ")030( 1234567",
            "((030)) 1234567",
            "030../1234567",
        ] {
            check(text, Some("DE"), None);
        }
    }
}
