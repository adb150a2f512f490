//! Postal codes: whether a text can be one of a country.

use regex_lite::Regex;
use unicode_normalization::UnicodeNormalization as _;

use super::address::Rules;

/// The signs of countries that people write before a postal code, where they are not its two letters (the United Nations'
/// distinguishing signs of vehicles).
const SIGNS: &[(&str, &str)] = &[
    ("AT", "A"),
    ("BE", "B"),
    ("DE", "D"),
    ("ES", "E"),
    ("FI", "FIN"),
    ("FR", "F"),
    ("HU", "H"),
    ("IT", "I"),
    ("LI", "FL"),
    ("LU", "L"),
    ("NO", "N"),
    ("PT", "P"),
    ("SE", "S"),
    ("SI", "SLO"),
];

/// The most characters of a postal code, spaces and hyphens counted.
const MOST_CHARACTERS: usize = 12;

/// Returns whether `text` can be a postal code of `country` (ISO 3166-1 alpha-2): of the form that codes have there, or
/// of any form if that is not known. Case, spaces and hyphens do not matter, nor whether digits are written as in the
/// country's script or in full width, nor whether the country stands in front, as in `CH-8001`, `A-6580` and `LV-1050`.
pub(crate) fn is_possible(text: &str, country: &str) -> bool {
    text.chars().count() <= MOST_CHARACTERS
        && text == text.trim()
        && !spellings(text, country).is_empty()
}

/// Returns the letters and digits of the postal code `text` of `country`, and those without the country in front if they
/// are a code, too: what is compared, however people type it. There are none if it cannot be a postal code there.
pub(crate) fn spellings(text: &str, country: &str) -> Vec<String> {
    let Some(code) = compact(text) else {
        return Vec::new();
    };
    let signs = SIGNS.iter().filter(|(of, _)| *of == country);
    let signs = signs.map(|(_, sign)| *sign).chain([country]);
    let without_sign = signs.filter_map(|sign| code.strip_prefix(sign));
    let spellings = without_sign.map(str::to_owned);
    let mut spellings: Vec<String> = spellings.chain([code.clone()]).collect();
    let form = Rules::of_country(country).form;
    let regex = form.and_then(|form| Regex::new(&format!("^(?:{form})$")).ok());
    // Where the country is a part of each code, as in LV-1050, people leave it out.
    let has_country = form.is_some_and(|form| form.starts_with(country));
    spellings.retain(|code| match &regex {
        Some(form) => {
            form.is_match(code) || (has_country && form.is_match(&format!("{country}{code}")))
        }
        None => !code.is_empty(),
    });
    spellings
}

/// Returns the capital letters and digits of `text`; `None` if there is anything else in it but spaces and hyphens.
fn compact(text: &str) -> Option<String> {
    let separator = |c: &char| *c == ' ' || *c == '-';
    let characters = text.nfkc().filter(|c| !separator(c));
    characters
        .map(|c| {
            let c = ascii_digit(c).unwrap_or(c);
            c.is_ascii_alphanumeric().then(|| c.to_ascii_uppercase())
        })
        .collect()
}

/// Returns the digit that `c` is in Arabic, Persian, Hindi, Bengali or Thai.
fn ascii_digit(c: char) -> Option<char> {
    const ZEROS: [char; 5] = ['\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{e50}'];
    let values = ZEROS
        .iter()
        .map(|zero| u32::from(c).wrapping_sub(u32::from(*zero)));
    let value = values.min()?;
    char::from_digit(value, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_form_of_their_country() {
        for (text, country) in [
            ("10115", "DE"),
            ("8001", "CH"),
            ("CH-8001", "CH"),
            ("A-6580", "AT"),
            ("FIN-00100", "FI"),
            ("LT-01001", "LT"),
            ("1050", "LV"),
            ("LV-1050", "LV"),
            ("SW1A 1AA", "GB"),
            ("sw1a1aa", "GB"),
            ("M1 1AE", "GB"),
            ("1012 AB", "NL"),
            ("K1A 0B1", "CA"),
            ("94105-1234", "US"),
            ("100-0001", "JP"),
            ("１００－０００１", "JP"),
            ("100000", "CN"),
            ("BT1 1AA", "GB"),
            ("AZ1000", "AZ"),
            ("00-950", "PL"),
            ("00950", "PL"),
            ("C1420", "AR"),
            ("D02 AF30", "IE"),
            ("١١٥١١", "EG"),
            ("۱۱۳۶۹۱۴۵۱۱", "IR"),
            ("১২০৫", "BD"),
            ("००१११", "NP"),
            ("１０１１５", "DE"),
            // Written where there are no codes.
            ("000", "HK"),
            ("00000", "AE"),
        ] {
            assert!(is_possible(text, country), "{text} {country}");
        }
        for (text, country) in [
            ("1011", "DE"),
            ("F-10115", "DE"),
            ("Mitte", "DE"),
            ("1e309", "DE"),
            ("101155", "DE"),
            ("10000", "CN"),
            ("123", "US"),
            ("", "DE"),
            ("", "AZ"),
            ("", "HK"),
            (" 10115", "DE"),
            ("10115\n", "DE"),
            ("10_15", "DE"),
            ("1 0 1 1 5 - - - - - ", "DE"),
            ("12345678901", "AZ"),
            ("九龍", "HK"),
        ] {
            assert!(!is_possible(text, country), "{text:?} {country}");
        }
    }

    #[test]
    fn digits_of_other_scripts_are_digits() {
        assert_eq!(compact("０-۹ ٣९৯๙").as_deref(), Some("093999"));
        assert_eq!(ascii_digit('a'), None);
    }
}
