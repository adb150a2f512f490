use super::*;
use crate::pricing::fixtures::{tax, tax_settings};

fn destination(country: &str, region: Option<&str>) -> Destination {
    Destination {
        country: country.to_owned(),
        region: region.map(str::to_owned),
        postal_code: None,
        tax_number: None,
    }
}

fn component(name: &str, component: &str, rate: TaxRate) -> TaxRate {
    TaxRate {
        name: name.to_owned(),
        component: Some(component.to_owned()),
        ..rate
    }
}

/// Returns the rates for the category in the place, or the code of the problem.
fn rates(settings: &TaxSettings, country: &str, region: Option<&str>, category: &str) -> String {
    match settings.rates_in(&destination(country, region)) {
        Ok(local) => {
            let rates = local.on(category);
            let rates: Vec<String> = rates.iter().map(|rate| rate.rate.to_string()).collect();
            rates.join(" + ")
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_most_specific_rate_of_a_component_applies_and_the_place_outweighs_the_category() {
    let settings = tax_settings(&[
        tax("DE", None, None, "0.19", true),
        tax("DE", None, Some("books"), "0.07", true),
        tax("US", Some("CA"), None, "0.0725", false),
        tax("US", None, Some("books"), "0.01", false),
        tax("US", Some("NY"), Some("books"), "0", false),
        tax("US", Some("NY"), None, "0.04", false),
    ]);
    for (country, region, category, expected) in [
        ("DE", None, "tea", "0.19"),
        ("DE", Some("Bayern"), "books", "0.07"),
        ("US", Some("ca"), "books", "0.0725"),
        ("US", Some("California"), "books", "0.0725"),
        ("US", Some("US-CA"), "books", "0.0725"),
        ("US", Some(" NY "), "books", "0"),
        ("US", Some("New York"), "tea", "0.04"),
        ("US", Some("TX"), "books", "0.01"),
        ("US", Some("Texas"), "tea", ""),
        ("FR", None, "tea", ""),
    ] {
        let found = rates(&settings, country, region, category);
        assert_eq!(found, expected, "{country} {region:?} {category}");
    }
}

#[test]
fn a_rate_by_the_name_of_a_region_applies_to_its_code() {
    let settings = tax_settings(&[tax("CA", Some("Québec"), None, "0.09975", false)]);
    for region in ["QC", "CA-QC", "quebec", "Quebec"] {
        assert_eq!(
            rates(&settings, "CA", Some(region), "tea"),
            "0.09975",
            "{region}"
        );
    }
}

#[test]
fn a_region_without_a_rate_is_an_error_where_the_country_has_rates_by_region() {
    let regions = [
        tax("US", Some("CA"), None, "0.0725", false),
        tax("US", Some("NY"), None, "0.04", false),
    ];
    let only = tax_settings(&regions);
    let unknown = "no tax rate is known for this region; give one of: CA, NY";
    assert_eq!(rates(&only, "US", Some("Texas"), "tea"), unknown);
    assert_eq!(rates(&only, "US", Some("Californai"), "tea"), unknown);
    let required = "tax depends on the region here; give one of: CA, NY";
    assert_eq!(rates(&only, "US", None, "tea"), required);
    let [california, new_york] = regions;
    let all = tax_settings(&[california, new_york, tax("US", None, None, "0", false)]);
    assert_eq!(rates(&all, "US", Some("Texas"), "tea"), "0");
    let others = "; or another region of the country, by its code in ISO 3166-2";
    assert_eq!(
        rates(&all, "US", Some("Californai"), "tea"),
        format!("{unknown}{others}")
    );
    assert_eq!(
        rates(&all, "US", None, "tea"),
        format!("{required}{others}")
    );
}

#[test]
fn components_apply_together_and_compound_ones_come_last() {
    let compound = TaxRate {
        compound: true,
        ..tax("CA", Some("QC"), None, "0.095", false)
    };
    let settings = tax_settings(&[
        component("QST", "provincial", compound),
        component("GST", "federal", tax("CA", None, None, "0.05", false)),
        component(
            "PST",
            "provincial",
            tax("CA", Some("BC"), None, "0.07", false),
        ),
        component(
            "PST",
            "provincial",
            tax("CA", Some("BC"), Some("books"), "0", false),
        ),
    ]);
    for (region, category, expected) in [
        ("BC", "tea", "0.05 + 0.07"),
        ("BC", "books", "0.05 + 0"),
        ("QC", "tea", "0.05 + 0.095"),
        ("AB", "tea", "0.05"),
    ] {
        assert_eq!(
            rates(&settings, "CA", Some(region), category),
            expected,
            "{region}"
        );
    }
}

#[test]
fn two_names_for_one_place_within_another_are_ambiguous_without_components() {
    let named = |name: &str, rate: TaxRate| TaxRate {
        name: name.to_owned(),
        ..rate
    };
    let federal = named("GST", tax("CA", None, None, "0.05", false));
    let provincial = named("PST", tax("CA", Some("BC"), None, "0.07", false));
    let pair = [federal.clone(), provincial.clone()];
    assert_eq!(find_ambiguous(&pair), Some((1, "GST")));
    let reversed = [provincial.clone(), federal.clone()];
    assert_eq!(find_ambiguous(&reversed), Some((1, "PST")));
    let books = named("PST", tax("CA", Some("BC"), Some("books"), "0.07", false));
    assert_eq!(find_ambiguous(&[federal.clone(), books]), Some((1, "GST")));
    for clear in [
        // The same tax, at another rate.
        [federal.clone(), named("GST", provincial.clone())],
        // Two taxes.
        [federal.clone(), component("PST", "provincial", provincial)],
        // Other goods, in the same place.
        [
            federal.clone(),
            named("GST on books", tax("CA", None, Some("books"), "0", false)),
        ],
        // Another country.
        [
            federal,
            named("Sales tax", tax("US", Some("CA"), None, "0.0725", false)),
        ],
    ] {
        assert_eq!(find_ambiguous(&clear), None);
    }
}

#[test]
fn a_sheet_of_earlier_releases_is_read() {
    let old = r#"{"name":"VAT","country":"DE","region":"Bayern","rate":"0.19","included":true}"#;
    let rate: TaxRate = serde_json::from_str(old).unwrap();
    assert_eq!((rate.component, rate.compound), (None, false));
    let terms: TaxTerms = serde_json::from_str("{}").unwrap();
    assert_eq!(terms, TaxTerms::default());
}

#[test]
fn a_rate_for_postal_codes_comes_before_one_for_the_country() {
    let island = TaxRate {
        postal_codes: vec!["35*".parse().unwrap(), "38000..38999".parse().unwrap()],
        ..tax("ES", None, None, "0", true)
    };
    let settings = tax_settings(&[tax("ES", None, None, "0.21", true), island]);
    let at = |postal_code: Option<&str>| {
        let destination = Destination {
            postal_code: postal_code.map(str::to_owned),
            ..destination("ES", None)
        };
        let local = settings
            .rates_in(&destination)
            .map_err(|error| error.to_string())?;
        Ok(local.on("tea")[0].rate.to_string())
    };
    for (postal_code, rate) in [
        ("28001", "0.21"),
        ("35001", "0"),
        ("38110", "0"),
        ("39000", "0.21"),
    ] {
        assert_eq!(at(Some(postal_code)), Ok(rate.to_owned()), "{postal_code}");
    }
    assert_eq!(
        at(None),
        Err("tax depends on the postal code here".to_owned())
    );
}
