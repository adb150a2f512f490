//! The names of `WooCommerce`'s columns, in English and German. Exports are in the language of the shop.

use crate::import::other_shops::columns::Use;
use crate::import::other_shops::values::{WeightUnit, words};

/// The fields of a row. Those of attributes have their number, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Id,
    Type,
    Sku,
    Gtin,
    Name,
    Published,
    Visibility,
    ShortDescription,
    Description,
    SaleStarts,
    SaleEnds,
    InStock,
    Stock,
    Weight(WeightUnit),
    SalePrice,
    RegularPrice,
    Categories,
    Tags,
    Images,
    Parent,
    Brands,
    SeoTitle,
    SeoDescription,
    AttributeName(u16),
    AttributeValues(u16),
    AttributeVisible(u16),
}

/// Returns what a column is for, by its name in lower case.
pub(super) fn known(name: &str) -> Option<Use<Field>> {
    let field = match name {
        "id" => Field::Id,
        "type" | "typ" => Field::Type,
        "sku" | "artikelnummer" => Field::Sku,
        "gtin, upc, ean, or isbn" | "gtin, upc, ean oder isbn" => Field::Gtin,
        "name" => Field::Name,
        "published" | "veröffentlicht" => Field::Published,
        "visibility in catalog"
        | "visibility in catalogue"
        | "catalog visibility"
        | "sichtbarkeit im katalog" => Field::Visibility,
        "short description" | "kurzbeschreibung" => Field::ShortDescription,
        "description" | "beschreibung" => Field::Description,
        "date sale price starts" | "datum, an dem angebotspreis beginnt" => Field::SaleStarts,
        "date sale price ends" | "datum, an dem angebotspreis endet" => Field::SaleEnds,
        "in stock?" | "vorrätig?" => Field::InStock,
        "stock" | "bestand" | "lager" | "lagerbestand" => Field::Stock,
        "sale price" | "angebotspreis" => Field::SalePrice,
        "regular price" | "regulärer preis" => Field::RegularPrice,
        "categories" | "kategorien" => Field::Categories,
        "tags" | "schlagwörter" => Field::Tags,
        "images" | "bilder" => Field::Images,
        "parent" | "übergeordnetes produkt" => Field::Parent,
        "brands" | "brand" | "marken" | "marke" => Field::Brands,
        "meta: _yoast_wpseo_title" | "meta: rank_math_title" => Field::SeoTitle,
        "meta: _yoast_wpseo_metadesc" | "meta: rank_math_description" => Field::SeoDescription,
        _ => {
            return weight(name)
                .or_else(|| numbered(name))
                .or_else(|| other(name));
        }
    };
    Some(Use::Field(field))
}

/// Returns the unit of a column such as `weight (kg)`.
fn weight(name: &str) -> Option<Use<Field>> {
    let (name, unit) = name.split_once('(')?;
    let is_weight = matches!(name.trim(), "weight" | "gewicht");
    let unit = is_weight.then(|| WeightUnit::of(unit.trim_end_matches(')').trim()));
    Some(Use::Field(Field::Weight(unit.flatten()?)))
}

/// Returns which column of which attribute this is, such as `attribute 2 value(s)`.
fn numbered(name: &str) -> Option<Use<Field>> {
    let rest = name
        .strip_prefix("attribute ")
        .or_else(|| name.strip_prefix("attribut "))?;
    let (number, column) = rest.split_once(' ')?;
    let number = number.parse().ok()?;
    Some(match column {
        "name" => Use::Field(Field::AttributeName(number)),
        "value(s)" | "wert(e)" => Use::Field(Field::AttributeValues(number)),
        "visible" | "sichtbar" => Use::Field(Field::AttributeVisible(number)),
        "global" => Use::Nothing,
        _ => return None,
    })
}

/// Returns the use of a column that is not one of the fields.
fn other(name: &str) -> Option<Use<Field>> {
    let attribute = |name: &str| Some(Use::Attribute(name.to_owned()));
    match name {
        "purchase note" | "hinweis zum kauf" => attribute("purchase_note"),
        "shipping class" | "versandklasse" => attribute("shipping_class"),
        "is featured?"
        | "ist hervorgehoben?"
        | "sold individually?"
        | "sold individually"
        | "nur einzeln verkaufen?"
        | "backorders allowed?"
        | "lieferrückstände erlaubt?"
        | "lieferrückstande erlaubt?"
        | "rückstände erlaubt?" => Some(Use::Usual(&["0"])),
        "tax status" | "steuerstatus" => Some(Use::Usual(&["taxable"])),
        "tax class" | "steuerklasse" => Some(Use::Usual(&["standard", "parent"])),
        "position"
        | "allow customer reviews?"
        | "kundenbewertungen erlauben?"
        | "kundenrezensionen erlauben?" => Some(Use::Nothing),
        _ => dimension(name),
    }
}

/// Returns the attribute for a column such as `length (cm)`.
fn dimension(name: &str) -> Option<Use<Field>> {
    let (what, _) = name.split_once(" (")?;
    let is_known = matches!(
        what,
        "length" | "width" | "height" | "länge" | "breite" | "höhe"
    );
    is_known.then(|| Use::Attribute(words(name, true).replace('-', "_")))
}
