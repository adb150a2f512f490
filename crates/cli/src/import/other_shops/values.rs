//! What the fields of an export say: amounts, weights, times, flags, lists, names for addresses.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use oxcart_core::catalog::content::Slug;
use oxcart_core::values::money::{Currency, Money};
use rust_decimal::{Decimal, RoundingStrategy};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Returns the price that `text` is, or why it is not a price: a code and a detail.
///
/// The decimal mark may be a comma; it is the last mark if there are several. An amount such as `1,299` is never taken for
/// thousands: in a currency of two decimals, it has too many.
pub(super) fn price(text: &str, currency: Currency) -> Result<Money, (&'static str, String)> {
    let plain = decimal(text).ok_or_else(|| {
        let detail = "this must be an amount such as 19.99, without a currency".to_owned();
        ("invalid", detail)
    })?;
    let amount = plain.normalize().to_string();
    let price = Money::parse(&amount, currency).map_err(|error| ("invalid", error.to_string()))?;
    if price.is_positive() {
        Ok(price)
    } else {
        Err(("range", "this must be more than zero".to_owned()))
    }
}

/// Returns the number that `text` is, without a sign.
fn decimal(text: &str) -> Option<Decimal> {
    let marks: Vec<(usize, &str)> = text.match_indices(['.', ',']).collect();
    let last = marks.last();
    let is_mixed = marks
        .iter()
        .any(|(_, mark)| last.is_some_and(|last| last.1 != *mark));
    let (whole, part) = match last {
        Some((at, _)) if marks.len() == 1 || is_mixed => (text.get(..*at)?, text.get(at + 1..)?),
        // Several of one kind part thousands.
        Some(_) | None => (text, ""),
    };
    let mut groups = whole.split(['.', ',']);
    let first = groups.next()?;
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 || first.len() > 3 || first.is_empty() {
            return None;
        }
        digits.push_str(group);
    }
    if digits.is_empty() && !part.is_empty() {
        digits.push('0');
    }
    let is_plain = |text: &str| text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits.is_empty() || !is_plain(&digits) || !is_plain(part) {
        return None;
    }
    let number = if part.is_empty() {
        digits
    } else {
        format!("{digits}.{part}")
    };
    Decimal::from_str_exact(&number).ok()
}

/// A unit of weight, as headers of columns name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum WeightUnit {
    /// Grams.
    Gram,
    /// Kilograms.
    Kilogram,
    /// Pounds (avoirdupois).
    Pound,
    /// Ounces (avoirdupois).
    Ounce,
}

impl WeightUnit {
    /// Returns the unit that `name` means.
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "g" => Some(Self::Gram),
            "kg" => Some(Self::Kilogram),
            "lb" | "lbs" => Some(Self::Pound),
            "oz" => Some(Self::Ounce),
            _ => None,
        }
    }

    /// Returns its weight in grams: exact by the international agreement of 1959.
    fn grams(self) -> Decimal {
        match self {
            Self::Gram => Decimal::ONE,
            Self::Kilogram => Decimal::from(1000),
            Self::Pound => Decimal::new(45_359_237, 5),
            Self::Ounce => Decimal::new(28_349_523_125, 9),
        }
    }
}

/// A text that is not the weight of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InvalidWeight;

/// Returns the weight that `text` is in whole grams, half-even, or `None` if it is 0. A piece that weighs less than a gram
/// weighs one.
///
/// # Errors
/// [`InvalidWeight`] if it is not a weight, or more than 1000 tonnes.
pub(super) fn weight_grams(text: &str, unit: WeightUnit) -> Result<Option<u32>, InvalidWeight> {
    let weight = decimal(text).ok_or(InvalidWeight)?;
    if weight.is_zero() {
        return Ok(None);
    }
    let grams = weight.checked_mul(unit.grams()).ok_or(InvalidWeight)?;
    let grams = grams.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven);
    let grams = u32::try_from(grams.max(Decimal::ONE)).map_err(|_| InvalidWeight)?;
    if grams <= 1_000_000_000 {
        Ok(Some(grams))
    } else {
        Err(InvalidWeight)
    }
}

/// Returns the quantity that `text` is; a negative one, or one with decimals, is told from none.
pub(super) fn quantity(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let number = whole.parse::<i64>().ok()?;
    let is_whole = part.bytes().all(|byte| byte == b'0');
    (is_whole && number.abs() <= 1_000_000_000).then_some(number)
}

/// Returns the flag that `text` is.
pub(super) fn flag(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "1" | "yes" | "wahr" | "ja" => Some(true),
        "false" | "0" | "no" | "falsch" | "nein" => Some(false),
        _ => None,
    }
}

