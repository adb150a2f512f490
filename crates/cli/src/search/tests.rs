//! The relevance of the search.

use super::*;

/// So many that most queries have an answer, and so few that a debug build indexes them in some seconds.
const FEW: u32 = 20_000;

#[test]
fn answers_are_as_good_as_they_were() {
    let shop = Shop::new(FEW).unwrap();
    let searcher = shop.searcher(Synonyms::new(judged::synonyms())).unwrap();
    let queries = judged::queries().unwrap();
    let all = relevance(&searcher, &queries, &shop.products, true).unwrap();
    assert!(all >= LEAST_NDCG, "{all}");
}

#[test]
fn a_gain_is_less_the_further_down_it_is() {
    let of = |found: &[u32]| ndcg(found, vec![1, 3, 0, 0]).unwrap();
    assert!((of(&[3, 1, 0]) - 1.0).abs() < 1e-9);
    // 1 + 7 / log2(3), of 7 + 1 / log2(3)
    assert!(
        (of(&[1, 3, 0]) - 0.709_8).abs() < 1e-4,
        "{}",
        of(&[1, 3, 0])
    );
    assert!(of(&[0, 0, 0]).abs() < 1e-9);
    assert_eq!(ndcg(&[0], vec![0, 0]), None);
}
