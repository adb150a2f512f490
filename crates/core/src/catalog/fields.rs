//! The fields of the bodies that create and change products.

use std::collections::{BTreeMap, BTreeSet};

use crate::http::body::{Body, Json, time};
use crate::values::id::VariantId;
use crate::values::locale::Locale;
use crate::values::money::Currency;

use super::content::{ContentChange, InvalidSlug, Seo, Slug, Translation};
use super::images::fields::image;
use super::model::{
    Category, InvalidCategory, MAX_WEIGHT_GRAMS, Status, WEIGHT_ATTRIBUTE, weight_grams,
};
use super::rules::{Draft, Patch, Sold};
use super::sales::SaleTerms;
use super::sku::{Gtin, InvalidGtin, InvalidSku, Sku};
use super::variants::{
    ListedVariant, MOST_OPTIONS, MOST_VALUES, MOST_VARIANTS, ProductOption, VariantChange,
};

/// The most that all attributes of a product may have together, names and values, in bytes: a page
/// of 100 products stays far below the 6 MB that a Lambda function can return.
const ATTRIBUTES_LIMIT_BYTES: usize = 8 * 1024;

/// Reads the body of a new product.
pub(super) fn draft(body: &mut Body<'_>, currency: Currency) -> Option<Draft> {
    let name = body.required("name", |json| json.line(1..=255));
    let description = body.optional("description", |json| json.text(0..=1000));
    let is_listed = body.has("variants");
    let only = if is_listed {
        refuse_single(body).map(|()| VariantChange::default())
    } else {
        new_variant(body, currency)
    };
    let category = body.required("category", category);
    let shipped = body.optional("shipped", boolean);
    let options = body.optional("options", options);
    let variants = body.optional("variants", |json| {
        variants(json, |body| {
            let options = body.optional("options", values);
            let change = new_variant(body, currency);
            let options = options?;
            Some(VariantChange { options, ..change? })
        })
    });
    let weight = only.as_ref().and_then(|only| only.weight_grams.flatten());
    let content = content(body);
    let attributes = body.optional("attributes", |json| {
        attributes(json, |grams| {
            is_listed || weight.is_some_and(|weight| weight != grams)
        })
    });
    let status = body.optional("status", status);
    let (only, options) = (only?, options?.unwrap_or_default());
    let attributes = attributes?.unwrap_or_default();
    let among_attributes = attributes.weight_grams.map(Some);
    let sold = match variants? {
        None if options.is_empty() => Sold::One(VariantChange {
            weight_grams: only.weight_grams.or(among_attributes),
            ..only
        }),
        // A product with options has variants.
        None => return body.required("variants", |_| None),
        Some(variants) => Sold::Variants(options, variants),
    };
    Some(Draft {
        name: name?,
        description: description?.unwrap_or_default(),
        category: category?,
        shipped: shipped?.unwrap_or(true),
        attributes: attributes.texts,
        status: status?.unwrap_or(Status::Active),
        sold,
        content: content?,
    })
}

/// Reads the body that changes a product.
pub(super) fn patch(body: &mut Body<'_>, currency: Currency) -> Option<Patch> {
    let name = body.non_nullable("name", |json| json.line(1..=255));
    let description = body.non_nullable("description", |json| json.text(0..=1000));
    let is_listed = body.has("variants");
    let only = if is_listed {
        refuse_single(body).map(|()| VariantChange::default())
    } else {
        variant_change(body, currency)
    };
    let category = body.non_nullable("category", category);
    let shipped = body.non_nullable("shipped", boolean);
    let options = body.non_nullable("options", options);
    let variants = body.non_nullable("variants", |json| {
        variants(json, |body| {
            let id = body.optional("id", |json| {
                json.parsed("this must be a variant's id", str::parse::<VariantId>)
            });
            let options = body.non_nullable("options", values);
            let change = variant_change(body, currency);
            let (id, options, change) = (id?, options?, change?);
            Some(ListedVariant {
                id,
                change: VariantChange { options, ..change },
            })
        })
    });
    let weight = only.as_ref().and_then(|only| only.weight_grams);
    let content = content(body);
    let attributes = body.non_nullable("attributes", |json| {
        attributes(json, |grams| {
            is_listed || weight.is_some_and(|weight| weight != Some(grams))
        })
    });
    let status = body.non_nullable("status", status);
    let (only, attributes) = (only?, attributes?);
    let among_attributes = attributes
        .as_ref()
        .and_then(|attributes| attributes.weight_grams);
    Some(Patch {
        name: name?,
        description: description?,
        category: category?,
        shipped: shipped?,
        attributes: attributes.map(|attributes| attributes.texts),
        status: status?,
        only: VariantChange {
            weight_grams: only.weight_grams.or(among_attributes.map(Some)),
            ..only
        },
        options: options?,
        variants: variants?,
        content: content?,
    })
}

