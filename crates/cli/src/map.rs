//! `oxcart map`: the services and how they hang together, as a Mermaid flowchart.

use std::collections::BTreeMap;
use std::path::Path;

use oxcart_local::arn::Arns;
use oxcart_local::map::ServiceMap;
use oxcart_local::model::Stack;
use oxcart_local::template::Places;

use crate::{Error, build};

/// Prints the map.
///
/// # Errors
/// If the template or the folders of the functions cannot be read.
pub(crate) fn run() -> Result<(), Error> {
    let places = Places {
        region: "eu-central-1".to_owned(),
        stack_name: "oxcart".to_owned(),
        endpoint: "http://127.0.0.1:9".to_owned(),
        shop: "http://127.0.0.1:9".to_owned(),
    };
    let repository = build::repository();
    let stack = Stack::load(&repository.join("template.yaml"), &BTreeMap::new(), &places)?;
    let arns = Arns::for_stack(&places.region, &stack);
    let services = services(&repository.join("functions"))?;
    print!("{}", ServiceMap::new(&stack, &arns, &services).mermaid());
    Ok(())
}

/// The service of each binary: the folder that it stands in.
fn services(functions: &Path) -> Result<BTreeMap<String, String>, Error> {
    let mut services = BTreeMap::new();
    for package in std::fs::read_dir(functions)? {
        let package = package?;
        let service = package.file_name().to_string_lossy().into_owned();
        for binary in std::fs::read_dir(package.path().join("src/bin"))? {
            let path = binary?.path();
            if let Some(name) = path.file_stem() {
                services.insert(name.to_string_lossy().into_owned(), service.clone());
            }
        }
    }
    Ok(services)
}
