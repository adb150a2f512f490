//! Texts are plain English.

use std::path::{Path, PathBuf};

use crate::support::root;

/// Words that made texts hard to read, as in "whoever is no admin".
const RIDDLES: &[&str] = &["whoever", "is no "];

/// Where the same words are plain English.
const PLAIN: &[&str] = &["there is no ", "is no longer", "is no more than"];

/// The source files and documents in `folder`, without what is built.
fn texts(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.starts_with('.') || name == "target" || name == "prose.rs" {
            continue;
        }
        if path.is_dir() {
            found.extend(texts(&path));
        } else if [".rs", ".md", ".yaml", ".json", ".toml"]
            .iter()
            .any(|end| name.ends_with(end))
        {
            found.push(path);
        }
    }
    found
}

#[test]
fn no_text_has_a_word_that_made_texts_hard_to_read() {
    let mut found = Vec::new();
    for path in texts(&root()) {
        let text = std::fs::read_to_string(&path).unwrap();
        // As it is read: without line ends and the signs that begin a comment's next line.
        let text = text
            .replace("///", " ")
            .replace("//!", " ")
            .replace("//", " ");
        let words: Vec<&str> = text.split_whitespace().collect();
        let mut text = words.join(" ").to_lowercase();
        for plain in PLAIN {
            text = text.replace(plain, "");
        }
        for riddle in RIDDLES {
            for (at, _) in text.match_indices(riddle) {
                if !text[..at].ends_with(char::is_alphanumeric) {
                    let context: String = text[at..].chars().take(60).collect();
                    found.push(format!("{}: {context}", path.display()));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}: {found:#?}", found.len());
}
