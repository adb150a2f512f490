use proptest::prelude::*;

use super::*;

#[test]
fn a_long_text_goes_on_in_the_next_attribute() {
    let mut attributes = Attributes::default();
    let text = format!("{}\n\n{}", "a".repeat(900), "b".repeat(200));
    assert!(attributes.put("note", &text));
    let texts = attributes.finish().unwrap();
    assert_eq!(texts["note"], "a".repeat(900));
    assert_eq!(texts["note_2"], "b".repeat(200));
}

#[test]
fn another_text_of_the_same_name_is_not_taken() {
    let mut attributes = Attributes::default();
    assert!(attributes.put("colour", "red"));
    assert!(attributes.put("colour", " red\u{7}"));
    assert!(!attributes.put("colour", "blue"));
    assert!(attributes.put("empty", " "));
    assert!(attributes.put("weight_grams", "heavy"));
    let names: Vec<String> = attributes.finish().unwrap().into_keys().collect();
    assert_eq!(names, ["colour", "weight_grams_1"]);
}

#[test]
fn more_than_the_catalogue_takes_is_told() {
    let mut long = Attributes::default();
    long.put("story", &"x".repeat(9000));
    assert!(long.finish().unwrap_err().contains("story"));
    let mut many = Attributes::default();
    for number in 0..51 {
        many.put(&format!("a{number}"), "x");
    }
    assert!(many.finish().is_err());
}

proptest! {
    #[test]
    fn no_word_is_lost_between_pieces(text in "([a-zä]{1,30}[ \n]{1,2}|x{1200} ){0,60}") {
        let pieces = pieces(&text);
        prop_assert!(pieces.iter().all(|piece| (1..=MOST_CHARACTERS).contains(&piece.chars().count())));
        let letters = |text: &str| text.split_whitespace().collect::<String>();
        prop_assert_eq!(letters(&pieces.concat()), letters(&text));
    }
}
