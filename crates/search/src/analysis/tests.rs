//! Words and terms of texts from many countries.

use super::*;

fn texts(text: &str) -> Vec<String> {
    words(text).into_iter().map(|word| word.text).collect()
}

#[test]
fn words_are_compared_without_case_width_and_accents() {
    for (text, expected) in [
        ("Green TEA", &["green", "tea"][..]),
        ("Crème brûlée", &["creme", "brulee"]),
        ("ＵＳＢ　ケーブル", &["usb", "ケーブル"]),
        ("Straße, Ærø, Łódź", &["strasse", "aero", "lodz"]),
        ("men's  L’Oréal", &["mens", "loreal"]),
        ("T-Shirt 100% XL", &["t", "shirt", "100", "xl"]),
        ("白いTシャツ100円", &["白い", "t", "シャツ", "100", "円"]),
        ("泡茶的壶", &["泡茶", "的", "壶"]),
        ("हिन्दी किताब", &["हिन्दी", "किताब"]),
        ("Чайник Заварочный", &["чаиник", "заварочныи"]),
        ("  \t\n", &[]),
        ("?!*+-\"()[]{}~^:\\/", &[]),
    ] {
        assert_eq!(texts(text), expected, "{text:?}");
    }
    assert_eq!(
        texts(&"ab".repeat(30)),
        ["ab".repeat(20)],
        "words have an end"
    );
}

#[test]
fn letters_with_two_dots_are_also_spelled_out() {
    let [word] = &words("Käsereibe")[..] else {
        panic!("one word");
    };
    assert_eq!(word.text, "kasereibe");
    assert_eq!(word.spelled_out.as_deref(), Some("kaesereibe"));
    assert_eq!(words("Tee")[0].spelled_out, None);
}

#[test]
fn stems_are_marked_so_that_they_are_no_words() {
    let terms = terms("Teapots", &[Stemmed::English]);
    assert_eq!(terms, ["\u{1}teapot", "teapots"]);
    assert_eq!(terms_of("Kannen", "de-AT"), ["\u{1}kann", "kannen"]);
    assert_eq!(terms_of("Théières", "fr"), ["theieres"]);
}

fn terms_of(text: &str, locale: &str) -> Vec<String> {
    let stemmed: Vec<Stemmed> = Stemmed::of(locale).into_iter().collect();
    terms(text, &stemmed)
}

#[test]
fn scripts_without_spaces_are_cut_into_pairs_and_single_characters() {
    assert_eq!(terms_of("自行车", "zh"), ["自", "行", "车", "自行", "行车"]);
    assert_eq!(terms_of("茶", "zh"), ["茶"]);
    assert_eq!(pairs("自行车"), ["自行", "行车"]);
    assert_eq!(pairs("茶"), ["茶"]);
}

#[test]
fn words_with_hyphens_are_also_one() {
    let terms = terms_of("T-Shirt", "fr");
    assert_eq!(terms, ["t", "tshirt", "shirt"]);
    assert_eq!(terms_of("a - b", "fr"), ["a", "b"]);
}

#[test]
fn forms_of_the_same_words_are_the_same_as_a_whole() {
    let same = |one, other, language| whole(one, language) == whole(other, language);
    assert!(same("Running Shoes", "running shoe", Stemmed::English));
    assert!(same("Teekannen", "Teekanne", Stemmed::German));
    assert!(!same("shoe rack", "shoe", Stemmed::English));
    assert_eq!(code("OX-00012 / 3"), "ox000123");
}