/// The start or the end of a day, for a date without a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    /// 00:00.
    Start,
    /// 00:00 of the next day.
    End,
}

/// Returns the time that `text` is: a date, a date with a time in `zone`, or a time with an offset.
pub(super) fn time(text: &str, zone: &TimeZone, edge: Edge) -> Option<Timestamp> {
    if let Ok(date) = text.parse::<Date>()
        && text.len() == "2013-06-07".len()
    {
        let day = match edge {
            Edge::Start => date,
            Edge::End => date.tomorrow().ok()?,
        };
        return Some(day.to_zoned(zone.clone()).ok()?.timestamp());
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    // WooCommerce writes hours without a leading zero.
    let padded = match text.split_once([' ', 'T']) {
        Some((date, time)) if time.find(':') == Some(1) => format!("{date}T0{time}"),
        Some(_) | None => text.to_owned(),
    };
    let time: DateTime = padded.parse().ok()?;
    Some(time.to_zoned(zone.clone()).ok()?.timestamp())
}

/// Returns the entries of a list with commas between them. A backslash before a comma makes it part of an entry, as in
/// `WooCommerce`.
pub(super) fn list(text: &str) -> Vec<String> {
    let mut entries = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let c = match c {
            ',' => {
                entries.push(String::new());
                continue;
            }
            '\\' => characters.next_if_eq(&',').unwrap_or('\\'),
            c => c,
        };
        if let Some(entry) = entries.last_mut() {
            entry.push(c);
        }
    }
    let entries = entries.iter().map(|entry| entry.trim());
    entries
        .filter(|entry| !entry.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Returns `text` in one line: space of any kind becomes one blank.
pub(super) fn one_line(text: &str) -> String {
    let is_gap = |c: char| c.is_whitespace() || c.is_control();
    let words = text.split(is_gap).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// Returns the words of `text` in small letters and digits with hyphens between them: those `a` to `z` if `is_ascii`, and
/// of any script otherwise. Letters lose their marks, so that `Käse` becomes `kase`. Empty if nothing is left; cut at 100
/// bytes or characters.
pub(super) fn words(text: &str, is_ascii: bool) -> String {
    let mut words = String::new();
    let mut is_gap = false;
    let letters = if is_ascii {
        let plain: String = text.nfkd().filter(|c| !is_combining_mark(*c)).collect();
        plain.to_lowercase()
    } else {
        text.nfkc().collect::<String>().to_lowercase()
    };
    let mut length = 0;
    for c in letters.chars() {
        let replaced = match c {
            'ß' => "ss",
            'æ' => "ae",
            'œ' => "oe",
            'ø' => "o",
            'đ' | 'ð' => "d",
            'ł' => "l",
            'þ' => "th",
            'ı' => "i",
            '\'' | '’' => continue,
            _ => "",
        };
        let is_mark = !is_ascii && is_combining_mark(c) && !words.is_empty() && !is_gap;
        let is_letter = if is_ascii {
            c.is_ascii_alphanumeric() || !replaced.is_empty()
        } else {
            (c.is_alphanumeric() && c.to_lowercase().eq([c])) || is_mark
        };
        if !is_letter {
            is_gap = !words.is_empty();
            continue;
        }
        if length + 3 > 100 {
            break;
        }
        if is_gap {
            words.push('-');
            length += 1;
            is_gap = false;
        }
        if is_ascii && !replaced.is_empty() {
            words.push_str(replaced);
            length += replaced.len();
        } else {
            words.push(c);
            length += 1;
        }
    }
    words
}

/// Returns a name for a category of which the catalogue's `a` to `z` say nothing, such as one in Chinese: the same for the
/// same name.
pub(super) fn category(name: &str) -> String {
    let words = words(name, true);
    if words.is_empty() {
        format!("category-{:08x}", hash(name) >> 32)
    } else {
        words
    }
}

/// Returns the slug that `handle` is, or the nearest that there is.
pub(super) fn slug(handle: &str) -> Option<String> {
    if handle.parse::<Slug>().is_ok() {
        return Some(handle.to_owned());
    }
    let words = words(handle, false);
    let slug = if handle.chars().count() > 100 {
        // Two long handles may begin alike.
        let begin: String = words.chars().take(83).collect();
        format!("{}-{:016x}", begin.trim_end_matches('-'), hash(handle))
    } else {
        words
    };
    slug.parse::<Slug>().is_ok().then_some(slug)
}

/// Returns the FNV-1a hash of `text`: always the same, unlike that of the standard library.
pub(super) fn hash(text: &str) -> u64 {
    let bytes = text.bytes();
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests;
