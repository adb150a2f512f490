//! `oxcart search`: the size of the index, how long queries take, and how good their answers are, on products of the large
//! demo.

#![expect(
    clippy::disallowed_types,
    reason = "figures about relevance are not amounts"
)]

mod judged;

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use oxcart_search::query::Weights;
use oxcart_search::synonyms::Synonyms;
use oxcart_search::{Request, Searcher, segment};
use uuid::Uuid;

use self::judged::{Judged, Product, ndcg};
use crate::Error;
use crate::bench::machine::{Machine, peak_memory_kib};
use crate::bench::numbers::{micros, millis, percentile};
use crate::demo::large::PRODUCTS;
use crate::demo::large::documents::Documents;

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
}

/// What may be larger or slower is not the search that was promised: docs/decisions/0045-search.md.
const MOST_BYTES_PER_PRODUCT: u64 = 500;
const LEAST_NDCG: f64 = 0.85;

/// Builds the index, and measures it.
///
/// # Errors
/// If the index is too large or its answers are too bad.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Error> {
    Machine::read()?.print();
    let begun = Instant::now();
    let (index, products) = index(arguments.products)?;
    let size = segment::size(&index)?;
    println!(
        "{} products in {:.1?}: {} bytes, at most {} KiB of memory",
        products.len(),
        begun.elapsed(),
        size.bytes,
        peak_memory_kib()
    );
    let synonyms = if arguments.no_synonyms {
        Synonyms::default()
    } else {
        Synonyms::new(judged::synonyms())
    };
    let searcher = Searcher::new(&index, Weights::default(), synonyms)?;
    let queries = judged::queries()?;
    let all = relevance(&searcher, &queries, &products, arguments.verbose)?;
    times(&searcher, &queries, arguments.rounds)?;
    as_items(&searcher, &queries, size, arguments.products)?;
    if size.bytes > MOST_BYTES_PER_PRODUCT * u64::from(arguments.products) {
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

/// Returns the index of so many products, and the products.
fn index(count: u32) -> Result<(segment::Index, Products), Error> {
    let documents = Documents::new("EUR".parse()?)?;
    let mut products = HashMap::new();
    let mut failure = None;
    let numbers = (0..count).map_while(|number| match documents.document(number) {
        Ok(document) => {
            products.insert(document.id, Product::new(&document));
            Some(document)
        }
        Err(error) => {
            failure = Some(error);
            None
        }
    });
    let index = segment::write(numbers)?;
    failure.map_or(Ok(()), Err)?;
    Ok((index, products))
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
fn as_items(
    searcher: &Searcher,
    queries: &[Judged],
    size: segment::Size,
    products: u32,
) -> Result<(), Error> {
    let mut units: Vec<u64> = Vec::new();
    for query in queries {
        let postings = searcher.postings(query.text)?;
        let pages = postings.iter().map(|count| {
            let bytes = u128::from(*count) * u128::from(size.posting_bytes);
            let bytes = bytes / u128::from(size.postings.max(1));
            u64::try_from(bytes.div_ceil(4096)).unwrap_or(u64::MAX)
        });
        units.push(pages.sum());
    }
    let [p50, p99] = [50, 99].map(|percent| percentile(units.clone(), percent));
    println!(
        "As items of DynamoDB, a query reads {} pages of 4 KiB (p50), {} (p99), and a change writes {} items",
        p50.unwrap_or_default(),
        p99.unwrap_or_default(),
        size.postings / u64::from(products.max(1))
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