/// Reads what shoppers see of a product beside its name and price.
fn content(body: &mut Body<'_>) -> Option<ContentChange> {
    let slug = body.nullable("slug", |json| {
        json.parsed(&InvalidSlug.to_string(), str::parse::<Slug>)
    });
    let brand = body.nullable("brand", |json| json.line(1..=100));
    let tags = body.non_nullable("tags", |json| {
        let mut seen = BTreeSet::new();
        json.list(0..=50, |json| {
            unlike_others(json, &mut seen, |json| json.line(1..=50))
        })
    });
    let seo = body.non_nullable("seo", |json| json.object(seo));
    let images = body.non_nullable("images", |json| {
        json.list(0..=20, |json| json.object(image))
    });
    let translations = body.non_nullable("translations", translations);
    Some(ContentChange {
        slug: slug?,
        brand: brand?,
        tags: tags?,
        seo: seo?,
        images: images?,
        translations: translations?,
    })
}

fn seo(body: &mut Body<'_>) -> Option<Seo> {
    let title = body.optional("title", |json| json.line(1..=100));
    let description = body.optional("description", |json| json.text(1..=320));
    Some(Seo {
        title: title?,
        description: description?,
    })
}

fn translations(json: Json<'_>) -> Option<BTreeMap<String, Translation>> {
    by_language(json, |body| {
        let name = body.required("name", |json| json.line(1..=255));
        let description = body.optional("description", |json| json.text(0..=1000));
        let seo = body.optional("seo", |json| json.object(seo));
        Some(Translation {
            name: name?,
            description: description?,
            seo: seo?.unwrap_or_default(),
        })
    })
}

/// Reads at most 20 objects by their language tag, which is kept in lower case.
pub(super) fn by_language<T>(
    json: Json<'_>,
    read: impl Fn(&mut Body<'_>) -> Option<T>,
) -> Option<BTreeMap<String, T>> {
    let place = json.clone();
    let texts = json.objects(20, read)?;
    let mut translations = BTreeMap::new();
    for (tag, texts) in texts {
        let Ok(locale) = tag.parse::<Locale>() else {
            let detail = "the names in here must be language tags such as de-AT";
            return place.fault("invalid", detail);
        };
        let tag = locale.as_str().to_ascii_lowercase();
        if translations.insert(tag, texts).is_some() {
            return place.fault("repeated", "a language is there twice, in another case");
        }
    }
    Some(translations)
}

/// Reads what a new variant has, but for its values of the options.
fn new_variant(body: &mut Body<'_>, currency: Currency) -> Option<VariantChange> {
    let price = body.required("price", |json| json.price(currency));
    let change = variant_change(body, currency);
    Some(VariantChange {
        price: Some(price?),
        ..change?
    })
}

/// Reads how a variant changes, but for its values of the options.
fn variant_change(body: &mut Body<'_>, currency: Currency) -> Option<VariantChange> {
    let price = body.non_nullable("price", |json| json.price(currency));
    let sale = body.nullable("sale", |json| self::sale(json, currency));
    let weight_grams = body.nullable("weight_grams", weight);
    let sku = body.nullable("sku", |json| {
        json.parsed(&InvalidSku.to_string(), str::parse::<Sku>)
    });
    let gtin = body.nullable("gtin", |json| {
        json.parsed(&InvalidGtin.to_string(), str::parse::<Gtin>)
    });
    Some(VariantChange {
        sku: sku?,
        gtin: gtin?,
        options: None,
        price: price?,
        sale: sale?,
        weight_grams: weight_grams?,
    })
}

/// Reads a row of an import of prices: the SKU of a variant, and how its prices change.
pub(super) fn price_change(
    body: &mut Body<'_>,
    currency: Currency,
) -> Option<(Sku, VariantChange)> {
    let sku = body.required("sku", |json| {
        json.parsed(&InvalidSku.to_string(), str::parse::<Sku>)
    });
    let price = body.non_nullable("price", |json| json.price(currency));
    let sale = body.nullable("sale", |json| self::sale(json, currency));
    let change = VariantChange {
        price: price?,
        sale: sale?,
        ..VariantChange::default()
    };
    Some((sku?, change))
}

/// Notes a fault for each field that a product with a list of variants does not have itself.
fn refuse_single(body: &mut Body<'_>) -> Option<()> {
    let detail = "send this in \"variants\", for each of them";
    let mut refuse =
        |name| body.non_nullable(name, |json| json.fault::<()>("several_variants", detail));
    let refused = ["price", "sale", "weight_grams", "sku", "gtin"].map(&mut refuse);
    refused.iter().all(Option::is_some).then_some(())
}

/// Reads the list of all variants of a product.
fn variants<T>(json: Json<'_>, read: impl Fn(&mut Body<'_>) -> Option<T> + Copy) -> Option<Vec<T>> {
    json.list(1..=MOST_VARIANTS, |json| json.object(read))
}

