//! Batches of codes that one order each can use, all made from one random seed.

use sha2::{Digest, Sha256};

use super::model::{Code, InvalidCode};
use crate::values::clock::Time;
use crate::values::id::DiscountId;

/// The characters of a code: without 0, 1, I and O, which people take for one another.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// The number of characters of a code, of five bits each: 80 bits cannot be guessed.
const CHARACTERS: usize = 16;

/// The codes of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// What tells the discount's batches apart. It follows from the caller and the `Idempotency-Key`.
    pub name: String,
    /// The discount that the codes give.
    pub discount_id: DiscountId,
    /// 256 random bits, from which the codes follow.
    pub seed: String,
    /// The number of codes.
    pub count: u32,
    /// The number of codes that are stored so far: the first ones.
    pub stored: u32,
    /// The hash of the request.
    pub request_hash: String,
    /// When it was begun.
    pub created_at: Time,
}

impl Batch {
    /// Returns the code with this `number`, which starts at 0.
    ///
    /// # Errors
    /// Returns [`InvalidCode`] if it is not a code, which does not happen.
    pub fn code(&self, number: u32) -> Result<Code, InvalidCode> {
        let digest = Sha256::digest(format!("{}#{number}", self.seed));
        let five_bits = digest.iter().map(|byte| usize::from(byte % 32));
        let characters = five_bits.map(|bits| char::from(ALPHABET[bits]));
        characters.take(CHARACTERS).collect::<String>().parse()
    }

    /// Returns all codes.
    ///
    /// # Errors
    /// As [`Batch::code`].
    pub fn codes(&self) -> Result<Vec<Code>, InvalidCode> {
        (0..self.count).map(|number| self.code(number)).collect()
    }
}

/// Returns `code` as batches make it, in capitals and without hyphens, if that is the form of such a code. People type
/// long codes in groups.
#[must_use]
pub fn joined(code: &Code) -> Option<Code> {
    let typed = code.to_string().to_ascii_uppercase();
    let joined: String = typed.chars().filter(|letter| *letter != '-').collect();
    let has_form =
        joined.len() == CHARACTERS && joined.bytes().all(|byte| ALPHABET.contains(&byte));
    joined.parse().ok().filter(|_| has_form)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn batch(seed: &str) -> Batch {
        Batch {
            name: "spring".to_owned(),
            discount_id: DiscountId::derived(&["spring"]),
            seed: seed.to_owned(),
            count: 1000,
            stored: 0,
            request_hash: "hash".to_owned(),
            created_at: Time::from_millis(0),
        }
    }

    #[test]
    fn codes_of_one_seed_are_the_same_again_and_those_of_another_are_others() {
        let codes = |seed| batch(seed).codes().unwrap();
        assert_eq!(codes("one"), codes("one"));
        let all = [codes("one"), codes("two")].concat();
        let all: BTreeSet<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(all.len(), 2000);
        let letters: BTreeSet<u8> = all.iter().flat_map(|code| code.bytes()).collect();
        assert_eq!(letters, BTreeSet::from(*ALPHABET));
        assert!(all.iter().all(|code| code.len() == CHARACTERS));
    }

    #[test]
    fn a_code_that_was_typed_in_groups_is_joined() {
        for (typed, code) in [
            ("7kqm-xbc2-93hv-tyza", Some("7KQMXBC293HVTYZA")),
            ("7KQMXBC293HVTYZA", Some("7KQMXBC293HVTYZA")),
            ("7KQM-XBC2-93HV-TYZ", None),
            ("7KQM-XBC2-93HV-TYZ0", None),
            ("7KQM_XBC2_93HV_TYZA", None),
        ] {
            let joined = joined(&typed.parse().unwrap()).map(|code| code.to_string());
            assert_eq!(joined.as_deref(), code, "{typed}");
        }
    }
}
