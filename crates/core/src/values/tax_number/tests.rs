use super::*;

/// Examples, most of them those of python-stdnum's documentation (`stdnum.at.uid` and the like). Those marked with
/// `true` have a checksum that finds a mistyped last character.
const NUMBERS: [(&str, &str, bool); 33] = [
    ("ATU13585627", "AT", true),
    ("BE0428759497", "BE", true),
    ("BG175074752", "BG", true),
    ("CY10259033P", "CY", true),
    ("CZ25123891", "CZ", true),
    ("CZ7103192745", "CZ", false),
    ("DE136695976", "DE", true),
    ("DK13585628", "DK", true),
    ("EE100931558", "EE", true),
    ("EL094259216", "GR", true),
    ("ESA13585625", "ES", true),
    ("ESB58378431", "ES", true),
    ("ES54362315K", "ES", true),
    ("ESX2482300W", "ES", true),
    ("FI20774740", "FI", true),
    ("FR40303265045", "FR", true),
    ("FRK7399859412", "FR", true),
    ("HR33392005961", "HR", true),
    ("HU12892312", "HU", true),
    ("IE6433435F", "IE", true),
    ("IE6433435OA", "IE", false),
    ("IE8D79739I", "IE", true),
    ("IT00743110157", "IT", true),
    ("LT119511515", "LT", true),
    ("LT100001919017", "LT", true),
    ("LU15027442", "LU", true),
    ("LV40003521600", "LV", true),
    ("MT11679112", "MT", true),
    ("NL004495445B01", "NL", false),
    ("PL8567346215", "PL", true),
    ("PT501964843", "PT", true),
    ("RO18547290", "RO", true),
    ("SK2022749619", "SK", true),
];

#[test]
fn numbers_that_exist_are_taken() {
    for (number, country, _) in NUMBERS {
        let read = number.parse::<TaxNumber>();
        let read = read.map(|read| (read.to_string(), read.country().to_owned()));
        assert_eq!(read, Ok((number.to_owned(), country.to_owned())));
    }
    for number in [
        "SE123456789701",
        "SI50223054",
        "XI980780684",
        "NL123456789B13",
    ] {
        assert!(number.parse::<TaxNumber>().is_ok(), "{number}");
    }
}

#[test]
fn a_mistyped_number_is_refused() {
    for (number, _, _) in NUMBERS.iter().filter(|(_, _, checked)| *checked) {
        let (first, last) = number.split_at(number.len() - 1);
        let other = match last.as_bytes()[0] {
            b'9' => '0',
            b'Z' => 'A',
            byte => char::from(byte + 1),
        };
        let mistyped = format!("{first}{other}");
        assert_eq!(
            mistyped.parse::<TaxNumber>(),
            Err(InvalidTaxNumber::Mistyped),
            "{mistyped}"
        );
        // Romania's have two to ten digits, and one without its last digit can be another.
        let shorter = first.parse::<TaxNumber>();
        assert!(
            shorter == Err(InvalidTaxNumber::Mistyped) || first.starts_with("RO"),
            "{first}"
        );
        let longer = format!("{number}11111");
        assert_eq!(
            longer.parse::<TaxNumber>(),
            Err(InvalidTaxNumber::Mistyped),
            "{longer}"
        );
    }
}

#[test]
fn spaces_dots_hyphens_and_case_do_not_matter() {
    for text in [
        "atu 135 856 27",
        " ATU13585627 ",
        "AT-U.13585627",
        "AT\u{a0}U13585627",
    ] {
        let number: TaxNumber = text.parse().unwrap();
        assert_eq!(number.to_string(), "ATU13585627");
    }
}

#[test]
fn greece_may_be_written_as_iso_does() {
    let number: TaxNumber = "GR 094259216".parse().unwrap();
    assert_eq!(
        (number.to_string().as_str(), number.country()),
        ("EL094259216", "GR")
    );
}

#[test]
fn invalid_tax_numbers_are_refused() {
    for (text, error) in [
        ("", InvalidTaxNumber::Country),
        ("1", InvalidTaxNumber::Country),
        ("US123456789", InvalidTaxNumber::Country),
        ("GB980780684", InvalidTaxNumber::Country),
        ("123456789", InvalidTaxNumber::Country),
        ("ATÜ13585627", InvalidTaxNumber::Mistyped),
        ("AT", InvalidTaxNumber::Mistyped),
        // The length of another country's, a sign in the key, and zeros.
        ("DE00798400758", InvalidTaxNumber::Mistyped),
        ("HR162566408", InvalidTaxNumber::Mistyped),
        ("FR+3100000207", InvalidTaxNumber::Mistyped),
        ("IT00000000000", InvalidTaxNumber::Mistyped),
        ("NL000000000B00", InvalidTaxNumber::Mistyped),
        ("EL000000000", InvalidTaxNumber::Mistyped),
        ("DE", InvalidTaxNumber::Mistyped),
        ("DE１３６６９５９７６", InvalidTaxNumber::Mistyped),
        ("德123", InvalidTaxNumber::Country),
    ] {
        assert_eq!(text.parse::<TaxNumber>(), Err(error), "{text:?}");
    }
}

#[test]
fn a_number_is_not_printed_for_debugging() {
    let number: TaxNumber = "ATU13585627".parse().unwrap();
    assert_eq!(format!("{number:?}"), "TaxNumber(AT...)");
}