/// Reads the options of a product, whose names and values differ.
fn options(json: Json<'_>) -> Option<Vec<ProductOption>> {
    let mut names = BTreeSet::new();
    json.list(0..=MOST_OPTIONS, |json| {
        json.object(|body| {
            let name = body.required("name", |json| {
                unlike_others(json, &mut names, |json| json.line(1..=50))
            });
            let mut seen = BTreeSet::new();
            let values = body.required("values", |json| {
                json.list(1..=MOST_VALUES, |json| {
                    unlike_others(json, &mut seen, |json| json.line(1..=60))
                })
            });
            Some(ProductOption {
                name: name?,
                values: values?,
            })
        })
    })
}

/// Reads a text that is none of those that were `seen`.
fn unlike_others(
    json: Json<'_>,
    seen: &mut BTreeSet<String>,
    read: impl FnOnce(Json<'_>) -> Option<String>,
) -> Option<String> {
    let place = json.clone();
    let text = read(json)?;
    if seen.insert(text.clone()) {
        Some(text)
    } else {
        place.fault("repeated", "an earlier one is the same")
    }
}

/// Reads the value of each option that a variant has.
fn values(json: Json<'_>) -> Option<BTreeMap<String, String>> {
    json.texts(MOST_OPTIONS, 1..=50, 1..=60)
}

fn sale(json: Json<'_>, currency: Currency) -> Option<SaleTerms> {
    json.object(|sale| {
        let price = sale.required("price", |json| json.price(currency));
        let starts_at = sale.optional("starts_at", time);
        let ends_at = sale.optional("ends_at", time);
        Some(SaleTerms {
            price: price?,
            starts_at: starts_at?,
            ends_at: ends_at?,
        })
    })
}

pub(super) fn boolean(json: Json<'_>) -> Option<bool> {
    json.boolean()
}

pub(super) fn category(json: Json<'_>) -> Option<Category> {
    let detail = InvalidCategory.to_string();
    json.parsed(&detail, str::parse)
}

fn weight(json: Json<'_>) -> Option<u32> {
    json.integer(1..=MAX_WEIGHT_GRAMS)
}

/// The attributes of a request.
#[derive(Default)]
struct Attributes {
    texts: BTreeMap<String, String>,
    /// The weight, which clients of earlier releases send among them.
    weight_grams: Option<u32>,
}

/// Reads attributes. A weight among them must not be one that the field `contradicts`.
fn attributes(json: Json<'_>, contradicts: impl FnOnce(u32) -> bool) -> Option<Attributes> {
    let place = json.clone();
    let mut texts = json.texts(50, 1..=100, 0..=1000)?;
    let weight = texts.remove(WEIGHT_ATTRIBUTE);
    let weight_grams = weight.as_deref().and_then(weight_grams);
    if weight.is_some() && weight_grams.is_none() {
        let detail = "this must be a whole number of grams from 1 to 1000000000, such as \"250\"; \
                      better send it as the product's weight_grams, a number";
        return place.at(WEIGHT_ATTRIBUTE).fault("invalid", detail);
    }
    if weight_grams.is_some_and(contradicts) {
        let detail = "the field weight_grams says otherwise; leave this attribute out";
        return place.at(WEIGHT_ATTRIBUTE).fault("contradiction", detail);
    }
    let bytes: usize = texts
        .iter()
        .map(|(name, text)| name.len() + text.len())
        .sum();
    if bytes <= ATTRIBUTES_LIMIT_BYTES {
        Some(Attributes {
            texts,
            weight_grams,
        })
    } else {
        place.fault(
            "length",
            "all attributes together must have at most 8192 bytes",
        )
    }
}

/// Reads any status but `discontinued`, which only `DELETE` sets.
fn status(json: Json<'_>) -> Option<Status> {
    json.parsed(
        "this must be active, inactive or out_of_stock; DELETE makes a product discontinued",
        |text| match text.parse() {
            Ok(status @ (Status::Active | Status::Inactive | Status::OutOfStock)) => Ok(status),
            Ok(Status::Discontinued) | Err(_) => Err(()),
        },
    )
}
