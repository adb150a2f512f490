//! What addresses of a country have, as Google's address metadata says.

/// One line for each country: the country, its postal codes, the places that its addresses need, and the form of a postal
/// code (a regular expression), separated by tabs.
const COUNTRIES: &str = include_str!("countries.tsv");

/// What addresses of a country have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Whether every address has a postal code.
    pub(crate) postal_code_required: bool,
    /// Which places an address needs.
    pub(crate) places: Places,
    /// The form of a postal code in capital letters without spaces and hyphens, as a regular expression; `None` if it is
    /// not known.
    pub(crate) form: Option<&'static str>,
}

/// The places that an address needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Places {
    /// The city.
    City,
    /// The city, and the region: a state that stands before the postal code.
    CityAndRegion,
    /// The city or the region.
    CityOrRegion,
    /// None, as in Singapore.
    None,
}

impl Places {
    /// Returns whether an address needs its city, which has its region if it `has_region`.
    pub(crate) fn need_city(self, has_region: bool) -> bool {
        match self {
            Self::City | Self::CityAndRegion => true,
            Self::CityOrRegion => !has_region,
            Self::None => false,
        }
    }

    /// Returns whether an address needs its region.
    pub(crate) fn need_region(self) -> bool {
        self == Self::CityAndRegion
    }
}

impl Rules {
    /// Returns the rules of `country` (ISO 3166-1 alpha-2). Of a country that is not listed the city is required.
    pub(crate) fn of_country(country: &str) -> Self {
        let lines = COUNTRIES.lines();
        let mut fields = lines.map(|line| line.split('\t'));
        let found =
            fields.find_map(|mut fields| (fields.next() == Some(country)).then_some(fields));
        let mut fields = found.into_iter().flatten();
        Self {
            postal_code_required: fields.next() == Some("required"),
            places: match fields.next() {
                Some("region") => Places::CityAndRegion,
                Some("city_or_region") => Places::CityOrRegion,
                Some("no_city") => Places::None,
                Some(_) | None => Places::City,
            },
            form: fields.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use celes::Country;

    use super::*;

    #[test]
    fn countries_have_the_rules_of_the_metadata() {
        let rules = |country| {
            let rules = Rules::of_country(country);
            (rules.postal_code_required, rules.places, rules.form)
        };
        let five = Some("\\d{5}");
        assert_eq!(rules("DE"), (true, Places::City, five));
        assert_eq!(rules("HK"), (false, Places::CityOrRegion, None));
        assert_eq!(rules("KW"), (false, Places::City, five));
        assert_eq!(rules("SG"), (true, Places::None, Some("\\d{6}")));
        assert_eq!(
            (rules("US").0, rules("US").1),
            (true, Places::CityAndRegion)
        );
        assert_eq!(rules("??"), (false, Places::City, None));
    }

    #[test]
    fn every_country_is_listed_once_and_every_form_is_a_regular_expression() {
        let lines = COUNTRIES.lines().filter(|line| !line.starts_with('#'));
        let lines: Vec<Vec<&str>> = lines.map(|line| line.split('\t').collect()).collect();
        assert!(lines.is_sorted_by(|one, other| one[0] < other[0]));
        for line in &lines {
            assert!(
                ["required", "optional", "none"].contains(&line[1]),
                "{line:?}"
            );
            let places = ["-", "region", "city_or_region", "no_city"];
            assert!(places.contains(&line[2]), "{line:?}");
            if let Some(form) = line.get(3) {
                assert!(regex_lite::Regex::new(form).is_ok(), "{line:?}");
            }
        }
        let listed: BTreeSet<&str> = lines.iter().map(|line| line[0]).collect();
        let missing = Country::get_countries();
        let missing = missing
            .iter()
            .filter(|country| !listed.contains(country.alpha2));
        let missing: Vec<&str> = missing.map(|country| country.alpha2).collect();
        assert_eq!(missing, [""; 0]);
    }
}
