//! Where a shipping method ships, and what it adds to its price there.

use serde::{Deserialize, Serialize};

use crate::pricing::postal_codes::PostalCodePattern;
use crate::pricing::tax::Destination;
use crate::values::money::{Money, MoneyError};
use crate::values::region::Region;

/// A country, or the part of it that is in one of the regions and has one of the postal codes.
///
/// Wire and stored shape: `{"country": "DE", "regions": [...], "postal_codes": [...], "excluded": true,
/// "surcharge": ...}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Two capital letters (ISO 3166-1 alpha-2).
    pub country: String,
    /// The regions, each by its code or name, or empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// The postal codes, or empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub postal_codes: Vec<PostalCodePattern>,
    /// Whether the method does not ship there, even if another zone or the method's countries contain it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub excluded: bool,
    /// What shipping costs there in addition to the method's price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surcharge: Option<Money>,
}

/// Why a method does not ship to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReached {
    /// The method does not ship to the country.
    #[error("this method does not ship to the country of the address")]
    Country,
    /// The method does not ship to this part of the country.
    #[error("this method does not ship to this part of the country")]
    Area,
    /// The method depends on the region, and the address has none.
    #[error("the shipping method depends on the region here")]
    RegionRequired,
    /// The method depends on the region, and this one is not known.
    #[error(
        "the shipping method depends on the region here, and this one is not known; give its name or its code in ISO 3166-2"
    )]
    UnknownRegion,
    /// The method depends on the postal code, and the address has none.
    #[error("the shipping method depends on the postal code here")]
    PostalCodeRequired,
    /// The surcharges are in different currencies.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Zone {
    /// Returns whether the zone contains the place in its country with this region, which is known if the zone has
    /// regions, and this postal code.
    fn contains(
        &self,
        region: Option<&Region>,
        postal_code: Option<&str>,
    ) -> Result<bool, NotReached> {
        let is_called = |region: &Region| {
            let mut names = self.regions.iter();
            names.any(|name| region.is_called(&self.country, name))
        };
        let in_region = self.regions.is_empty() || region.is_some_and(is_called);
        if !in_region || self.postal_codes.is_empty() {
            return Ok(in_region);
        }
        let postal_code = postal_code.ok_or(NotReached::PostalCodeRequired)?;
        let mut patterns = self.postal_codes.iter();
        Ok(patterns.any(|pattern| pattern.matches_in(&self.country, postal_code)))
    }
}

/// Returns what shipping to `destination` costs in addition to the price of a method that ships to these `countries` and
/// `zones`: the highest surcharge of the zones that contain it, if one has any.
///
/// # Errors
/// Returns [`NotReached`] if the method does not ship there, or if that depends on a part of the address that is missing
/// or not known.
pub(super) fn surcharge(
    countries: &[String],
    zones: &[Zone],
    destination: &Destination,
) -> Result<Option<Money>, NotReached> {
    let country = &destination.country;
    let everywhere = countries.is_empty() && zones.iter().all(|zone| zone.excluded);
    let in_country = everywhere || countries.contains(country);
    let zones = zones.iter().filter(|zone| zone.country == *country);
    let zones: Vec<&Zone> = zones.collect();
    if !in_country && zones.iter().all(|zone| zone.excluded) {
        return Err(NotReached::Country);
    }
    let region = region(&zones, destination)?;
    let postal_code = destination.postal_code.as_deref();
    let mut inside = Vec::new();
    for zone in zones {
        if zone.contains(region.as_ref(), postal_code)? {
            inside.push(zone);
        }
    }
    let is_excluded = inside.iter().any(|zone| zone.excluded);
    if is_excluded || (inside.is_empty() && !in_country) {
        return Err(NotReached::Area);
    }
    let mut highest: Option<Money> = None;
    for surcharge in inside.iter().filter_map(|zone| zone.surcharge) {
        highest = match highest {
            Some(other) if other.compare(surcharge)?.is_ge() => Some(other),
            Some(_) | None => Some(surcharge),
        };
    }
    Ok(highest)
}

