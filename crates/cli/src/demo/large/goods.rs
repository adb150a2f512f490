//! The products of the large demo: number `i` is always the same.

use std::collections::BTreeMap;

use oxcart_core::values::money::{Currency, Money};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::data::{self, Category, Kind, LANGUAGES, Phrase, Vocabulary, Word};
use super::texts::{Told, gtin, slug};
use crate::{Error, demo};

/// Of which all products are drawn. Another seed makes another shop.
const SEED: u64 = 0x0000_0cab;

/// How many of a hundred products are of a word that has a name in every language, where a category has such words.
const TRANSLATED: u32 = 55;

/// A category has products in proportion to its words, but none has so few or so many that it would not be like a shop's.
const FEWEST: usize = 10;
const MOST: usize = 50;

/// The option whose values are the colours.
const COLOUR: &str = "colour";

/// How many of a hundred products have a GTIN, and how many a sale.
const WITH_GTIN: u32 = 30;
const ON_SALE: u32 = 3;

/// A product, as a row of an import of products has it.
#[derive(Debug, Serialize)]
pub(super) struct Product {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) category: &'static str,
    pub(super) slug: String,
    pub(super) brand: String,
    pub(super) tags: Vec<String>,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) translations: BTreeMap<&'static str, Translation>,
    #[serde(flatten)]
    pub(super) sold: Sold,
}

/// The texts of a product in another language.
#[derive(Debug, Serialize)]
pub(super) struct Translation {
    pub(super) name: String,
    pub(super) description: String,
}

/// What is sold of a product.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Sold {
    One(Variant),
    Variants {
        options: Vec<Options>,
        variants: Vec<Variant>,
    },
}

impl Sold {
    /// Returns the variants.
    pub(super) fn variants(&self) -> &[Variant] {
        match self {
            Self::One(only) => std::slice::from_ref(only),
            Self::Variants { variants, .. } => variants,
        }
    }
}

/// Something in which the variants differ.
#[derive(Debug, Serialize)]
pub(super) struct Options {
    pub(super) name: String,
    pub(super) values: Vec<String>,
}

/// What is sold, priced and stocked on its own.
#[derive(Debug, Serialize)]
pub(super) struct Variant {
    pub(super) sku: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gtin: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) options: BTreeMap<String, String>,
    pub(super) price: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sale: Option<Sale>,
    pub(super) weight_grams: u32,
    /// Is imported after the products.
    #[serde(skip)]
    pub(super) on_hand: u32,
}

/// A sale that has begun and has no end.
#[derive(Debug, Serialize)]
pub(super) struct Sale {
    pub(super) price: Money,
}

/// All that products are drawn from.
pub(super) struct Assortment {
    vocabulary: Vocabulary,
    categories: BTreeMap<String, Category>,
    /// Of each category, the words with a name in every language, and the others.
    words: BTreeMap<&'static str, [Vec<Word>; 2]>,
    /// The categories with words, each as often as it is drawn.
    lots: Vec<&'static str>,
    currency: Currency,
}

impl Assortment {
    /// Returns an assortment with prices in `currency`.
    ///
    /// # Errors
    /// If the data cannot be read.
    pub(super) fn new(currency: Currency) -> Result<Self, Error> {
        let mut words: BTreeMap<_, [Vec<Word>; 2]> = BTreeMap::new();
        for word in data::words()? {
            let [translated, others] = words.entry(word.category).or_default();
            if word.is_translated() {
                translated.push(word);
            } else {
                others.push(word);
            }
        }
        let lots = words.iter().flat_map(|(category, [translated, others])| {
            let count = FEWEST + translated.len() + others.len();
            std::iter::repeat_n(*category, count.min(MOST))
        });
        let lots = lots.collect();
        let categories = data::categories()?.into_iter();
        Ok(Self {
            vocabulary: data::vocabulary()?,
            categories: categories.map(|one| (one.id.clone(), one)).collect(),
            words,
            lots,
            currency,
        })
    }

