//! How many of the found products there are of each category, brand, value of an attribute and range of prices.

use std::collections::HashMap;

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::{Column, StrColumn};
use tantivy::{DocId, Score, SegmentReader};

/// The counts of a search.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// How many products were found.
    pub total: u64,
    /// Of each category, with the categories below it.
    pub categories: HashMap<String, u64>,
    /// Of each brand.
    pub brands: HashMap<String, u64>,
    /// Of each value of an attribute: the name and the value, with U+001F between.
    pub attributes: HashMap<String, u64>,
    /// Of each range of prices, by its number: range `3 k` begins at 10^k, `3 k + 1` at 2 × 10^k and `3 k + 2` at 5 × 10^k
    /// of the currency's smallest units; range 0 also has what is free.
    pub prices: Vec<u64>,
}

/// The number of ranges of prices: the last one begins at 5 × 10^11.
const RANGES: usize = 36;

/// Returns the number of the range in which `price` is.
fn range_of(price: u64) -> usize {
    let Some(power) = price.checked_ilog10() else {
        return 0;
    };
    let step = match price / 10_u64.pow(power) {
        0 | 1 => 0,
        2..=4 => 1,
        _ => 2,
    };
    (power as usize * 3 + step).min(RANGES - 1)
}

/// Returns the lowest price in range `number`, in the currency's smallest units.
#[must_use]
pub fn begin_of(number: usize) -> u64 {
    if number == 0 {
        return 0;
    }
    let power = u32::try_from(number / 3).unwrap_or(u32::MAX);
    let first = [1, 2, 5][number % 3];
    10_u64
        .checked_pow(power)
        .map_or(u64::MAX, |power| first * power)
}

/// Counts what is found.
pub(crate) struct CountFacets;

/// Counts what is found in a segment.
pub(crate) struct OfSegment {
    total: u64,
    named: [Option<(StrColumn, Vec<u32>)>; 3],
    price: Column<u64>,
    prices: Vec<u64>,
}

/// The columns whose values are counted by their names.
const NAMED: [&str; 3] = ["category", "brand", "attribute"];

/// Reads the columns of `segment` that are counted.
pub(crate) fn read_columns(segment: &SegmentReader) -> tantivy::Result<()> {
    let columns = segment.fast_fields();
    for name in NAMED {
        columns.str(name)?;
    }
    columns.u64("price").map(drop)
}

impl Collector for CountFacets {
    type Fruit = Counts;
    type Child = OfSegment;

    fn for_segment(&self, _: u32, segment: &SegmentReader) -> tantivy::Result<OfSegment> {
        let columns = segment.fast_fields();
        let named = |name| -> tantivy::Result<_> {
            let column = columns.str(name)?;
            Ok(column.map(|column| {
                let counts = vec![0; column.num_terms()];
                (column, counts)
            }))
        };
        Ok(OfSegment {
            total: 0,
            named: [named(NAMED[0])?, named(NAMED[1])?, named(NAMED[2])?],
            price: columns.u64("price")?,
            prices: vec![0; RANGES],
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, segments: Vec<tantivy::Result<Counts>>) -> tantivy::Result<Counts> {
        let mut all = Counts {
            prices: vec![0; RANGES],
            ..Counts::default()
        };
        for counts in segments {
            let counts = counts?;
            all.total += counts.total;
            for (sum, more) in all.prices.iter_mut().zip(counts.prices) {
                *sum += more;
            }
            add(&mut all.categories, counts.categories);
            add(&mut all.brands, counts.brands);
            add(&mut all.attributes, counts.attributes);
        }
        Ok(all)
    }
}

fn add(sums: &mut HashMap<String, u64>, more: HashMap<String, u64>) {
    if sums.is_empty() {
        *sums = more;
        return;
    }
    for (name, count) in more {
        *sums.entry(name).or_default() += count;
    }
}

impl SegmentCollector for OfSegment {
    type Fruit = tantivy::Result<Counts>;

    fn collect(&mut self, document: DocId, _: Score) {
        self.total += 1;
        for (column, counts) in self.named.iter_mut().flatten() {
            for ord in column.ords().values_for_doc(document) {
                let count = usize::try_from(ord)
                    .ok()
                    .and_then(|ord| counts.get_mut(ord));
                if let Some(count) = count {
                    *count += 1;
                }
            }
        }
        if let Some(price) = self.price.first(document)
            && let Some(count) = self.prices.get_mut(range_of(price))
        {
            *count += 1;
        }
    }

    fn harvest(self) -> tantivy::Result<Counts> {
        let [categories, brands, attributes] = self.named.map(|named| match named {
            Some((column, counts)) => named_counts(&column, &counts),
            None => Ok(HashMap::new()),
        });
        Ok(Counts {
            total: self.total,
            categories: categories?,
            brands: brands?,
            attributes: attributes?,
            prices: self.prices,
        })
    }
}

/// The most values of one kind that are named: those that most products have.
const MOST_NAMED: usize = 1_000;

fn named_counts(column: &StrColumn, counts: &[u32]) -> tantivy::Result<HashMap<String, u64>> {
    let mut found: Vec<(u32, u64)> = counts
        .iter()
        .zip(0..)
        .filter(|(count, _)| **count > 0)
        .map(|(count, ord)| (*count, ord))
        .collect();
    found.sort_unstable_by(|one, other| other.cmp(one));
    found.truncate(MOST_NAMED);
    let mut named = HashMap::with_capacity(found.len());
    for (count, ord) in found {
        let mut name = String::new();
        column.ord_to_str(ord, &mut name)?;
        named.insert(name, u64::from(count));
    }
    Ok(named)
}
