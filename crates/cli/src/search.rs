//! `oxcart search`: the size of the index, how long queries take, and how good their answers are, on products of the large
//! demo.

#![expect(
    clippy::disallowed_types,
    reason = "figures about relevance are not amounts"
)]

mod functions;
mod judged;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use oxcart_search::blocks::{Blocks, Files, Place};
use oxcart_search::index::Part;
use oxcart_search::memory::Memory;
use oxcart_search::query::Weights;
use oxcart_search::synonyms::Synonyms;
use oxcart_search::{Document, Request, Searcher, segment, versions};
use uuid::Uuid;

use self::functions::Filled;
use self::judged::{Judged, Product, ndcg};
use crate::bench::machine::{Machine, peak_memory_kib};
use crate::bench::numbers::{micros, millis, percentile};
use crate::demo::large::PRODUCTS;
use crate::demo::large::documents::Documents;
use crate::{Error, build};

/// `oxcart search`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many products of the large demo are searched.
    #[arg(long, default_value_t = PRODUCTS)]
    products: u32,
    /// How often each query is repeated for its time.
    #[arg(long, default_value_t = 20)]
    rounds: u32,
    /// Shows the queries whose nDCG is below 0.9.
    #[arg(long)]
    verbose: bool,
    /// Searches without the synonyms.
    #[arg(long)]
    no_synonyms: bool,
    /// Fills a shop with the products and asks its function instead.
    #[arg(
        long,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "imported",
        conflicts_with_all = ["verbose", "no_synonyms"],
    )]
    functions: Option<Filled>,
}

/// What may be larger or slower is not the search that was promised: docs/decisions/0045-search.md.
const MOST_BYTES_PER_PRODUCT: u64 = 500;
const LEAST_NDCG: f64 = 0.85;

/// Builds the index, and measures it.
///
/// # Errors
/// If the index is too large or its answers are too bad.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Error> {
    Machine::read()?.print();
    let Some(filled) = arguments.functions else {
        return tokio::task::spawn_blocking(move || engine(&arguments)).await?;
    };
    build::functions(!cfg!(debug_assertions), &functions::in_use()).await?;
    functions::measure(filled, arguments.products, arguments.rounds).await
}

/// Builds the index in memory, and measures it.
fn engine(arguments: &Arguments) -> Result<(), Error> {
    let begun = Instant::now();
    let shop = Shop::new(arguments.products)?;
    let sizes = shop.parts.iter().map(|part| part.segment.bytes);
    let bytes: u64 = sizes.sum();
    println!(
        "{} products in {:.1?}: {bytes} bytes in {} segments, at most {} KiB of memory",
        arguments.products,
        begun.elapsed(),
        shop.parts.len(),
        peak_memory_kib()
    );
    let synonyms = if arguments.no_synonyms {
        Synonyms::default()
    } else {
        Synonyms::new(judged::synonyms())
    };
    let queries = judged::queries()?;
    cold(&shop, &queries, &synonyms)?;
    opened_again(&shop, &synonyms)?;
    let searcher = shop.searcher(synonyms)?;
    let all = relevance(&searcher, &queries, &shop.products, arguments.verbose)?;
    times(&searcher, &queries, arguments.rounds)?;
    as_items(&searcher, &queries, arguments.products)?;
    if bytes > MOST_BYTES_PER_PRODUCT * u64::from(arguments.products) {
        return Err(format!(
            "the index has more than {MOST_BYTES_PER_PRODUCT} bytes for a product"
        )
        .into());
    }
    if all < LEAST_NDCG {
        return Err(format!("nDCG@10 is less than {LEAST_NDCG}").into());
    }
    Ok(())
}

type Products = HashMap<Uuid, Product>;

/// How many products are written as one segment.
const PIECE: usize = 20_000;

/// So many bytes that all blocks of an index stay in memory.
const ALL: usize = 4 << 30;

/// Products, and the index of them.
struct Shop {
    products: Products,
    memory: Memory,
    parts: Vec<Part>,
}