    /// Returns product `number`.
    ///
    /// # Errors
    /// If the data names what is not there.
    pub(super) fn product(&self, number: u32) -> Result<Product, Error> {
        let mut draws = Draws::of(number);
        let words = self.words.get(*draws.one_of(&self.lots)?);
        let [translated, others] = words.ok_or("a category has no words")?;
        let is_translated = draws.happens(TRANSLATED);
        let words = if others.is_empty() || is_translated && !translated.is_empty() {
            translated
        } else {
            others
        };
        let word = *draws.one_of(words)?;
        let category = self.categories.get(word.category);
        let category = category.ok_or("a word has no category")?;
        let kind = category.kind.as_ref();
        let kind = kind.and_then(|kind| self.vocabulary.kinds.get(kind));
        let kind = kind.ok_or("a category has no kind")?;
        let told = self.tell(&mut draws, kind, word)?;
        let options = if draws.happens(kind.chance) {
            self.options(&mut draws, kind)?
        } else {
            Vec::new()
        };
        let has_colours = options.iter().any(|(name, _)| name == COLOUR);
        let told = if has_colours { told.uncoloured() } else { told };
        let name = told.name(&kind.name, 0);
        let others = (1..LANGUAGES.len()).filter(|_| word.is_translated());
        let translations = others.map(|language| {
            let translation = Translation {
                name: told.name(&kind.name, language),
                description: told.description(language),
            };
            (LANGUAGES[language], translation)
        });
        Ok(Product {
            description: told.description(0),
            category: word.category,
            slug: slug(&name, number),
            name,
            brand: told.brand.clone(),
            tags: told.tags(),
            translations: translations.collect(),
            attributes: attributes(&mut draws, kind, &told)?,
            sold: self.sold(&mut draws, number, category, &options)?,
        })
    }

    /// Draws what is told of a product.
    fn tell(&self, draws: &mut Draws, kind: &Kind, word: Word) -> Result<Told, Error> {
        let [first, second] = &self.vocabulary.brands;
        let brand = format!("{}{}", draws.one_of(first)?, draws.one_of(second)?);
        let is_coloured = kind.name[0].contains("{colour}")
            || kind.options.iter().any(|option| option.name == COLOUR);
        let colour = draws.one_of(&self.vocabulary.colours)?.clone();
        let material = (!kind.materials.is_empty()).then(|| draws.one_of(&kind.materials));
        let count = kind.sentences.len();
        let first = draws.below(count);
        let second = first + 1 + draws.below(count.saturating_sub(1));
        let sentences = [first, second % count].map(|at| kind.sentences.get(at).cloned());
        Ok(Told {
            word,
            brand,
            model: draws.one_of(&self.vocabulary.models)?.clone(),
            number: draws.below(98) + 2,
            material: material.transpose()?.cloned(),
            colour: is_coloured.then_some(colour),
            origin: draws.one_of(&self.vocabulary.origins)?.clone(),
            sentences: sentences.into_iter().flatten().collect(),
        })
    }

    /// Draws the options of a product: each with its values, and their percent of the price and the weight.
    fn options(&self, draws: &mut Draws, kind: &Kind) -> Result<Vec<(String, Values)>, Error> {
        let options = kind.options.iter().map(|choice| {
            let colours = self.vocabulary.colours.iter();
            let colours: Values = colours.map(|[name, ..]| (name.clone(), 100)).collect();
            let values = if choice.values.is_empty() {
                &colours
            } else {
                &choice.values
            };
            let (least, most) = choice.take;
            let count = least + draws.below(most - least + 1);
            let first = draws.below(values.len() + 1 - count);
            let values = values.get(first..first + count);
            let values = values.ok_or("an option has fewer values than it takes")?;
            Ok((choice.name.clone(), values.to_vec()))
        });
        options.collect()
    }

