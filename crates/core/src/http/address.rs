//! Postal addresses in requests and responses.

use serde::Serialize;

use super::body::{Body, Json};
use super::problem::Fault;
use crate::values::address::{Address, Rules, is_country};
use crate::values::tax_number::TaxNumber;
use crate::values::{phone, postal_code};

/// Reads an address that a parcel can be sent to: each text is one line, the country exists, what the country's addresses
/// need is there, and the postal code and the phone number are possible in that country.
pub(crate) fn read(address: &mut Body<'_>) -> Option<Address> {
    read_with(address, true)
}

/// Reads as much of an address as is given, at least the country. Parts that are not given are empty; [`missing`] says
/// which of them a parcel needs.
pub(crate) fn read_as_known(address: &mut Body<'_>) -> Option<Address> {
    read_with(address, false)
}

/// Reads an address; a `complete` one has the parts that a parcel needs.
fn read_with(address: &mut Body<'_>, complete: bool) -> Option<Address> {
    let line = |json: Json<'_>| json.line(1..=100);
    let empty_or_line = |json: Json<'_>| json.line(0..=100);
    let recipient = part(address, "recipient", complete, line);
    let company = address.optional("company", empty_or_line);
    let line1 = part(address, "line1", complete, line);
    let line2 = address.optional("line2", empty_or_line);
    let has_region = address.has_text("region");
    let country = address.required("country", country);
    // An unknown country is one fault, not four.
    let of = country.as_deref();
    let rules = of.filter(|_| complete).map(Rules::of_country);
    let is_needed = rules.is_some_and(|rules| rules.places.need_city(has_region));
    let city = part(address, "city", is_needed, line);
    let is_needed = rules.is_some_and(|rules| rules.places.need_region());
    let region = part(address, "region", is_needed, |json| {
        json.line(usize::from(is_needed)..=100)
    });
    let is_needed = rules.is_some_and(|rules| rules.postal_code_required);
    let postal_code = part(address, "postal_code", is_needed, |json| {
        postal_code(json, of, is_needed)
    });
    let phone = address.optional("phone", |json| phone_of(json, of));
    let tax_number = address.optional("tax_number", tax_number);
    Some(Address {
        recipient: recipient?,
        company: company?.filter(|text| !text.is_empty()),
        line1: line1?,
        line2: line2?.filter(|text| !text.is_empty()),
        city: city?,
        region: Some(region?).filter(|text| !text.is_empty()),
        postal_code: Some(postal_code?).filter(|text| !text.is_empty()),
        country: country?,
        phone: phone?.filter(|text| !text.is_empty()),
        tax_number: tax_number?,
    })
}