impl Shop {
    /// Returns a shop of so many products, whose segments are written and merged as those of a shop are.
    fn new(count: u32) -> Result<Self, Error> {
        let documents = Documents::new("EUR".parse()?)?;
        let mut shop = Self {
            products: HashMap::new(),
            memory: Memory::default(),
            parts: Vec::new(),
        };
        let blocks = Arc::new(Blocks::new(shop.memory.clone(), ALL));
        let mut numbers = 0..count;
        loop {
            let piece: Result<Vec<Document>, Error> = numbers
                .by_ref()
                .take(PIECE)
                .map(|number| documents.document(number))
                .collect();
            let piece = piece?;
            if piece.is_empty() {
                return Ok(shop);
            }
            let described = piece.iter();
            let described = described.map(|document| (document.id, Product::new(document)));
            shop.products.extend(described);
            let segment = shop.memory.keep(segment::write(piece)?);
            versions::add(&blocks, &mut shop.parts, segment)?;
            while let Some(due) = versions::due(&shop.parts) {
                let merged = segment::merge(&blocks, &due)?;
                let merged = merged.map(|merged| shop.memory.keep(merged));
                versions::replace(&blocks, &mut shop.parts, &due, merged.as_ref())?;
                for part in due {
                    drop(shop.memory.take(part.segment.id));
                }
            }
        }
    }

    /// Returns a searcher that keeps in memory what it has read.
    fn searcher(&self, synonyms: Synonyms) -> Result<Searcher, Error> {
        let blocks = Arc::new(Blocks::new(self.memory.clone(), ALL));
        let (parts, weights) = (self.parts.clone(), Weights::default());
        Ok(Searcher::open(&blocks, parts, weights, synonyms)?)
    }
}

/// Segments of which is counted what is read.
struct Counted {
    memory: Memory,
    read: Arc<Mutex<Read>>,
}

/// What was read.
#[derive(Clone, Copy, Debug, Default)]
struct Read {
    /// One after another.
    rounds: u64,
    ranges: u64,
    bytes: u64,
}

impl Files for Counted {
    fn read(&self, places: &[Place]) -> io::Result<Vec<Vec<u8>>> {
        let found = self.memory.read(places)?;
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.rounds += 1;
        read.ranges += found.len() as u64;
        read.bytes += found.iter().map(|bytes| bytes.len() as u64).sum::<u64>();
        Ok(found)
    }
}

/// Prints how long it takes to open an index whose blocks are in memory, as after each change of it.
fn opened_again(shop: &Shop, synonyms: &Synonyms) -> Result<(), Error> {
    let blocks = Arc::new(Blocks::new(shop.memory.clone(), ALL));
    let open = || {
        Searcher::open(
            &blocks,
            shop.parts.clone(),
            Weights::default(),
            synonyms.clone(),
        )
    };
    open()?.search(&request("teapot"))?;
    let mut times = Vec::new();
    for _ in 0..20 {
        let begun = Instant::now();
        open()?.search(&request("teapot"))?;
        times.push(micros(begun.elapsed()));
    }
    let middle = percentile(times, 50).map(millis).unwrap_or_default();
    println!("Opened again and searched (p50): {middle} ms");
    Ok(())
}

/// Prints what the first query of a process reads, and how long it takes beside that.
fn cold(shop: &Shop, queries: &[Judged], synonyms: &Synonyms) -> Result<(), Error> {
    let (mut rounds, mut ranges, mut bytes, mut times) = (vec![], vec![], vec![], vec![]);
    for query in queries {
        let read = Arc::new(Mutex::new(Read::default()));
        let counted = Counted {
            memory: shop.memory.clone(),
            read: Arc::clone(&read),
        };
        let begun = Instant::now();
        let blocks = Arc::new(Blocks::new(counted, ALL));
        let (parts, weights) = (shop.parts.clone(), Weights::default());
        let searcher = Searcher::open(&blocks, parts, weights, synonyms.clone())?;
        searcher.search(&request(query.text))?;
        times.push(micros(begun.elapsed()));
        let read = *read.lock().unwrap_or_else(PoisonError::into_inner);
        rounds.push(read.rounds);
        ranges.push(read.ranges);
        bytes.push(read.bytes);
    }
    for percent in [50, 99] {
        let of = |figures: &[u64]| percentile(figures.to_vec(), percent).unwrap_or_default();
        println!(
            "A first query (p{percent}): {} reads one after another of {} ranges, {} bytes, and {} ms",
            of(&rounds),
            of(&ranges),
            of(&bytes),
            millis(of(&times)),
        );
    }
    Ok(())
}