    /// Draws prices, weights and stock of the variants of product `number`.
    fn sold(
        &self,
        draws: &mut Draws,
        number: u32,
        category: &Category,
        options: &[(String, Values)],
    ) -> Result<Sold, Error> {
        let (least, most) = category.cents;
        // Cheap products are more frequent than dear ones.
        let place = draws.below(1_000) as u64;
        let about = least + (most - least) * place * place / 1_000_000;
        let cents = about / 100 * 100 + [50, 90, 95, 99][draws.below(4)];
        let (light, heavy) = category.grams;
        let grams = draws.rng.random_range(light..=heavy);
        let (has_gtin, is_on_sale) = (draws.happens(WITH_GTIN), draws.happens(ON_SALE));
        let in_currency = |cents| demo::in_currency(self.currency, cents);
        let mut variants = Vec::new();
        for (at, values) in (1..).zip(combinations(options)) {
            let percent = |of: u64| {
                let product = values.iter().map(|(_, (_, percent))| u64::from(*percent));
                product.fold(of, |of, percent| (of * percent / 100).max(1))
            };
            let cents = percent(cents);
            let sale = is_on_sale.then(|| in_currency(cents * 4 / 5));
            variants.push(Variant {
                sku: format!("OX-{number:05}-{at}"),
                gtin: has_gtin.then(|| gtin(u64::from(number) * 100 + at)),
                options: values
                    .iter()
                    .map(|(name, (value, _))| ((*name).clone(), value.clone()))
                    .collect(),
                price: in_currency(cents)?,
                sale: sale.transpose()?.map(|price| Sale { price }),
                weight_grams: u32::try_from(percent(u64::from(grams)))?,
                on_hand: draws.on_hand(),
            });
        }
        if options.is_empty()
            && let Some(only) = variants.pop()
        {
            return Ok(Sold::One(only));
        }
        let options = options.iter().map(|(name, values)| Options {
            name: name.clone(),
            values: values.iter().map(|(value, _)| value.clone()).collect(),
        });
        let options = options.collect();
        Ok(Sold::Variants { options, variants })
    }
}

/// Values of an option, and what a variant with it costs and weighs in percent.
type Values = Vec<(String, u32)>;

/// Returns all combinations of one value of each option: a single empty one without options.
fn combinations(options: &[(String, Values)]) -> Vec<Vec<(&String, &(String, u32))>> {
    options
        .iter()
        .fold(vec![Vec::new()], |before, (name, values)| {
            let longer = before.iter().flat_map(|before| {
                let with = |value| before.iter().copied().chain([(name, value)]).collect();
                values.iter().map(with)
            });
            longer.collect()
        })
}

/// Draws the attributes, by which lists are filtered.
fn attributes(
    draws: &mut Draws,
    kind: &Kind,
    told: &Told,
) -> Result<BTreeMap<String, String>, Error> {
    let english = |[english, ..]: &Phrase| english.clone();
    let mut attributes = BTreeMap::from([("origin".to_owned(), english(&told.origin))]);
    let known = [("material", &told.material), ("colour", &told.colour)];
    let known = known
        .into_iter()
        .filter_map(|(name, text)| Some((name.to_owned(), english(text.as_ref()?))));
    attributes.extend(known);
    for (name, values) in &kind.facts {
        if draws.happens(70) {
            attributes.insert(name.clone(), draws.one_of(values)?.clone());
        }
    }
    Ok(attributes)
}

/// What is drawn for one product.
struct Draws {
    rng: ChaCha8Rng,
}

impl Draws {
    /// Begins the draws of product `number`, which depend on no other product's.
    fn of(number: u32) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        rng.set_stream(u64::from(number));
        Self { rng }
    }

    /// Returns whether something happens that does in `percent` of a hundred products.
    fn happens(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }

    /// Returns a number below `end`, or 0 if that is 0. It does not depend on the width of addresses.
    fn below(&mut self, end: usize) -> usize {
        let end = u32::try_from(end).unwrap_or(u32::MAX).max(1);
        self.rng.random_range(0..end) as usize
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> Result<&'a T, Error> {
        let at = self.below(all.len());
        Ok(all.get(at).ok_or("a list of the demo is empty")?)
    }

    /// Of most variants there is enough, of some little, and of a few none.
    fn on_hand(&mut self) -> u32 {
        match self.rng.random_range(0_u32..100) {
            0..4 => 0,
            4..12 => self.rng.random_range(1..=5),
            12.. => self.rng.random_range(10..=500),
        }
    }
}
