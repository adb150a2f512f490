//! Products as documents, and what the manifest says.

use oxcart_search::index::{Layout, Part};
use serde_json::{Value, json};
use uuid::Uuid;

use super::documents::document;
use super::model::{Build, FORMAT, Manifest, Retired};
use crate::catalog::categories::model::{Node, Tree};
use crate::catalog::fields::draft;
use crate::catalog::model::{Product, Status};
use crate::catalog::names::Names;
use crate::catalog::rules;
use crate::testing;
use crate::values::clock::Time;
use crate::values::id::ProductId;

fn time(minutes: i64) -> Time {
    Time::from_millis(1_750_000_000_000 + minutes * 60_000)
}

fn part(number: u128) -> Part {
    Part::new(Layout {
        id: Uuid::from_u128(number),
        documents: 1,
        bytes: 1,
        files: std::collections::BTreeMap::new(),
        opened: Vec::new(),
    })
}

fn product(body: &Value) -> Product {
    let request = testing::request(time(0), body);
    let draft = request.json(|body| draft(body, "EUR".parse().unwrap()));
    rules::create(ProductId::fresh(time(0)), draft.unwrap(), None, time(0)).unwrap()
}

fn node(name: &str, german: &str, parent: Option<&str>) -> Node {
    Node {
        names: Names {
            name: name.to_owned(),
            translations: [("de".to_owned(), german.to_owned())].into(),
        },
        parent: parent.map(|parent| parent.parse().unwrap()),
        position: 0,
    }
}

#[test]
fn a_product_is_found_by_all_its_texts_unless_it_may_not_be_seen() {
    let mut tree = Tree::empty();
    let nodes = [
        ("tea", node("Tea", "Tee", None)),
        ("green", node("Green tea", "Grüntee", Some("tea"))),
    ];
    tree.nodes = nodes.map(|(id, node)| (id.parse().unwrap(), node)).into();
    let mut product = product(&json!({
        "name": "Sencha", "description": "From Uji.", "category": "green",
        "brand": "Marukyu", "tags": ["loose"], "attributes": {"origin": "Uji"},
        "translations": {"zh": {"name": "煎茶"}},
        "options": [{"name": "weight", "values": ["50 g", "100 g"]}],
        "variants": [
            {"options": {"weight": "50 g"}, "sku": "S-50", "gtin": "96385074", "price": {"amount": "12.50", "currency": "EUR"}},
            {"options": {"weight": "100 g"}, "sku": "S-100", "price": {"amount": "11.00", "currency": "EUR"}},
        ],
    }));
    let found = document(&product, &tree);
    assert_eq!(found.id.as_bytes(), product.id.as_bytes());
    assert_eq!((found.version, found.price), (1, 1100));
    let texts = found.texts.iter().map(|text| {
        (
            text.locale.as_str(),
            text.name.as_str(),
            text.description.as_str(),
        )
    });
    assert_eq!(
        texts.collect::<Vec<_>>(),
        [("", "Sencha", "From Uji."), ("zh", "煎茶", "")]
    );
    assert_eq!(found.categories, ["green", "tea"]);
    let names = found
        .category_names
        .iter()
        .map(|(locale, name)| (locale.as_str(), name.as_str()));
    assert_eq!(
        names.collect::<Vec<_>>(),
        [
            ("", "Green tea"),
            ("de", "Grüntee"),
            ("", "Tea"),
            ("de", "Tee")
        ]
    );
    assert_eq!(
        (found.brand.as_deref(), found.tags.as_slice()),
        (Some("Marukyu"), &["loose".to_owned()][..])
    );
    assert_eq!(found.codes, ["S-50", "96385074", "S-100"]);
    let attributes = found
        .attributes
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    assert_eq!(
        attributes.collect::<Vec<_>>(),
        ["origin=Uji", "weight=100 g", "weight=50 g"]
    );
    for status in [Status::Inactive, Status::OutOfStock, Status::Discontinued] {
        product.status = status;
        let hidden = document(&product, &tree);
        assert_eq!((hidden.id, hidden.version), (found.id, found.version));
        assert!(hidden.texts.is_empty() && hidden.codes.is_empty() && hidden.categories.is_empty());
    }
}

#[test]
fn an_index_is_searched_until_the_next_one_has_been_built() {
    let mut manifest = Manifest::new(time(0));
    assert_eq!(manifest.searched(), []);
    // The first one is searched as far as there is one.
    manifest.build.as_mut().unwrap().parts.push(part(1));
    assert_eq!(manifest.searched(), [part(1)]);
    manifest.finish(time(1));
    assert_eq!(
        (manifest.searched(), manifest.build.as_ref()),
        (&[part(1)][..], None)
    );
    // An earlier version wrote it.
    manifest.format = FORMAT - 1;
    manifest.rebuild(time(2));
    manifest.build.as_mut().unwrap().parts.push(part(2));
    assert_eq!(manifest.searched(), [part(1)]);
    // Something changes that concerns many products.
    manifest.rebuild(time(3));
    manifest.finish(time(4));
    assert_eq!(
        (manifest.format, manifest.searched()),
        (FORMAT, &[part(2)][..])
    );
    assert_eq!(manifest.build, Some(Build::begin(time(4))));
    let retired = |number, minute| Retired {
        segment: Uuid::from_u128(number),
        at: time(minute),
    };
    assert_eq!(manifest.retired, [retired(1, 4)]);
    // What is still a part of one of both is needed.
    manifest.build.as_mut().unwrap().parts.push(part(2));
    manifest.parts = Vec::new();
    manifest.retire(&[part(2), part(3)], time(5));
    assert_eq!(manifest.retired, [retired(1, 4), retired(3, 5)]);
    let stored = serde_json::to_vec(&manifest).unwrap();
    assert_eq!(
        serde_json::from_slice::<Manifest>(&stored).unwrap(),
        manifest
    );
}