/// Prints the nDCG of each language, and returns that of all queries.
fn relevance(
    searcher: &Searcher,
    queries: &[Judged],
    products: &Products,
    verbose: bool,
) -> Result<f64, Error> {
    let mut by_language: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for query in queries {
        let found = searcher.search(&request(query.text))?;
        let found = found.products.iter().filter_map(|id| products.get(id));
        let grades: Vec<u32> = found.map(|product| query.grade(product)).collect();
        let all = products.values().map(|product| query.grade(product));
        // In a small shop, some queries have no answer.
        let Some(ndcg) = ndcg(&grades, all.collect()) else {
            continue;
        };
        if verbose && ndcg < 0.9 {
            println!("  {ndcg:.2} {} {:?} {grades:?}", query.language, query.text);
        }
        by_language.entry(query.language).or_default().push(ndcg);
    }
    for (language, of_language) in &by_language {
        println!(
            "nDCG@10 {language}: {:.3} ({} queries)",
            mean(of_language),
            of_language.len()
        );
    }
    let all = by_language.into_values().flatten().collect::<Vec<f64>>();
    println!("nDCG@10: {:.3} ({} queries)", mean(&all), all.len());
    Ok(mean(&all))
}

fn mean(figures: &[f64]) -> f64 {
    let count = u32::try_from(figures.len()).unwrap_or(u32::MAX).max(1);
    figures.iter().sum::<f64>() / f64::from(count)
}

/// Prints what the same index would cost as items of DynamoDB, one or more for each term of a field: a query reads those of
/// its terms, at half a unit for 4 KiB, and a changed product writes one for each of its terms at least.
fn as_items(searcher: &Searcher, queries: &[Judged], products: u32) -> Result<(), Error> {
    let (all, all_bytes) = searcher.all_postings()?;
    let mut units: Vec<u64> = Vec::new();
    for query in queries {
        let postings = searcher.postings(query.text)?;
        let pages = postings.iter().map(|count| {
            let bytes = u128::from(*count) * u128::from(all_bytes);
            let bytes = bytes / u128::from(all.max(1));
            u64::try_from(bytes.div_ceil(4096)).unwrap_or(u64::MAX)
        });
        units.push(pages.sum());
    }
    let [p50, p99] = [50, 99].map(|percent| percentile(units.clone(), percent));
    println!(
        "As items of DynamoDB, a query reads {} pages of 4 KiB (p50), {} (p99), and a change writes {} items",
        p50.unwrap_or_default(),
        p99.unwrap_or_default(),
        all / u64::from(products.max(1))
    );
    Ok(())
}

/// Prints how long queries take that follow each other, after a round that is not counted.
fn times(searcher: &Searcher, queries: &[Judged], rounds: u32) -> Result<(), Error> {
    let mut times: Vec<u64> = Vec::new();
    for round in 0..=rounds {
        for query in queries {
            let begun = Instant::now();
            searcher.search(&request(query.text))?;
            if round > 0 {
                times.push(micros(begun.elapsed()));
            }
        }
    }
    let of_time = |percent| percentile(times.clone(), percent).map(millis);
    let [p50, p95, p99] = [50, 95, 99].map(|percent| of_time(percent).unwrap_or_default());
    println!("p50 {p50} ms, p95 {p95} ms, p99 {p99} ms");
    Ok(())
}

fn request(text: &str) -> Request {
    Request {
        text: text.to_owned(),
        limit: 10,
        ..Request::default()
    }
}

#[cfg(test)]
mod tests;
