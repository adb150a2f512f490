use uuid::Uuid;

use super::*;
use crate::document::{Document, Text};
use crate::memory::Memory;
use crate::query::Weights;
use crate::segment;
use crate::synonyms::Synonyms;
use crate::{Request, Searcher};

/// An index that is written piece by piece.
struct Shop {
    memory: Memory,
    blocks: Arc<Blocks>,
    parts: Vec<Part>,
}

fn product(number: u128, version: u64, name: &str) -> Document {
    Document {
        id: Uuid::from_u128(number),
        version,
        texts: vec![Text {
            locale: "en".to_owned(),
            name: name.to_owned(),
            description: String::new(),
        }],
        ..Document::default()
    }
}

impl Shop {
    fn new() -> Self {
        let memory = Memory::default();
        Self {
            // Little enough for blocks to be read again.
            blocks: Arc::new(Blocks::new(memory.clone(), 128 * 1024)),
            memory,
            parts: Vec::new(),
        }
    }

    fn write(&mut self, products: impl IntoIterator<Item = Document>) {
        let segment = self.memory.keep(segment::write(products).unwrap());
        add(&self.blocks, &mut self.parts, segment).unwrap();
    }

    fn merge(&self, parts: &[Part]) -> Option<Layout> {
        let merged = segment::merge(&self.blocks, parts).unwrap();
        merged.map(|merged| self.memory.keep(merged))
    }

    fn found(&self, text: &str) -> Vec<u128> {
        let parts = self.parts.clone();
        let open = Searcher::open(&self.blocks, parts, Weights::default(), Synonyms::default());
        let request = Request {
            text: text.to_owned(),
            limit: 100,
            ..Request::default()
        };
        let found = open.unwrap().search(&request).unwrap();
        assert_eq!(found.counts.total, found.products.len() as u64);
        let mut found: Vec<u128> = found.products.iter().map(Uuid::as_u128).collect();
        found.sort_unstable();
        found
    }
}

#[test]
fn a_newer_version_counts_whenever_it_is_written() {
    let mut shop = Shop::new();
    shop.write([
        product(1, 1, "teapot"),
        product(2, 1, "teapot"),
        product(3, 7, "teapot"),
    ]);
    shop.write([product(2, 2, "kettle"), product(3, 6, "kettle")]);
    assert_eq!(shop.found("teapot"), [1, 3]);
    assert_eq!(shop.found("kettle"), [2]);
    // The larger segment comes last, with an older version.
    shop.write((1..=4).map(|number| product(number, 1, "cup")));
    assert_eq!(shop.found("cup"), [1, 4]);
    assert_eq!(shop.found("teapot"), [3]);
    assert_eq!(shop.found("kettle"), [2]);
}

#[test]
fn a_product_that_may_not_be_seen_is_not_found_even_if_an_older_version_comes_later() {
    let mut shop = Shop::new();
    shop.write([product(1, 1, "teapot"), product(2, 1, "teapot")]);
    shop.write([Document {
        id: Uuid::from_u128(1),
        version: 3,
        ..Document::default()
    }]);
    assert_eq!(shop.found("teapot"), [2]);
    shop.write([product(1, 2, "teapot")]);
    assert_eq!(shop.found("teapot"), [2]);
}

#[test]
fn segments_are_merged_while_others_come() {
    let mut shop = Shop::new();
    shop.write((1..=3000).map(|number| product(number, 1, "teapot")));
    shop.write([product(7, 2, "kettle"), product(8, 2, "kettle")]);
    let before = shop.parts.clone();
    let merged = shop.merge(&before).unwrap();
    assert_eq!(merged.documents, 3000);
    // Somebody changes two products meanwhile.
    shop.write([product(8, 3, "cup"), product(9, 2, "cup")]);
    assert!(replace(&shop.blocks, &mut shop.parts, &before, Some(&merged)).unwrap());
    assert_eq!(shop.parts.len(), 2);
    assert_eq!(shop.found("kettle"), [7]);
    assert_eq!(shop.found("cup"), [8, 9]);
    let request = Request {
        text: "teapot".to_owned(),
        limit: 1,
        ..Request::default()
    };
    let parts = shop.parts.clone();
    let open = Searcher::open(&shop.blocks, parts, Weights::default(), Synonyms::default());
    let found = open.unwrap().search(&request).unwrap();
    assert_eq!(found.counts.total, 2997);
    // What has been merged by somebody else is not merged again.
    assert!(!replace(&shop.blocks, &mut shop.parts, &before, Some(&merged)).unwrap());
    assert_eq!(shop.parts.len(), 2);
}

#[test]
fn what_is_known_of_segments_is_read_as_it_was_written() {
    let mut shop = Shop::new();
    shop.write((1..=10).map(|number| product(number, 1, "teapot")));
    shop.write((2..=4).map(|number| product(number, 2, "kettle")));
    let text = serde_json::to_string(&shop.parts).unwrap();
    let read: Vec<Part> = serde_json::from_str(&text).unwrap();
    assert_eq!(read, shop.parts);
    assert_eq!(read[0].alive(), 7);
}

#[test]
fn small_segments_are_merged_first_and_large_ones_stay() {
    let part = |number: u128, documents: u32, gone: u32| Part {
        segment: Layout {
            id: Uuid::from_u128(number),
            documents,
            bytes: 1,
            files: std::collections::BTreeMap::new(),
            opened: Vec::new(),
        },
        gone: Numbers((0..gone).collect()),
    };
    let few: Vec<Part> = (0..7).map(|number| part(number, 5, 0)).collect();
    assert_eq!(due(&few), None);
    let mut parts: Vec<Part> = (0..8).map(|number| part(number, 5, 0)).collect();
    parts.push(part(8, 200_000, 0));
    let chosen = due(&parts).unwrap();
    assert_eq!(chosen.len(), 8);
    assert!(chosen.iter().all(|part| part.segment.documents == 5));
    let large: Vec<Part> = (0..20).map(|number| part(number, 60_000, 0)).collect();
    assert_eq!(due(&large), None);
    let chosen = due(&[part(1, 100_000, 25_000), part(2, 100_000, 25_001)]).unwrap();
    assert_eq!(chosen, [part(2, 100_000, 25_001)]);
}

#[test]
fn a_segment_that_is_added_again_is_there_once() {
    let mut shop = Shop::new();
    shop.write([product(1, 1, "teapot")]);
    let segment = shop.parts[0].segment.clone();
    // The answer to the first time was lost.
    add(&shop.blocks, &mut shop.parts, segment).unwrap();
    assert_eq!(shop.parts.len(), 1);
    assert_eq!(shop.found("teapot"), [1]);
}

#[test]
fn what_was_merged_without_a_document_does_not_replace_a_list_in_which_it_counts() {
    let mut shop = Shop::new();
    shop.write([product(1, 2, "kettle"), product(2, 2, "kettle")]);
    let mut searched = shop.parts.clone();
    // In the index that is being built, a segment of all products has the first one, too.
    shop.write((1..=3).map(|number| product(number, 2, "kettle")));
    let before = [shop.parts[0].clone()];
    let merged = shop.merge(&before);
    assert!(replace(&shop.blocks, &mut shop.parts, &before, merged.as_ref()).unwrap());
    assert!(!replace(&shop.blocks, &mut searched, &before, merged.as_ref()).unwrap());
    shop.parts = searched;
    assert_eq!(shop.found("kettle"), [1, 2]);
}
