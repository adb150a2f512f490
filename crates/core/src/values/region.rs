//! Regions of countries: states, provinces and the like, by their codes and names in ISO 3166-2, and by their names in
//! the official languages of their country.

use unicode_normalization::UnicodeNormalization as _;

/// The codes and names of all regions, sorted by code.
const REGIONS: &str = include_str!("region/regions.tsv");

/// A region of a country, with all that it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its code without the country, such as `CA` for California; several if its name is that of several
    /// regions, such as a province and its capital.
    codes: Vec<&'static str>,
    /// Its names, folded.
    names: Vec<String>,
}

impl Region {
    /// Returns the region of `country` that `text` is a code or a name of: `CA`, `US-CA` or `California`, `東京都`.
    /// Case, accents and punctuation do not matter.
    #[must_use]
    pub fn find(country: &str, text: &str) -> Option<Self> {
        let wanted = fold(without_country(country, text));
        let with_code = entries(country).find(|(code, _)| fold(code) == wanted);
        let found: Vec<_> = match with_code {
            Some(entry) => vec![entry],
            None => entries(country)
                .filter(|(_, names)| names.clone().any(|name| fold(name) == wanted))
                .collect(),
        };
        let names = found.iter().flat_map(|(_, names)| names.clone());
        let region = Self {
            codes: found.iter().map(|(code, _)| *code).collect(),
            names: names.map(fold).collect(),
        };
        (!found.is_empty()).then_some(region)
    }

    /// Returns the region of `country` that is called `text` and is not in ISO 3166-2, such as a county.
    #[must_use]
    pub fn unlisted(country: &str, text: &str) -> Self {
        Self {
            codes: Vec::new(),
            names: vec![fold(without_country(country, text))],
        }
    }

    /// Returns whether `text` is a code or a name of this region of `country`.
    #[must_use]
    pub fn is_called(&self, country: &str, text: &str) -> bool {
        let text = fold(without_country(country, text));
        self.names.contains(&text) || self.codes.iter().any(|code| fold(code) == text)
    }

    /// Returns the code without the country.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.codes.first().copied().unwrap_or_default()
    }
}

/// Returns the codes, without the country, and the names of the regions of `country`.
fn entries(
    country: &str,
) -> impl Iterator<Item = (&'static str, impl Iterator<Item = &'static str> + Clone)> {
    let start = format!("\n{country}-");
    let from = REGIONS.find(&start).map_or(REGIONS.len(), |at| at + 1);
    let lines = REGIONS.get(from..).unwrap_or_default().lines();
    let code = move |line: &'static str| line.strip_prefix(start.trim_start());
    lines.map_while(code).map(|line| {
        let mut parts = line.split('\t');
        (parts.next().unwrap_or_default(), parts)
    })
}

/// Returns `text` without the country in front, as ISO 3166-2 writes codes: `CA` for `US-CA`.
fn without_country<'a>(country: &str, text: &'a str) -> &'a str {
    let text = text.trim();
    let rest = text
        .get(country.len()..)
        .and_then(|rest| rest.strip_prefix('-'));
    let starts = text
        .get(..country.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(country));
    rest.filter(|_| starts).unwrap_or(text)
}

/// Returns the letters and digits of `text` without accents, in lower case.
fn fold(text: &str) -> String {
    let letters = text.nfkd().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_found_by_its_codes_and_names() {
        for (country, text, code) in [
            ("US", "CA", Some("CA")),
            ("US", "us-ca", Some("CA")),
            ("US", "California", Some("CA")),
            ("US", " CALIFORNIA ", Some("CA")),
            ("CA", "Québec", Some("QC")),
            ("CA", "quebec", Some("QC")),
            ("CA", "British-Columbia", Some("BC")),
            ("DE", "Bayern", Some("BY")),
            ("DE", "Bavaria", Some("BY")),
            ("IT", "Lombardia", Some("25")),
            ("BR", "Sao Paulo", Some("SP")),
            ("GB", "Northern Ireland", Some("NIR")),
            // In the script of the country, or of one of its languages.
            ("JP", "東京都", Some("13")),
            ("RU", "МОСКВА", Some("MOW")),
            ("RU", "Московская область", Some("MOS")),
            ("EG", "القاهرة", Some("C")),
            ("AE", "دبي", Some("DU")),
            ("CN", "北京市", Some("BJ")),
            ("TW", "台北市", Some("TPE")),
            ("KR", "서울", Some("11")),
            ("KR", "서울특별시", Some("11")),
            ("GR", "Αττική", Some("I")),
            ("GR", "αττικη", Some("I")),
            ("UA", "Київ", Some("30")),
            ("BG", "Област София", Some("22")),
            ("IL", "מחוז תל אביב", Some("TA")),
            ("TH", "กรุงเทพมหานคร", Some("10")),
            ("IN", "महाराष्ट्र", Some("MH")),
            ("GE", "თბილისი", Some("TB")),
            ("CH", "Genf", Some("GE")),
            ("ES", "Euskal Autonomia Erkidegoa", Some("PV")),
            ("JP", "大阪都", None),
            ("US", "Californai", None),
            ("US", "Quebec", None),
            ("US", "", None),
            ("XX", "CA", None),
        ] {
            let found = Region::find(country, text);
            assert_eq!(found.map(|region| region.code()), code, "{country} {text}");
        }
    }

    #[test]
    fn two_texts_name_the_same_region_if_iso_says_so_or_they_are_equal() {
        for (country, one, other, same) in [
            ("US", "CA", "California", true),
            ("US", "US-CA", "california", true),
            ("AR", "AR-B", "Buenos Aires", true),
            ("AR", "AR-B", "AR-C", false),
            ("JP", "東京都", "Tokyo", true),
            ("JP", "jp-13", "東京都", true),
            ("RU", "Moskva", "Москва", true),
            ("EG", "Cairo", "القاهرة", true),
            ("DE", "Bavaria", "Bayern", true),
            ("RU", "Москва", "Московская область", false),
            ("US", "Kings County", "kings county", true),
            ("US", "CA", "CO", false),
            ("US", "Kings County", "Queens County", false),
        ] {
            let region = Region::find(country, one);
            let region = region.unwrap_or_else(|| Region::unlisted(country, one));
            assert_eq!(region.is_called(country, other), same, "{one} {other}");
        }
    }

    #[test]
    fn the_regions_are_sorted_by_code() {
        let codes = REGIONS.lines().filter(|line| !line.starts_with('#'));
        let codes: Vec<&str> = codes.filter_map(|line| line.split('\t').next()).collect();
        assert!(codes.len() > 5000);
        assert!(codes.is_sorted());
    }
}
