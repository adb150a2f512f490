//! Reads a JSON body field by field and reports all its faults at once, each with its pointer.
//!
//! ```
//! # use oxcart_core::http::{body::{self, Body}, problem::Problem};
//! # struct Line { product: String, quantity: u32 }
//! # fn parse(json: &[u8]) -> Result<Line, Problem> {
//! body::read(json, |body: &mut Body| {
//!     let product = body.required("product", |json| json.text(1..=255));
//!     let quantity = body.required("quantity", |json| json.integer(1..=999));
//!     Some(Line { product: product?, quantity: quantity? })
//! })
//! # }
//! # assert!(parse(br#"{"product":"tea","quantity":2}"#).is_ok());
//! # assert!(parse(br#"{"product":"tea","quantity":0,"price":1}"#).is_err());
//! ```

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::http::problem::{Fault, Problem};
use crate::values::clock::Time;
use crate::values::locale::Locale;
use crate::values::money::{Currency, Money, MoneyError};

/// The most faults that are reported, so that a response is not much larger than its request.
const MOST_FAULTS: usize = 100;

/// Reads the object `json`: `read` takes the fields that it knows, and every other field, and every
/// fault that it noted, makes the whole a [`Problem::InvalidBody`].
///
/// # Errors
/// [`Problem::Malformed`] if `json` is not a JSON object, [`Problem::InvalidBody`] with all faults.
pub fn read<T>(json: &[u8], read: impl FnOnce(&mut Body) -> Option<T>) -> Result<T, Problem> {
    let value: Value = serde_json::from_slice(json)
        .map_err(|error| Problem::Malformed(format!("the body is not valid JSON: {error}")))?;
    let Value::Object(fields) = value else {
        return Err(Problem::Malformed(
            "the body must be a JSON object".to_owned(),
        ));
    };
    read_object(fields, read).map_err(Problem::InvalidBody)
}

/// Reads the object that has `fields`, as [`read`] does.
///
/// # Errors
/// All faults.
pub fn read_object<T>(
    fields: Map<String, Value>,
    read: impl FnOnce(&mut Body) -> Option<T>,
) -> Result<T, Vec<Fault>> {
    let faults = RefCell::default();
    let read = Body::new(fields, String::new(), &faults).finish(read);
    match read {
        Some(value) if faults.borrow().is_empty() => Ok(value),
        Some(_) | None => {
            let mut faults = faults.into_inner();
            faults.truncate(MOST_FAULTS);
            Err(faults)
        }
    }
}

/// The fields of one JSON object that have not been taken yet.
#[derive(Debug)]
pub struct Body<'a> {
    fields: Map<String, Value>,
    pointer: String,
    faults: &'a RefCell<Vec<Fault>>,
}

impl<'a> Body<'a> {
    fn new(fields: Map<String, Value>, pointer: String, faults: &'a RefCell<Vec<Fault>>) -> Self {
        Self {
            fields,
            pointer,
            faults,
        }
    }

    fn finish<T>(mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let value = read(&mut self);
        for name in self.fields.keys() {
            self.json(name, &Value::Null)
                .fault::<()>("unknown_field", "there is no such field");
        }
        value
    }