/// Returns the region of `destination`, which its country's `zones` may depend on, or `None` if none of them does. A
/// region that ISO 3166-2 does not know is one only if a zone names it: a mistyped region must not be outside of all
/// zones.
fn region(zones: &[&Zone], destination: &Destination) -> Result<Option<Region>, NotReached> {
    if zones.iter().all(|zone| zone.regions.is_empty()) {
        return Ok(None);
    }
    let country = &destination.country;
    let text = destination.region.as_deref();
    let text = text.ok_or(NotReached::RegionRequired)?;
    if let Some(region) = Region::find(country, text) {
        return Ok(Some(region));
    }
    let region = Region::unlisted(country, text);
    let mut names = zones.iter().flat_map(|zone| &zone.regions);
    if names.any(|name| region.is_called(country, name)) {
        Ok(Some(region))
    } else {
        Err(NotReached::UnknownRegion)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::fixtures::eur;

    fn zone(country: &str, regions: &[&str], postal_codes: &[&str]) -> Zone {
        let patterns = postal_codes.iter().map(|text| text.parse().unwrap());
        Zone {
            country: country.to_owned(),
            regions: regions.iter().map(ToString::to_string).collect(),
            postal_codes: patterns.collect(),
            excluded: false,
            surcharge: None,
        }
    }

    fn dearer(zone: Zone, surcharge: &str) -> Zone {
        Zone {
            surcharge: Some(eur(surcharge)),
            ..zone
        }
    }

    fn excluded(zone: Zone) -> Zone {
        Zone {
            excluded: true,
            ..zone
        }
    }

    /// Checks what a method adds to its price in some places, `<country>/<region>/<postal code>`, with its zones in
    /// either order.
    #[track_caller]
    fn check(countries: &[&str], zones: &[Zone], expected: &[(&str, Result<&str, NotReached>)]) {
        let countries: Vec<String> = countries.iter().map(ToString::to_string).collect();
        let mut zones = zones.to_vec();
        for _ in 0..2 {
            for (place, expected) in expected {
                let parts: Vec<&str> = place.split('/').collect();
                let given = |at: usize| Some(parts[at].to_owned()).filter(|text| !text.is_empty());
                let destination = Destination {
                    country: parts[0].to_owned(),
                    region: given(1),
                    postal_code: given(2),
                    tax_number: None,
                };
                let found = surcharge(&countries, &zones, &destination);
                let found = found.map(|money| money.unwrap_or(eur("0.00")));
                assert_eq!(found, expected.map(eur), "{place}");
            }
            zones.reverse();
        }
    }

    #[test]
    fn a_method_without_countries_and_zones_ships_everywhere() {
        check(&[], &[], &[("DE//", Ok("0.00")), ("JP//", Ok("0.00"))]);
        check(
            &["AT"],
            &[],
            &[("AT//", Ok("0.00")), ("DE//", Err(NotReached::Country))],
        );
    }

    #[test]
    fn an_island_is_dearer() {
        let islands = zone("DE", &[], &["27498", "25980..25999"]);
        let north = zone("DE", &[], &["2*"]);
        check(
            &["AT", "DE"],
            &[dearer(islands, "10.00"), dearer(north, "1.00")],
            &[
                ("DE//51147", Ok("0.00")),
                ("DE//20095", Ok("1.00")),
                // The highest surcharge, wherever it stands.
                ("DE//25985", Ok("10.00")),
                ("AT//2749", Ok("0.00")),
                ("AT//", Ok("0.00")),
                ("CH//2749", Err(NotReached::Country)),
                ("DE//", Err(NotReached::PostalCodeRequired)),
            ],
        );
    }

    #[test]
    fn an_excluded_zone_wins() {
        let islands = || excluded(zone("DE", &[], &["27498", "25980..25999"]));
        check(
            &["DE"],
            &[islands(), dearer(zone("DE", &[], &["27498"]), "1.00")],
            &[
                ("DE//27498", Err(NotReached::Area)),
                ("DE//51147", Ok("0.00")),
            ],
        );
        check(
            &[],
            &[zone("DE", &[], &["2*"]), islands()],
            &[
                ("DE//27498", Err(NotReached::Area)),
                ("DE//20095", Ok("0.00")),
                ("DE//51147", Err(NotReached::Area)),
                ("AT//1010", Err(NotReached::Country)),
            ],
        );
        // Everywhere but there.
        check(
            &[],
            &[islands()],
            &[
                ("DE//27498", Err(NotReached::Area)),
                ("DE//51147", Ok("0.00")),
                ("AT//", Ok("0.00")),
            ],
        );
        // Nothing is asked about a country that the method does not ship to.
        check(&["AT"], &[islands()], &[("DE//", Err(NotReached::Country))]);
    }

    #[test]
    fn a_region_is_the_same_by_its_code_and_its_name() {
        check(
            &["ES"],
            &[
                dearer(zone("ES", &["ES-CN", "Illes Balears"], &[]), "8.00"),
                excluded(zone("ES", &["CE"], &[])),
            ],
            &[
                ("ES/Canarias/", Ok("8.00")),
                ("ES/cn/", Ok("8.00")),
                ("ES/IB/", Ok("8.00")),
                ("ES/Madrid/", Ok("0.00")),
                ("ES/Ceuta/", Err(NotReached::Area)),
                ("ES/Ceutta/", Err(NotReached::UnknownRegion)),
                ("ES//35001", Err(NotReached::RegionRequired)),
            ],
        );
    }

    #[test]
    fn a_region_that_iso_does_not_know_is_compared_as_it_is_written() {
        check(
            &[],
            &[zone("US", &["Kings County"], &["112*"])],
            &[
                ("US/kings county/11201", Ok("0.00")),
                ("US/Kings County/10001", Err(NotReached::Area)),
                ("US/Kings County/", Err(NotReached::PostalCodeRequired)),
                // Whether the code is given does not matter here.
                ("US/CA/", Err(NotReached::Area)),
                ("US/Queens County/11201", Err(NotReached::UnknownRegion)),
            ],
        );
    }
}
