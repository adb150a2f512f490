//! Makes of a draft what `POST /products` takes, or tells why it does not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::attributes::{MOST_CHARACTERS, pieces};
use super::columns::Cell;
use super::model::Draft;
use super::output::Output;
use super::values::{self, one_line};
use super::variants::put_stock;
use super::{Fault, Line, html};

const MOST_TAGS: usize = 50;
const MOST_IMAGES: usize = 20;

impl Draft {
    /// Puts the product and its stock out, or its faults.
    pub(super) fn finish(mut self, output: &mut Output) {
        if let Some(at) = self.faults.iter().position(|fault| fault.code == "split") {
            // Everything else about it follows from this.
            output.fault(self.faults.swap_remove(at));
            return;
        }
        let mut body = Map::new();
        self.put_texts(&mut body, output);
        self.put_tags(&mut body, output);
        let skus = self.skus(output);
        self.put_images(&mut body, &skus, output);
        self.put_variants(&mut body, &skus, output);
        let attributes = std::mem::take(&mut self.attributes);
        match attributes.finish() {
            Ok(attributes) if attributes.is_empty() => {}
            Ok(attributes) => {
                body.insert("attributes".to_owned(), json!(attributes));
            }
            Err(detail) => self.fault(Fault::new(self.line, None, "length", detail)),
        }
        if !self.faults.is_empty() {
            for fault in self.faults {
                output.fault(fault);
            }
            return;
        }
        output.line(Line::Product {
            line: self.line,
            body: Value::Object(body),
        });
        for (variant, sku) in self.variants.iter().zip(skus) {
            put_stock(variant, sku, output);
        }
    }

    /// Reads a line of at most `most` characters.
    pub(super) fn line_of(&mut self, cell: &Cell, most: usize) -> Option<String> {
        let line = one_line(&cell.text);
        let length = line.chars().count();
        if (1..=most).contains(&length) {
            return Some(line);
        }
        let detail = format!("this must have 1 to {most} characters; it has {length}");
        self.fault(cell.fault("length", detail));
        None
    }

    fn put_texts(&mut self, body: &mut Map<String, Value>, output: &mut Output) {
        if let Some(name) = self.name.clone() {
            let name = self.line_of(&name, 255);
            body.insert("name".to_owned(), json!(name));
        } else {
            let detail = "the product has no name";
            self.fault(Fault::new(self.line, None, "required", detail));
        }
        if let Some(cell) = self.description.clone() {
            self.put_description(&cell, body, output);
        }
        let category = self.category.as_deref().unwrap_or(&output.options.category);
        body.insert("category".to_owned(), json!(values::category(category)));
        body.insert("status".to_owned(), json!(self.status.as_str()));
        if let Some(handle) = self.handle.clone() {
            let slug = values::slug(&handle.text);
            if slug.as_ref() != Some(&handle.text) {
                self.attributes.put("handle", &handle.text);
                let detail = "this is not a slug of Oxcart: the nearest is taken, and the attribute handle keeps it";
                output.note_once(handle.fault("slug", detail));
            }
            if let Some(slug) = slug {
                if !output.is_new("slug", &slug) {
                    let detail = format!("another product in this file becomes {slug} too");
                    self.fault(handle.fault("repeated", detail));
                }
                body.insert("slug".to_owned(), json!(slug));
            }
        }
        if let Some(brand) = self.fitting("brand", self.brand.clone(), 100, output) {
            body.insert("brand".to_owned(), json!(brand));
        }
        let mut seo = Map::new();
        if let Some(title) = self.fitting("seo_title", self.seo_title.clone(), 100, output) {
            seo.insert("title".to_owned(), json!(title));
        }
        let description = self.seo_description.clone();
        if let Some(text) = self.fitting("seo_description", description, 320, output) {
            seo.insert("description".to_owned(), json!(text));
        }
        if !seo.is_empty() {
            body.insert("seo".to_owned(), Value::Object(seo));
        }
    }

    fn put_description(&mut self, cell: &Cell, body: &mut Map<String, Value>, output: &mut Output) {
        let html::Text { text, lost } = html::to_text(&cell.text, self.lines);
        if lost {
            let detail = "links, pictures or videos in descriptions are left out, from here on";
            output.note_once(cell.fault("plain_text", detail));
        }
        let pieces = pieces(&text);
        let Some((first, _)) = pieces.split_first() else {
            return;
        };
        body.insert("description".to_owned(), json!(first));
        if pieces.len() > 1 {
            let detail = format!(
                "a description of more than {MOST_CHARACTERS} characters goes on in the attribute description_2, and so on"
            );
            output.note_once(cell.fault("moved", detail));
            let rest = text.get(first.len()..).unwrap_or_default();
            self.attributes.put_from(2, "description", rest);
        }
    }

