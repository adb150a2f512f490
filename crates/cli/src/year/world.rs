//! Where the year sells to: thirty countries, each with an address and the taxes that are added to the prices.
//!
//! The rates are the countries' standard rates as far as they were known in 2026; the year checks how they are charged,
//! and not whether they are in force.

use serde_json::{Value, json};

/// A place that orders are shipped to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    country: &'static str,
    region: Option<&'static str>,
    city: &'static str,
    postal_code: Option<&'static str>,
    taxes: &'static [Tax],
}

/// A tax, with its rate in hundredths of a percent.
#[derive(Clone, Copy, Debug)]
struct Tax {
    name: &'static str,
    rate: u64,
    /// Whether only this region charges it.
    regional: bool,
}

const fn vat(rate: u64) -> Tax {
    Tax {
        name: "VAT",
        rate,
        regional: false,
    }
}

const fn place(
    country: &'static str,
    city: &'static str,
    postal_code: &'static str,
    taxes: &'static [Tax],
) -> Place {
    Place {
        country,
        region: None,
        city,
        postal_code: Some(postal_code),
        taxes,
    }
}

/// All places. The first is where a third of the orders go.
pub(super) const PLACES: [Place; 30] = [
    place("DE", "Berlin", "10115", &[vat(1900)]),
    place("AT", "Wien", "1010", &[vat(2000)]),
    place("BE", "Bruxelles", "1000", &[vat(2100)]),
    place("BG", "София", "1000", &[vat(2000)]),
    place("CZ", "Praha", "110 00", &[vat(2100)]),
    place("DK", "København", "1050", &[vat(2500)]),
    place("EE", "Tallinn", "10111", &[vat(2400)]),
    place("ES", "Madrid", "28001", &[vat(2100)]),
    place("FI", "Helsinki", "00100", &[vat(2550)]),
    place("FR", "Paris", "75001", &[vat(2000)]),
    place("GR", "Αθήνα", "105 57", &[vat(2400)]),
    place("HR", "Zagreb", "10000", &[vat(2500)]),
    place("HU", "Budapest", "1011", &[vat(2700)]),
    place("IT", "Roma", "00118", &[vat(2200)]),
    place("LT", "Vilnius", "01100", &[vat(2100)]),
    place("LU", "Luxembourg", "1111", &[vat(1700)]),
    place("LV", "Rīga", "LV-1050", &[vat(2100)]),
    place("NL", "Amsterdam", "1011 AB", &[vat(2100)]),
    place("PL", "Warszawa", "00-001", &[vat(2300)]),
    place("PT", "Lisboa", "1100-001", &[vat(2300)]),
    place("RO", "București", "010011", &[vat(2100)]),
    place("SE", "Stockholm", "111 20", &[vat(2500)]),
    place("CH", "Zürich", "8001", &[vat(810)]),
    place("NO", "Oslo", "0150", &[vat(2500)]),
    place("GB", "London", "SW1A 1AA", &[vat(2000)]),
    place("JP", "東京", "100-0001", &[vat(1000)]),
    place("NZ", "Auckland", "1010", &[vat(1500)]),
    Place {
        region: Some("BC"),
        ..place(
            "CA",
            "Vancouver",
            "V6B 1A1",
            &[
                Tax {
                    name: "GST",
                    rate: 500,
                    regional: false,
                },
                Tax {
                    name: "PST",
                    rate: 700,
                    regional: true,
                },
            ],
        )
    },
    Place {
        region: Some("California"),
        ..place(
            "US",
            "Sacramento",
            "95814",
            &[Tax {
                name: "Sales tax",
                rate: 725,
                regional: true,
            }],
        )
    },
    Place {
        postal_code: None,
        ..place("HK", "香港", "", &[])
    },
];

impl Place {
    /// Returns an address there.
    pub(super) fn address(&self, recipient: &str) -> Value {
        let mut address = json!({
            "recipient": recipient, "line1": "1", "city": self.city, "country": self.country,
        });
        if let Some(region) = self.region {
            address["region"] = region.into();
        }
        if let Some(postal_code) = self.postal_code {
            address["postal_code"] = postal_code.into();
        }
        address
    }

    /// Returns the country, two capital letters.
    pub(super) fn country(&self) -> &'static str {
        self.country
    }

    /// Returns the tax on goods for `net`: each tax is rounded once, halves to the even unit.
    pub(super) fn tax(&self, net: u64) -> u64 {
        let taxes = self.taxes.iter();
        taxes.map(|tax| rounded(net * tax.rate, 10_000)).sum()
    }
}

/// Returns `dividend / divisor`, rounded half to even.
fn rounded(dividend: u64, divisor: u64) -> u64 {
    let (quotient, rest) = (dividend / divisor, dividend % divisor);
    let up = 2 * rest > divisor || (2 * rest == divisor && quotient % 2 == 1);
    quotient + u64::from(up)
}

/// Returns the shop's tax settings, as `PUT /tax-rates` takes them: all taxes are added to the prices, and rounded once for an
/// order.
pub(super) fn tax_settings() -> Value {
    let rates = PLACES.iter().flat_map(|place| {
        place.taxes.iter().map(|tax| {
            let mut rate = json!({
                "name": tax.name, "country": place.country, "component": tax.name,
                "rate": format!("0.{:04}", tax.rate), "included": false,
            });
            if tax.regional {
                rate["region"] = place.region.into();
            }
            rate
        })
    });
    json!({"items": rates.collect::<Vec<Value>>(), "rounding": "order"})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tax_is_rounded_once_and_halves_to_the_even_unit() {
        let place = |country| {
            PLACES
                .iter()
                .find(|place| place.country == country)
                .unwrap()
        };
        assert_eq!(place("DE").tax(1_050), 200); // 199.5
        assert_eq!(place("DE").tax(950), 180); // 180.5
        assert_eq!(place("CA").tax(1_030), 52 + 72); // 51.5 and 72.1
        assert_eq!(place("HK").tax(1_000), 0);
    }
}
