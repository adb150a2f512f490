//! What a shop has decided about its search: synonyms, and in which texts words count more.

use std::collections::HashSet;

use oxcart_search::query::{Boosts, Weights};
use oxcart_search::synonyms::{self, Synonyms};
use serde::{Deserialize, Serialize};

use crate::http::body::{Body, Json};

/// The most groups of synonyms.
const MOST_GROUPS: usize = 1_000;

/// The most terms in a group: so many others are searched for with each of them.
const MOST_TERMS: usize = 10;

/// The longest term, in characters.
const LONGEST_TERM: usize = 50;

/// How much more a word can count than it does without a boost, in percent.
const HIGHEST_BOOST: u32 = 1_000;

/// The settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchSettings {
    /// Groups of words of which each stands for all of its group. A word is in one group at most.
    pub synonyms: Vec<Vec<String>>,
    /// In which texts words count more.
    pub boosts: Boosts,
    /// How often they were replaced.
    pub version: u64,
}

impl SearchSettings {
    /// Returns the synonyms, as they are searched with.
    #[must_use]
    pub fn synonyms(&self) -> Synonyms {
        let groups = self.synonyms.iter();
        Synonyms::new(groups.map(|group| group.iter().map(String::as_str).collect()))
    }

    /// Returns the weights, as they are searched with.
    #[must_use]
    pub fn weights(&self) -> Weights {
        Weights::boosted(self.boosts)
    }

    /// Reads new settings; what is not sent is as by default.
    pub(super) fn read(body: &mut Body<'_>) -> Option<Self> {
        let synonyms = body.non_nullable("synonyms", groups);
        let boosts = body.non_nullable("boosts", |json| json.object(boosts));
        Some(Self {
            synonyms: synonyms?.unwrap_or_default(),
            boosts: boosts?.unwrap_or_default(),
            version: 0,
        })
    }
}

fn groups(json: Json<'_>) -> Option<Vec<Vec<String>>> {
    let mut known: HashSet<String> = HashSet::new();
    json.list(0..=MOST_GROUPS, |json| {
        json.list(2..=MOST_TERMS, |json| {
            let place = json.clone();
            let term = json.line(1..=LONGEST_TERM)?;
            let key = synonyms::key(&term);
            if key.is_empty() {
                return place.fault("no_word", "this must have a letter or a digit");
            }
            if !known.insert(key) {
                return place.fault("repeated", "a word can be in one group only, and once");
            }
            Some(term)
        })
    })
}

fn boosts(body: &mut Body<'_>) -> Option<Boosts> {
    let mut boost = |name| {
        let percent = body.non_nullable(name, |json| json.integer(0..=HIGHEST_BOOST))?;
        u16::try_from(percent.unwrap_or(100)).ok()
    };
    let [name, keywords, category, description] =
        ["name", "keywords", "category", "description"].map(&mut boost);
    Some(Boosts {
        name: name?,
        keywords: keywords?,
        category: category?,
        description: description?,
    })
}
