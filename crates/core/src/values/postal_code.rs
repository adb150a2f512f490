//! Postal codes: how many digits, or letters and digits, they have in each country.
//!
//! Source: the Universal Postal Union's addressing guides, and Unicode CLDR's postal code data
//! (`postalCodeData`, last in release 26), for the countries below. Elsewhere anything of three to ten
//! letters and digits passes: a shop should not refuse a parcel over a table.

/// A country, and the numbers of letters and digits that its codes have.
const LENGTHS: &[(&str, &[usize])] = &[
    ("AR", &[4, 8]),
    ("AT", &[4]),
    ("AU", &[4]),
    ("BE", &[4]),
    ("BG", &[4]),
    ("BR", &[8]),
    ("CA", &[6]),
    ("CH", &[4]),
    ("CN", &[6]),
    ("CY", &[4]),
    ("CZ", &[5]),
    ("DE", &[5]),
    ("DK", &[4]),
    ("EE", &[5]),
    ("ES", &[5]),
    ("FI", &[5]),
    ("FR", &[5]),
    ("GB", &[5, 6, 7]),
    ("GR", &[5]),
    ("HR", &[5]),
    ("HU", &[4]),
    ("IE", &[7]),
    ("IN", &[6]),
    ("IS", &[3]),
    ("IT", &[5]),
    ("JP", &[7]),
    ("KR", &[5]),
    ("LI", &[4]),
    ("LT", &[5]),
    ("LU", &[4]),
    ("LV", &[4]),
    ("MC", &[5]),
    ("MT", &[7]),
    ("MX", &[5]),
    ("NL", &[6]),
    ("NO", &[4]),
    ("NZ", &[4]),
    ("PL", &[5]),
    ("PT", &[7]),
    ("RO", &[6]),
    ("SE", &[5]),
    ("SG", &[6]),
    ("SI", &[4]),
    ("SK", &[5]),
    ("TR", &[5]),
    ("US", &[5, 9]),
    ("ZA", &[4]),
];

/// Those of these countries whose codes have letters too.
const WITH_LETTERS: &[&str] = &["AR", "CA", "GB", "IE", "MT", "NL"];

/// The most characters of a postal code, spaces and hyphens counted.
const MOST_CHARACTERS: usize = 12;

/// Returns whether `text` can be a postal code of `country` (ISO 3166-1 alpha-2): letters, digits, spaces
/// and hyphens, with as many letters and digits as codes have there. The country's letters in front, as in
/// `CH-8001`, do not count.
pub(crate) fn is_possible(text: &str, country: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || c == ' ' || c == '-';
    if !text.chars().all(known) || text.len() > MOST_CHARACTERS || text != text.trim() {
        return false;
    }
    let counted = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).count();
    let lengths = LENGTHS.iter().find(|(code, _)| *code == country);
    let digits = |text: &str| !text.contains(|c: char| c.is_ascii_alphabetic());
    let fits = |text: &str| match lengths {
        Some((_, lengths)) => {
            lengths.contains(&counted(text)) && (WITH_LETTERS.contains(&country) || digits(text))
        }
        None => (3..=10).contains(&counted(text)),
    };
    fits(text) || without_country(text, country).is_some_and(fits)
}

/// Returns `text` without the country's letters in front, as in `CH-8001`, or `None` if they are not there.
pub(crate) fn without_country<'a>(text: &'a str, country: &str) -> Option<&'a str> {
    let rest = text.strip_prefix(country)?;
    rest.strip_prefix(['-', ' '])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_length_of_their_country() {
        for (text, country) in [
            ("10115", "DE"),
            ("8001", "CH"),
            ("CH-8001", "CH"),
            ("LT-01001", "LT"),
            ("SW1A 1AA", "GB"),
            ("M1 1AE", "GB"),
            ("1012 AB", "NL"),
            ("K1A 0B1", "CA"),
            ("94105-1234", "US"),
            ("100-0001", "JP"),
            ("100000", "CN"),
            ("BT1 1AA", "GB"),
            ("AZ1000", "AZ"),
        ] {
            assert!(is_possible(text, country), "{text} {country}");
        }
        for (text, country) in [
            ("1011", "DE"),
            ("Mitte", "DE"),
            ("1e309", "DE"),
            ("101155", "DE"),
            ("10000", "CN"),
            ("123", "US"),
            ("", "DE"),
            ("", "AZ"),
            (" 10115", "DE"),
            ("10115\n", "DE"),
            ("１０１１５", "DE"),
            ("10_15", "DE"),
            ("1 0 1 1 5 - - - - - ", "DE"),
            ("12345678901", "AZ"),
        ] {
            assert!(!is_possible(text, country), "{text:?} {country}");
        }
    }

    #[test]
    fn the_countries_are_in_order_and_exist() {
        assert!(LENGTHS.is_sorted_by(|(one, _), (other, _)| one < other));
        for (country, _) in LENGTHS {
            assert!(celes::Country::from_alpha2(country).is_ok(), "{country}");
        }
    }
}
