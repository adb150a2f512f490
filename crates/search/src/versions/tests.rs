use proptest::prelude::*;
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

/// How many products the shop has whose index is built anew while products change.
const PRODUCTS: u8 = 12;

/// How many of them a piece of the build has.
const PIECE: u8 = 5;

/// What happens to an index.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A product changes, and somebody writes a segment of what it is now.
    Change(u8),
    /// A segment that was written is added to what is searched, and to what is built.
    Add(usize),
    /// The same, but the answer is lost: it will be added again.
    AddAndForget(usize),
    /// The next piece of the index that is built; the first one, if none is. The last one ends it.
    Build,
    /// Somebody begins to merge some segments of what is searched, or of what is built.
    BeginMerge { built: bool, from: usize },
    /// Somebody has merged segments, and puts the one into the place of the others in both.
    EndMerge(usize),
}

/// Returns a word of a product in a version, which no typing error makes another one.
fn word(number: u8, version: u64) -> String {
    Uuid::new_v5(
        &Uuid::NAMESPACE_OID,
        &[&[number][..], &version.to_be_bytes()].concat(),
    )
    .simple()
    .to_string()
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..PRODUCTS).prop_map(Step::Change),
        3 => (0_usize..8).prop_map(Step::Add),
        1 => (0_usize..8).prop_map(Step::AddAndForget),
        2 => Just(Step::Build),
        2 => (any::<bool>(), 0_usize..4).prop_map(|(built, from)| Step::BeginMerge { built, from }),
        2 => (0_usize..4).prop_map(Step::EndMerge),
    ]
}

/// An index that is changed, built anew and merged at the same time.
struct Busy {
    /// What is searched.
    shop: Shop,
    /// What is built, and how many products of it there are.
    built: Option<(Vec<Part>, u8)>,
    /// The products as they are.
    versions: [u64; PRODUCTS as usize],
    /// Segments that are written and not added.
    written: Vec<Layout>,
    /// Merges that have begun.
    merges: Vec<(Vec<Part>, Option<Layout>)>,
}

impl Busy {
    fn new() -> Self {
        let mut busy = Self {
            shop: Shop::new(),
            built: None,
            versions: [1; PRODUCTS as usize],
            written: Vec::new(),
            merges: Vec::new(),
        };
        let all = busy.segment(0..PRODUCTS);
        busy.shop.parts.push(Part::new(all));
        busy
    }

    fn segment(&self, numbers: std::ops::Range<u8>) -> Layout {
        let products = numbers.map(|number| {
            let version = self.versions[usize::from(number)];
            product(
                number.into(),
                version,
                &format!("teapot {}", word(number, version)),
            )
        });
        self.shop.memory.keep(segment::write(products).unwrap())
    }

    fn add(&mut self, segment: &Layout) {
        let built = self.built.as_mut().map(|(parts, _)| parts);
        for parts in built.into_iter().chain([&mut self.shop.parts]) {
            add(&self.shop.blocks, parts, segment.clone()).unwrap();
        }
    }

    fn build(&mut self) {
        let (mut parts, begin) = self.built.take().unwrap_or_default();
        let end = (begin + PIECE).min(PRODUCTS);
        add(&self.shop.blocks, &mut parts, self.segment(begin..end)).unwrap();
        if end == PRODUCTS {
            self.shop.parts = parts;
        } else {
            self.built = Some((parts, end));
        }
    }

    fn begin_merge(&mut self, built: bool, from: usize) {
        let parts = match &self.built {
            Some((parts, _)) if built => parts,
            _ => &self.shop.parts,
        };
        let before: Vec<Part> = parts.iter().skip(from).take(3).cloned().collect();
        if !before.is_empty() {
            let merged = self.shop.merge(&before);
            self.merges.push((before, merged));
        }
    }

    fn end_merge(&mut self, number: usize) {
        if self.merges.is_empty() {
            return;
        }
        let (before, merged) = self.merges.remove(number % self.merges.len());
        let built = self.built.as_mut().map(|(parts, _)| parts);
        for parts in built.into_iter().chain([&mut self.shop.parts]) {
            replace(&self.shop.blocks, parts, &before, merged.as_ref()).unwrap();
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Change(number) => {
                self.versions[usize::from(number)] += 1;
                self.written.push(self.segment(number..number + 1));
            }
            Step::Add(number) if !self.written.is_empty() => {
                let segment = self.written.remove(number % self.written.len());
                self.add(&segment);
            }
            Step::AddAndForget(number) if !self.written.is_empty() => {
                let segment = self.written[number % self.written.len()].clone();
                self.add(&segment);
            }
            Step::Add(_) | Step::AddAndForget(_) => {}
            Step::Build => self.build(),
            Step::BeginMerge { built, from } => self.begin_merge(built, from),
            Step::EndMerge(number) => self.end_merge(number),
        }
    }

    fn check(&self) {
        let all: Vec<u128> = (0..PRODUCTS).map(u128::from).collect();
        assert_eq!(self.shop.found("teapot"), all);
        for (number, version) in (0..).zip(self.versions) {
            let found = self.shop.found(&word(number, version));
            assert_eq!(found, [u128::from(number)], "in version {version}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_newest_version_counts_while_others_write_build_and_merge(
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut busy = Busy::new();
        for step in steps {
            busy.take(step);
        }
        // All that has been begun ends, one after another.
        while !busy.written.is_empty() {
            busy.take(Step::Add(0));
        }
        while !busy.merges.is_empty() {
            busy.take(Step::EndMerge(0));
        }
        busy.check();
        while busy.built.is_some() {
            busy.build();
        }
        busy.check();
    }
}