    fn json<'v>(&self, name: &str, value: &'v Value) -> Json<'v>
    where
        'a: 'v,
    {
        let name = name.replace('~', "~0").replace('/', "~1");
        Json {
            value,
            pointer: format!("{}/{name}", self.pointer),
            faults: self.faults,
        }
    }

    /// Returns whether the field `name` is a text that is not empty.
    #[must_use]
    pub fn has_text(&self, name: &str) -> bool {
        let text = self.fields.get(name).and_then(Value::as_str);
        text.is_some_and(|text| !text.is_empty())
    }

    /// Returns whether the field `name` is there and not null.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(|field| !field.is_null())
    }

    /// Takes the field `name`, which must be there. `None` means that a fault is noted.
    pub fn required<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Json<'_>) -> Option<T>,
    ) -> Option<T> {
        match self.fields.remove(name) {
            Some(value) => read(self.json(name, &value)),
            None => self
                .json(name, &Value::Null)
                .fault("required", "this field is required"),
        }
    }

    /// Takes the field `name`, if it is there and not null. The outer `None` means that a fault is
    /// noted.
    pub fn optional<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Json<'_>) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.fields.remove(name) {
            None | Some(Value::Null) => Some(None),
            Some(value) => read(self.json(name, &value)).map(Some),
        }
    }

    /// Takes the field `name`, if it is there; null is a value like any other, so that a patch that
    /// would clear what cannot be cleared is refused, not ignored. The outer `None` means that a
    /// fault is noted.
    pub fn non_nullable<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Json<'_>) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.fields.remove(name) {
            None => Some(None),
            Some(value) => read(self.json(name, &value)).map(Some),
        }
    }

    /// Takes the field `name` of a merge patch (RFC 7396): absent, null, or a value that `read`
    /// takes. The outer `None` means that a fault is noted, the middle one that it is absent.
    pub fn nullable<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Json<'_>) -> Option<T>,
    ) -> Option<Option<Option<T>>> {
        match self.fields.remove(name) {
            None => Some(None),
            Some(Value::Null) => Some(Some(None)),
            Some(value) => read(self.json(name, &value)).map(|value| Some(Some(value))),
        }
    }
}

/// One value of the body, and where it stands.
#[derive(Clone, Debug)]
pub struct Json<'a> {
    value: &'a Value,
    pointer: String,
    faults: &'a RefCell<Vec<Fault>>,
}

