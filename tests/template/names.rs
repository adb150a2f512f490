//! One name, many spellings: binary and sample event `place-order`, handler `place_order`, logical
//! id `PlaceOrder`, setting `ORDERS_TABLE`.

use std::collections::BTreeSet;

use oxcart_core::aws::settings::Setting;
use oxcart_core::values::money::Currency;

use super::read::{Template, service_of, sources};
use crate::support::root;

#[test]
fn the_settings_are_the_variables_of_the_template() {
    let template = Template::read();
    let mut declared = template.global_variables();
    for function in template.functions() {
        declared.extend(function.variables);
    }
    let known: BTreeSet<String> = Setting::ALL
        .iter()
        .map(|setting| setting.name().to_owned())
        .collect();
    assert_eq!(declared, known);
}

#[test]
fn no_function_repeats_a_variable_that_all_functions_have() {
    let template = Template::read();
    let global = template.global_variables();
    for function in template.functions() {
        let repeated: Vec<&String> = function.variables.intersection(&global).collect();
        assert!(repeated.is_empty(), "{}: {repeated:?}", function.id);
    }
}

#[test]
fn the_readme_of_a_service_names_its_functions() {
    for function in Template::read().functions() {
        let name = &function.binary;
        let service = service_of(name).unwrap_or_else(|| panic!("{name} has no binary"));
        let readme = root().join(format!("functions/{service}/README.md"));
        let readme = std::fs::read_to_string(readme).unwrap();
        let named = readme.contains(&format!("`{name}`"));
        assert!(
            named,
            "functions/{service}/README.md does not name `{name}`"
        );
    }
}

#[test]
fn a_function_has_one_name() {
    for function in Template::read().functions() {
        let name = &function.binary;
        assert_eq!(function.id, pascal(name), "the logical id");
        let service = service_of(name).unwrap_or_else(|| panic!("{name} has no binary"));
        let main = format!("functions/{service}/src/bin/{name}.rs");
        let main = std::fs::read_to_string(root().join(main)).unwrap();
        let handler = name.replace('-', "_");
        let calls = ["(", ")"].map(|rest| format!("::{handler}{rest}"));
        let called = calls.iter().any(|call| main.contains(call));
        assert!(called, "the binary {name} calls no {handler}");
        // Publishing knows every service, so it stands above them in a room of its own.
        let room = if name == "publish-events" {
            "publisher"
        } else {
            service.as_str()
        };
        let core = sources(&format!("crates/core/src/{room}"));
        let declared = ["(", "<"].map(|rest| format!("pub async fn {handler}{rest}"));
        let has_it = |text: &str| declared.iter().any(|line| text.contains(line));
        assert!(
            core.iter().any(|(_, text)| has_it(text)),
            "oxcart_core::{room} has no handler {handler}"
        );
        let sample = root().join(format!("events/{name}.json"));
        assert!(sample.exists(), "{name} has no sample event");
    }
}

#[test]
fn every_binary_and_every_sample_is_a_function_of_the_template() {
    let declared: BTreeSet<String> = Template::read()
        .functions()
        .into_iter()
        .map(|function| function.binary)
        .collect();
    let stem = |path: &std::path::Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let binaries: BTreeSet<String> = sources("functions")
        .iter()
        .filter(|(path, _)| path.parent().unwrap().ends_with("src/bin"))
        .map(|(path, _)| stem(path))
        .collect();
    assert_eq!(binaries, declared);
    let samples: BTreeSet<String> = std::fs::read_dir(root().join("events"))
        .unwrap()
        .map(|entry| stem(&entry.unwrap().path()))
        .collect();
    assert_eq!(samples, declared);
}

pub(super) fn pascal(name: &str) -> String {
    name.split('-')
        .map(|word| word[..1].to_uppercase() + &word[1..])
        .collect()
}

#[test]
fn every_currency_that_the_template_accepts_is_known() {
    let template = Template::read();
    let codes = template.parameter("ShopCurrency")["AllowedValues"].as_sequence();
    for code in codes.unwrap() {
        let code = code.as_str().unwrap();
        assert!(code.parse::<Currency>().is_ok(), "{code}");
    }
}
