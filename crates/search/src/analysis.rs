//! How texts become terms.
//!
//! Words are compared without case, width and accents. Scripts that are written without spaces are cut into pairs of
//! characters, because any segmenter needs a dictionary, and a pair of characters is found wherever a word begins. Words of
//! English and German texts have their stems as further terms, marked so that a stem is never taken for a word: words are
//! what typing ahead and typing errors are looked up in.

use frostem::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// The longest word in characters; what is longer is cut.
const LONGEST: usize = 40;

/// Characters of Chinese that are words of their own between two others.
const LINKS: [char; 1] = ['的'];

/// What begins the term of a stem.
pub const STEM: char = '\u{1}';

/// A word of a text, without case, width and accents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The characters.
    pub text: String,
    /// The same with `ae`, `oe` and `ue` for the letters with two dots, if there are any.
    pub spelled_out: Option<String>,
    /// Whether its script has no spaces, so that it may be several words.
    pub is_unspaced: bool,
    /// Whether a hyphen joins it to the word before it.
    pub is_joined: bool,
}

/// Returns the words of `text`.
#[must_use]
pub fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut current = String::new();
    let (mut is_unspaced, mut is_joined) = (false, false);
    let text = text.nfkc().flat_map(char::to_lowercase);
    for letter in text.chain([' ']) {
        if matches!(letter, '\'' | '’' | '\u{ad}' | '\u{200b}'..='\u{200d}') {
            continue;
        }
        let is_part = letter.is_alphanumeric() || is_combining_mark(letter);
        let changes = is_part
            && !current.is_empty()
            && (is_of_unspaced(letter) != is_unspaced
                || LINKS.contains(&letter)
                || LINKS.iter().any(|link| current.starts_with(*link)));
        if (!is_part || changes) && !current.is_empty() {
            words.push(word(&current, is_unspaced, is_joined));
            current.clear();
            is_joined = matches!(letter, '-' | '‐' | '‑');
        }
        if is_part {
            if current.is_empty() {
                is_unspaced = is_of_unspaced(letter);
            }
            current.push(letter);
        } else if !matches!(letter, '-' | '‐' | '‑') {
            is_joined = false;
        }
    }
    words
}

fn word(letters: &str, is_unspaced: bool, is_joined: bool) -> Word {
    let letters: String = letters.chars().take(LONGEST).collect();
    let spelled_out = letters.contains(['ä', 'ö', 'ü']).then(|| {
        let spelled = letters.replace('ä', "ae").replace('ö', "oe");
        fold(&spelled.replace('ü', "ue"))
    });
    Word {
        text: fold(&letters),
        spelled_out,
        is_unspaced,
        is_joined,
    }
}

/// Returns `letters` without accents.
fn fold(letters: &str) -> String {
    let plain = letters
        .nfd()
        .filter(|letter| !('\u{300}'..='\u{36f}').contains(letter));
    let mut folded = String::with_capacity(letters.len());
    for letter in plain.nfc() {
        match letter {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' => folded.push('d'),
            _ => folded.push(letter),
        }
    }
    folded
}

/// Returns whether the script of `letter` has no spaces between words.
fn is_of_unspaced(letter: char) -> bool {
    matches!(letter,
        '\u{e00}'..='\u{eff}'        // Thai, Lao
        | '\u{1000}'..='\u{109f}'    // Burmese
        | '\u{1100}'..='\u{11ff}'    // Hangul
        | '\u{1780}'..='\u{17ff}'    // Khmer
        | '\u{2e80}'..='\u{2fdf}'    // radicals
        | '\u{3040}'..='\u{30ff}'    // kana
        | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}'    // Han
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}'    // Hangul
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Returns the pairs of characters of a word in a script without spaces; a single character is returned as it is.
#[must_use]
pub fn pairs(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    if letters.len() < 2 {
        return vec![word.to_owned()];
    }
    letters
        .windows(2)
        .map(|pair| pair.iter().collect())
        .collect()
}

/// A language whose words have stems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stemmed {
    /// English.
    English,
    /// German.
    German,
}

impl Stemmed {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// Returns the language of a tag of BCP 47, or `None` if its words have no stems here.
    #[must_use]
    pub fn of(locale: &str) -> Option<Self> {
        match locale.split(['-', '_']).next() {
            Some("en") => Some(Self::English),
            Some("de") => Some(Self::German),
            _ => None,
        }
    }

    /// Returns the term of the stem of `word`.
    #[must_use]
    pub fn stem(self, word: &str) -> String {
        let algorithm = match self {
            Self::English => Algorithm::English,
            Self::German => Algorithm::German,
        };
        format!("{STEM}{}", Stemmer::new(algorithm).stem(word))
    }
}

/// Returns the term of a code, such as an SKU: its letters and digits.
#[must_use]
pub fn code(text: &str) -> String {
    let words = words(text);
    let words = words.iter().map(|word| word.text.as_str());
    words.collect()
}

/// Returns `text` as one term: the stems of its words, in their order. Two texts that say the same in other forms have the
/// same, in `language`.
#[must_use]
pub fn whole(text: &str, language: Stemmed) -> String {
    let words = words(text);
    let words = words.iter().map(|word| {
        if word.is_unspaced {
            word.text.clone()
        } else {
            language.stem(&word.text)
        }
    });
    words.collect()
}

/// Returns the terms of `text` in a document: its words and characters, their stems in the languages `stemmed`, and words
/// with hyphens also as one.
#[must_use]
pub fn terms(text: &str, stemmed: &[Stemmed]) -> Vec<String> {
    let words = words(text);
    let mut terms = Vec::new();
    let mut joined = String::new();
    for word in &words {
        if word.is_joined {
            joined.push_str(&word.text);
            if joined.chars().count() <= LONGEST {
                terms.push(joined.clone());
            }
        } else {
            joined.clone_from(&word.text);
        }
        if word.is_unspaced {
            let letters = word.text.chars().map(String::from);
            terms.extend(letters);
            if word.text.chars().count() > 1 {
                terms.extend(pairs(&word.text));
            }
            continue;
        }
        terms.extend(stemmed.iter().map(|language| language.stem(&word.text)));
        terms.push(word.text.clone());
        terms.extend(word.spelled_out.clone());
    }
    terms
}

#[cfg(test)]
mod tests;