    /// Returns the text of the cell as a line, unless it has more than `most` characters: then it becomes the attribute.
    fn fitting(
        &mut self,
        attribute: &str,
        cell: Option<Cell>,
        most: usize,
        output: &mut Output,
    ) -> Option<String> {
        let cell = cell?;
        let line = one_line(&cell.text);
        if line.is_empty() {
            return None;
        }
        if line.chars().count() <= most {
            return Some(line);
        }
        let detail = format!(
            "this has more than {most} characters: it becomes the attribute {attribute} instead"
        );
        output.note_once(cell.fault("moved", detail));
        self.attributes.put(attribute, &line);
        None
    }

    fn put_tags(&mut self, body: &mut Map<String, Value>, output: &mut Output) {
        let Some(cell) = self.tags.take() else {
            return;
        };
        let mut seen = BTreeSet::new();
        let tags = values::list(&cell.text)
            .into_iter()
            .map(|tag| one_line(&tag));
        let tags = tags.filter(|tag| !tag.is_empty() && seen.insert(tag.clone()));
        let (mut fitting, mut others) = (Vec::new(), Vec::new());
        for tag in tags {
            if tag.chars().count() <= 50 && fitting.len() < MOST_TAGS {
                fitting.push(tag);
            } else {
                others.push(tag);
            }
        }
        if !others.is_empty() {
            let detail = format!(
                "tags after {MOST_TAGS}, and those of more than 50 characters, become the attribute more_tags"
            );
            output.note_once(cell.fault("moved", detail));
            self.attributes.put("more_tags", &others.join(", "));
        }
        if !fitting.is_empty() {
            body.insert("tags".to_owned(), json!(fitting));
        }
    }

    fn put_images(&mut self, body: &mut Map<String, Value>, skus: &[String], output: &mut Output) {
        self.images
            .sort_by_key(|image| image.position.unwrap_or(i64::MAX));
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let (mut images, mut others) = (Vec::new(), Vec::new());
        let mut add = |url: &Cell, alt: Option<&Cell>, places: &mut BTreeMap<String, usize>| {
            if !is_address(&url.text) {
                let detail = "this is not an https address of at most 2000 characters: it becomes the attribute more_images";
                output.note_once(url.fault("moved", detail));
                others.push(url.text.clone());
                return;
            }
            if places.contains_key(&url.text) {
                return;
            }
            places.insert(url.text.clone(), places.len() + 1);
            if images.len() == MOST_IMAGES {
                let detail =
                    format!("pictures after {MOST_IMAGES} become the attribute more_images");
                output.note_once(url.fault("moved", detail));
                others.push(url.text.clone());
                return;
            }
            let mut image = Map::from_iter([("url".to_owned(), json!(url.text))]);
            if let Some(alt) = alt {
                let text: String = one_line(&alt.text).chars().take(500).collect();
                if text.len() < alt.text.len() && alt.text.chars().count() > 500 {
                    output.note_once(alt.fault("cut", "this is cut after 500 characters"));
                }
                image.insert("alt".to_owned(), json!(text));
            }
            images.push(Value::Object(image));
        };
        for image in &self.images {
            add(&image.url, image.alt.as_ref(), &mut places);
        }
        let mut of_variants = Vec::new();
        for (variant, sku) in self.variants.iter().zip(skus) {
            if let Some(url) = &variant.image {
                add(url, None, &mut places);
                let place = places.get(&url.text).map(usize::to_string);
                of_variants.push((sku.as_str(), place.unwrap_or_default()));
            }
        }
        of_variants.retain(|(_, place)| !place.is_empty());
        // The picture of the only variant is one of the product.
        if self.variants.len() > 1 {
            self.put_lines("variant_image", &of_variants);
        }
        self.attributes.put("more_images", &others.join("\n"));
        if !images.is_empty() {
            body.insert("images".to_owned(), Value::Array(images));
        }
    }
}

/// Returns whether the catalogue takes the address of a picture.
fn is_address(url: &str) -> bool {
    let rest = url.strip_prefix("https://").unwrap_or_default();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_plain = |c: char| {
        c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
    };
    let is_host = host.starts_with(|c: char| c.is_ascii_alphanumeric())
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte));
    url.len() <= 2000 && is_host && rest.chars().all(is_plain)
}