/// Reads a part of an address, which has to be there if it `is_needed`; otherwise it is empty if it is missing.
fn part(
    address: &mut Body<'_>,
    name: &str,
    is_needed: bool,
    read: impl FnOnce(Json<'_>) -> Option<String>,
) -> Option<String> {
    if is_needed {
        address.required(name, read)
    } else {
        address.optional(name, read).map(Option::unwrap_or_default)
    }
}

/// Returns a fault for each part that a parcel needs and `address`, which is at `pointer`, does not have.
pub(crate) fn missing(address: &Address, pointer: &str) -> Vec<Fault> {
    let rules = Rules::of_country(&address.country);
    let parts = [
        ("recipient", true, Some(&address.recipient)),
        ("line1", true, Some(&address.line1)),
        (
            "city",
            rules.places.need_city(address.region.is_some()),
            Some(&address.city),
        ),
        (
            "region",
            rules.places.need_region(),
            address.region.as_ref(),
        ),
        (
            "postal_code",
            rules.postal_code_required,
            address.postal_code.as_ref(),
        ),
    ];
    let missing = parts.into_iter();
    let missing =
        missing.filter(|(_, is_needed, text)| *is_needed && text.is_none_or(String::is_empty));
    let faults = missing.map(|(name, ..)| Fault {
        pointer: format!("{pointer}/{name}"),
        code: "required",
        detail: "this field is required, because goods of the order are shipped".to_owned(),
    });
    faults.collect()
}

/// Reads an existing country as two capital letters.
pub(crate) fn country(json: Json<'_>) -> Option<String> {
    json.parsed(
        "this must be a country's two capital letters, as in ISO 3166-1",
        |text| {
            if is_country(text) {
                Ok(text.to_owned())
            } else {
                Err(())
            }
        },
    )
}

/// Reads a postal code; an empty text stands for none, unless it `is_needed`.
fn postal_code(json: Json<'_>, country: Option<&str>, is_needed: bool) -> Option<String> {
    json.parsed(
        "this must be a postal code as the country has them",
        |text| {
            let is_missing = text.is_empty() && !is_needed;
            if is_missing || country.is_none_or(|country| postal_code::is_possible(text, country)) {
                Ok(text.to_owned())
            } else {
                Err(())
            }
        },
    )
}

/// Reads a phone number; an empty text stands for none.
fn phone_of(json: Json<'_>, country: Option<&str>) -> Option<String> {
    json.parsed(
        "this must be a phone number, as +49 30 1234567 or as it is dialled in the country",
        |text| match country {
            Some(country) if !text.is_empty() => phone::parse(text, Some(country)).map_err(|_| ()),
            Some(_) | None => Ok(String::new()),
        },
    )
}

/// Reads the tax number of a business.
pub(crate) fn tax_number(json: Json<'_>) -> Option<TaxNumber> {
    let place = json.clone();
    let text = json.line(1..=30)?;
    match text.parse::<TaxNumber>() {
        Ok(number) => Some(number),
        Err(invalid) => place.fault("invalid", invalid.to_string()),
    }
}

/// An address in a response.
#[derive(Debug, Serialize)]
pub(crate) struct AddressBody {
    recipient: String,
    company: Option<String>,
    line1: String,
    line2: Option<String>,
    city: String,
    region: Option<String>,
    postal_code: Option<String>,
    country: String,
    phone: Option<String>,
    tax_number: Option<TaxNumber>,
}

impl From<Address> for AddressBody {
    fn from(address: Address) -> Self {
        Self {
            recipient: address.recipient,
            company: address.company,
            line1: address.line1,
            line2: address.line2,
            city: address.city,
            region: address.region,
            postal_code: address.postal_code,
            country: address.country,
            phone: address.phone,
            tax_number: address.tax_number,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::http::body;
    use crate::http::problem::Problem;

    fn read_json(changes: &Value) -> Result<Address, Problem> {
        let mut address = json!({
            "recipient": "Ada", "line1": "Hauptstr. 1", "city": "Berlin", "postal_code": "10115",
            "country": "DE",
        });
        for (name, value) in changes.as_object().unwrap() {
            address[name] = value.clone();
        }
        body::read(address.to_string().as_bytes(), read)
    }

    #[track_caller]
    fn check_faults(changes: &Value, expected: &[&str]) {
        let Err(Problem::InvalidBody(faults)) = read_json(changes) else {
            panic!("{changes} was taken");
        };
        let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, expected);
    }

    #[test]
    fn an_address_is_read_with_its_phone_in_e164() {
        let address = read_json(&json!({"phone": "030 1234567", "line2": ""})).unwrap();
        assert_eq!(address.phone.as_deref(), Some("+49301234567"));
        assert_eq!(address.line2, None);
        let address =
            read_json(&json!({"country": "CN", "postal_code": "100000", "phone": "13812345678"}));
        assert_eq!(address.unwrap().phone.as_deref(), Some("+8613812345678"));
    }

    #[test]
    fn what_a_country_does_not_have_may_be_missing_or_empty() {
        for country in [
            "HK", "AE", "QA", "GH", "BW", "FJ", "AO", "MO", "JM", "PA", "UG", "ZW", "KW",
        ] {
            for code in [json!(null), json!("")] {
                let changes = json!({"country": country, "postal_code": code});
                assert_eq!(read_json(&changes).unwrap().postal_code, None, "{country}");
            }
        }
        check_faults(&json!({"postal_code": null}), &["/postal_code"]);
        check_faults(&json!({"postal_code": ""}), &["/postal_code"]);
        let us = |region: Value| json!({"country": "US", "postal_code": "94105", "region": region});
        assert!(read_json(&us(json!("CA"))).is_ok());
        check_faults(&us(json!(null)), &["/region"]);
        check_faults(&us(json!("")), &["/region"]);
        let without_city = |country: &str, region: Value| {
            let code = json!({"SG": "560123"})[country].clone();
            json!({"country": country, "city": null, "region": region, "postal_code": code})
        };
        for (country, region) in [("SG", json!(null)), ("AE", json!("دبي")), ("GI", json!(""))] {
            assert_eq!(read_json(&without_city(country, region)).unwrap().city, "");
        }
        for region in [json!(null), json!("")] {
            check_faults(&without_city("AE", region), &["/city"]);
        }
        check_faults(&json!({"city": null}), &["/city"]);
        check_faults(&json!({"city": ""}), &["/city"]);
    }

    #[test]
    fn addresses_are_taken_and_returned_as_people_type_them() {
        let table = include_str!("address/typed.tsv").lines();
        let table: Vec<&str> = table.filter(|row| !row.starts_with('#')).collect();
        assert!(table.len() >= 200);
        let mut refused = Vec::new();
        for row in table {
            let fields: Vec<Option<&str>> = row
                .split('\t')
                .map(|field| Some(field).filter(|field| !field.is_empty()))
                .collect();
            let [country, recipient, line1, city, region, code] = fields[..] else {
                panic!("{row} has not six fields");
            };
            let typed = json!({
                "country": country, "recipient": recipient, "line1": line1, "city": city, "region": region,
                "postal_code": code,
            });
            match body::read(typed.to_string().as_bytes(), read) {
                Err(problem) => refused.push(format!("{row}: {problem:?}")),
                Ok(address) => {
                    let read = serde_json::to_value(AddressBody::from(address)).unwrap();
                    let mut expected = typed;
                    if city.is_none() {
                        expected["city"] = json!("");
                    }
                    for (name, value) in expected.as_object().unwrap() {
                        assert_eq!(read[name], *value, "{row}");
                    }
                }
            }
        }
        assert_eq!(refused, [""; 0]);
    }

    #[test]
    fn every_fault_is_named() {
        check_faults(&json!({"country": "XX"}), &["/country"]);
        check_faults(&json!({"country": "de"}), &["/country"]);
        check_faults(&json!({"country": "DEU"}), &["/country"]);
        check_faults(
            &json!({"country": "XX", "postal_code": "?", "phone": "?"}),
            &["/country"],
        );
        check_faults(&json!({"postal_code": "1011"}), &["/postal_code"]);
        check_faults(&json!({"phone": "12"}), &["/phone"]);
        check_faults(
            &json!({"recipient": "Ada\nBcc", "postal_code": 10115, "phone": "x"}),
            &["/recipient", "/postal_code", "/phone"],
        );
    }

    #[test]
    fn as_much_of_an_address_is_read_as_is_known() {
        let read = |json: &str| body::read(json.as_bytes(), read_as_known);
        let missing = |json: &str| {
            let faults = missing(&read(json).unwrap(), "/to").into_iter();
            faults.map(|fault| fault.pointer).collect::<Vec<_>>()
        };
        let all = ["/to/recipient", "/to/line1", "/to/city", "/to/postal_code"];
        assert_eq!(missing(r#"{"country": "DE"}"#), all);
        assert_eq!(missing(r#"{"country": "HK", "postal_code": ""}"#), all[..3]);
        assert_eq!(
            missing(r#"{"country": "US", "recipient": "Ada", "postal_code": "94103"}"#),
            ["/to/line1", "/to/city", "/to/region"]
        );
        assert_eq!(missing(r#"{"country": "SG"}"#), [all[0], all[1], all[3]]);
        let in_japan = r#"{"country": "JP", "postal_code": "100-0005", "region": "東京都"}"#;
        assert_eq!(missing(in_japan), all[..2]);
        assert_eq!(missing(r#"{"country": "CO"}"#), all[..3]);
        let full = read_json(&json!({})).unwrap();
        assert_eq!(super::missing(&full, "/to"), []);
        for (json, faults) in [
            ("{}", &["/country"][..]),
            (
                r#"{"country": "DE", "postal_code": "1"}"#,
                &["/postal_code"],
            ),
            (r#"{"country": "DE", "recipient": ""}"#, &["/recipient"]),
            (r#"{"country": "DE", "planet": "Earth"}"#, &["/planet"]),
        ] {
            let Err(Problem::InvalidBody(found)) = read(json) else {
                panic!("{json} was taken");
            };
            let found: Vec<&str> = found.iter().map(|fault| fault.pointer.as_str()).collect();
            assert_eq!(found, faults, "{json}");
        }
    }
}