impl Json<'_> {
    /// Returns the place of the field `name` of this value, to note a fault there.
    #[must_use]
    pub fn at(&self, name: &str) -> Self {
        Self {
            pointer: format!("{}/{name}", self.pointer),
            ..self.clone()
        }
    }

    /// Notes a fault of this value; always `None`, so that a reader can end with it.
    pub fn fault<T>(&self, code: &'static str, detail: impl Into<String>) -> Option<T> {
        let fault = Fault {
            pointer: self.pointer.clone(),
            code,
            detail: detail.into(),
        };
        self.faults.borrow_mut().push(fault);
        None
    }

    /// A text whose length in characters is in `length`, in Unicode's normal form C (UAX #15) and
    /// without control characters other than line feed and tab. It is kept as it is given: code that shows
    /// it escapes it for the place where it is shown.
    #[must_use]
    pub fn text(self, length: RangeInclusive<usize>) -> Option<String> {
        let Value::String(text) = self.value else {
            return self.fault("type", "this must be a string");
        };
        if let Some((code, detail)) = fault_of(text, &length) {
            return self.fault(code, detail);
        }
        Some(text.clone())
    }

    /// A text as [`Json::text`], in one line and without tabs: for names, which end up in subjects
    /// and labels.
    #[must_use]
    pub fn line(self, length: RangeInclusive<usize>) -> Option<String> {
        match self.value.as_str() {
            Some(text) if text.contains(['\n', '\t']) => {
                self.fault("control_character", "this must be one line without tabs")
            }
            Some(_) | None => self.text(length),
        }
    }

    /// A text of any characters whose length in characters is in `length`: a password, which is never
    /// shown, and which is normalised when it is compared.
    #[must_use]
    pub fn secret(self, length: RangeInclusive<usize>) -> Option<String> {
        let Value::String(text) = self.value else {
            return self.fault("type", "this must be a string");
        };
        if length.contains(&text.chars().count()) {
            return Some(text.clone());
        }
        let (least, most) = (length.start(), length.end());
        self.fault(
            "length",
            format!("this must have {least} to {most} characters"),
        )
    }

    /// True or false.
    #[must_use]
    pub fn boolean(self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(*value),
            Value::Null
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => self.fault("type", "this must be true or false"),
        }
    }

    /// A whole number in `range`.
    #[must_use]
    pub fn integer(self, range: RangeInclusive<u32>) -> Option<u32> {
        let Value::Number(number) = self.value else {
            return self.fault("type", "this must be a whole number");
        };
        // As JSON Schema has it, 2.0 is a whole number, too.
        let text = number.to_string();
        let whole = text.strip_suffix(".0").unwrap_or(&text);
        if whole.contains('.') {
            return self.fault("type", "this must be a whole number");
        }
        match whole.parse().ok() {
            Some(number) if range.contains(&number) => Some(number),
            Some(_) | None => {
                let (least, most) = (range.start(), range.end());
                self.fault("range", format!("this must be from {least} to {most}"))
            }
        }
    }

    /// A text that `parse` accepts; `detail` says what it accepts.
    #[must_use]
    pub fn parsed<T, E>(self, detail: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let Value::String(text) = self.value else {
            return self.fault("type", "this must be a string");
        };
        match parse(text) {
            Ok(value) => Some(value),
            Err(_) => self.fault("invalid", detail),
        }
    }

    /// Null, or what `read` takes.
    pub fn or_null<T>(self, read: impl FnOnce(Self) -> Option<T>) -> Option<Option<T>> {
        if self.value.is_null() {
            Some(None)
        } else {
            read(self).map(Some)
        }
    }

    /// The value that has this name among `names`.
    #[must_use]
    pub fn named<T: Copy>(self, names: &[(&str, T)]) -> Option<T> {
        let all: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        let detail = format!("this must be one of: {}", all.join(", "));
        self.parsed(&detail, |text| {
            let mut names = names.iter();
            let found = names.find(|(name, _)| *name == text);
            found.map(|(_, value)| *value).ok_or(())
        })
    }

    /// An amount of money in `currency`, zero or more: `{"amount":"19.99","currency":"EUR"}`.
    #[must_use]
    pub fn money(self, currency: Currency) -> Option<Money> {
        let place = self.clone();
        let read = self.object(|money| {
            let amount = money.required("amount", |json| {
                let Value::String(text) = json.value else {
                    return json.fault("type", "this must be a string such as \"19.99\"");
                };
                Money::parse(text, currency).map_or_else(
                    |error| match error {
                        MoneyError::TooManyDecimals => json.fault("decimals", error.to_string()),
                        MoneyError::TooLarge => json.fault("range", error.to_string()),
                        MoneyError::InvalidNumber
                        | MoneyError::UnknownCurrency
                        | MoneyError::CurrencyMismatch
                        | MoneyError::NoParts => json.fault("invalid", error.to_string()),
                    },
                    Some,
                )
            });
            let same = money.required("currency", |json| {
                if json.value.as_str() == Some(currency.code()) {
                    return Some(());
                }
                json.fault("currency", format!("the currency must be {currency} here"))
            });
            same.and(amount)
        });
        let amount = place.value["amount"].as_str();
        if amount.is_some_and(|text| text.starts_with('-')) {
            return place.fault("range", "this must be zero or more");
        }
        read
    }

    /// As [`Json::money`], in the currency that it names.
    #[must_use]
    pub fn money_in_any_currency(self) -> Option<Money> {
        let named = self.value["currency"].as_str();
        match named.and_then(|code| code.parse().ok()) {
            Some(currency) => self.money(currency),
            None => self.object(|money| {
                money.required("amount", |json: Json<'_>| {
                    let detail = "this must be a number of zero or more, such as \"19.99\"";
                    json.parsed(detail, |text| match Decimal::from_str_exact(text) {
                        Ok(number) if number.is_sign_positive() => Ok(()),
                        Ok(_) | Err(_) => Err(()),
                    })
                });
                money.required("currency", currency);
                None
            }),
        }
    }

    /// As [`Json::money`], more than zero.
    #[must_use]
    pub fn price(self, currency: Currency) -> Option<Money> {
        let place = self.clone();
        let price = self.money(currency)?;
        if price.is_positive() {
            Some(price)
        } else {
            place.fault("range", "this must be more than zero")
        }
    }

    /// An object, read like the whole body.
    #[must_use]
    pub fn object<T>(self, read: impl FnOnce(&mut Body<'_>) -> Option<T>) -> Option<T> {
        let Value::Object(fields) = self.value else {
            return self.fault("type", "this must be an object");
        };
        Body::new(fields.clone(), self.pointer, self.faults).finish(read)
    }

    /// A list whose length is in `length`, each entry read by `read`.
    #[must_use]
    pub fn list<T>(
        self,
        length: RangeInclusive<usize>,
        mut read: impl FnMut(Json<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Value::Array(entries) = self.value else {
            return self.fault("type", "this must be a list");
        };
        if !length.contains(&entries.len()) {
            let (least, most) = (length.start(), length.end());
            return self.fault(
                "length",
                format!("this must have {least} to {most} entries"),
            );
        }
        let read: Vec<Option<T>> = entries
            .iter()
            .enumerate()
            .map(|(at, value)| {
                let pointer = format!("{}/{at}", self.pointer);
                read(Json {
                    value,
                    pointer,
                    faults: self.faults,
                })
            })
            .collect();
        read.into_iter().collect()
    }

    /// An object of at most `most` objects, which `read` reads; its names are kept.
    #[must_use]
    pub fn objects<T>(
        self,
        most: usize,
        read: impl Fn(&mut Body<'_>) -> Option<T>,
    ) -> Option<BTreeMap<String, T>> {
        let Value::Object(fields) = self.value else {
            return self.fault("type", "this must be an object of objects");
        };
        if fields.len() > most {
            return self.fault("length", format!("this must have at most {most} entries"));
        }
        let names = fields.keys().cloned().collect();
        self.values(names, |json| json.object(&read))
    }

    /// An object of at most `most` texts. The lengths in characters of their names are in `name`, and their own in
    /// `length`.
    #[must_use]
    pub fn texts(
        self,
        most: usize,
        name: RangeInclusive<usize>,
        length: RangeInclusive<usize>,
    ) -> Option<BTreeMap<String, String>> {
        let Value::Object(fields) = self.value else {
            return self.fault("type", "this must be an object of strings");
        };
        if fields.len() > most {
            return self.fault("length", format!("this must have at most {most} entries"));
        }
        if let Some((code, detail)) = fields.keys().find_map(|key| fault_of(key, &name)) {
            return self.fault(code, format!("of a name: {detail}"));
        }
        let names = fields.keys().cloned().collect();
        self.values(names, |json| json.text(length.clone()))
    }

    /// Reads the fields `names` of an object, and keeps their names.
    fn values<T>(
        self,
        names: Vec<String>,
        read: impl Fn(Json<'_>) -> Option<T>,
    ) -> Option<BTreeMap<String, T>> {
        self.object(|body| {
            let read: Vec<Option<(String, T)>> = names
                .into_iter()
                .map(|name| {
                    let value = body.required(&name, &read);
                    Some((name, value?))
                })
                .collect();
            read.into_iter().collect()
        })
    }
}

/// What is wrong with `text` as [`Json::text`] wants it.
fn fault_of(text: &str, length: &RangeInclusive<usize>) -> Option<(&'static str, String)> {
    let (least, most) = (*length.start(), *length.end());
    let unwanted = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !length.contains(&text.chars().count()) {
        let detail = format!("this must have {least} to {most} characters");
        Some(("length", detail))
    } else if text.contains(unwanted) {
        let detail = "this must have no control characters".to_owned();
        Some(("control_character", detail))
    } else if least > 0 && text.trim().is_empty() {
        Some(("blank", "this must not be blank".to_owned()))
    } else {
        None
    }
}

/// A language tag.
#[must_use]
pub fn locale(json: Json<'_>) -> Option<Locale> {
    json.parsed("this must be a language tag such as de-AT", str::parse)
}

/// A currency.
#[must_use]
pub fn currency(json: Json<'_>) -> Option<Currency> {
    json.parsed(
        "this must be the code of a currency in ISO 4217, such as EUR",
        str::parse,
    )
}

/// Reads a point in time, in RFC 3339.
#[must_use]
pub fn time(json: Json<'_>) -> Option<Time> {
    json.parsed(
        "this must be an RFC 3339 time such as 2026-12-01T00:00:00Z",
        str::parse,
    )
}

#[cfg(test)]
mod tests;
