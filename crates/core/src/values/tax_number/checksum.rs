//! The form and the checksum of each country's numbers. Where a country's checksum is not public, or has
//! exceptions that are in use, only the form counts.

/// Returns whether a number, without its country, can be one of the country.
type Check = fn(&str) -> bool;

/// Returns the check of the numbers that begin with `country`.
pub(super) fn of_country(country: &str) -> Option<Check> {
    let check: Check = match country {
        "AT" => austria,
        "BE" => belgium,
        "BG" => bulgaria,
        "CY" => cyprus,
        "CZ" => czechia,
        "DE" => |number| mod_11_10(number, 9),
        "HR" => |number| mod_11_10(number, 11),
        "DK" => |number| weighted(number, &[2, 7, 6, 5, 4, 3, 2, 1]) == Some(0),
        "EE" => |number| sum(number, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_some_and(|sum| sum % 10 == 0),
        "EL" => greece,
        "ES" => spain,
        "FI" => |number| weighted(number, &[7, 9, 10, 5, 8, 4, 2, 1]) == Some(0),
        "FR" => france,
        "HU" => |number| sum(number, &[9, 7, 3, 1, 9, 7, 3, 1]).is_some_and(|sum| sum % 10 == 0),
        "IE" => ireland,
        "IT" => |number| digits(number, 11).is_some_and(|digits| luhn(&digits)),
        "LT" => lithuania,
        "LU" => |number| remainder(number, 6, 8, |first| first % 89),
        "LV" => latvia,
        "MT" => |number| sum(number, &[3, 4, 6, 7, 8, 9, 10, 1]).is_some_and(|sum| sum % 37 == 0),
        "NL" => netherlands,
        "PL" => poland,
        "PT" => portugal,
        "RO" => romania,
        "SE" => sweden,
        "SI" => slovenia,
        "SK" => |number| {
            digits(number, 10).is_some() && number.parse().is_ok_and(|n: u64| n.is_multiple_of(11))
        },
        "XI" => northern_ireland,
        _ => return None,
    };
    Some(check)
}

/// Returns the digits of `number` if it consists of `count` digits.
fn digits(number: &str, count: usize) -> Option<Vec<u32>> {
    let digits: Option<Vec<u32>> = number.chars().map(|letter| letter.to_digit(10)).collect();
    digits.filter(|digits| digits.len() == count)
}

/// Returns the sum of the digits of `number`, each times its weight, if there are as many digits as weights.
fn sum(number: &str, weights: &[u32]) -> Option<u32> {
    let digits = digits(number, weights.len())?;
    Some(
        digits
            .iter()
            .zip(weights)
            .map(|(digit, weight)| digit * weight)
            .sum(),
    )
}

/// Returns the remainder of [`sum`] divided by 11.
fn weighted(number: &str, weights: &[u32]) -> Option<u32> {
    sum(number, weights).map(|sum| sum % 11)
}

/// Returns whether `number` has `count` digits, of which those after the `first` are what `check` gives for the
/// number before.
fn remainder(number: &str, first: usize, count: usize, check: fn(u64) -> u64) -> bool {
    let parts = number.split_at_checked(first);
    digits(number, count).is_some()
        && parts.is_some_and(|(first, last)| match (first.parse(), last.parse::<u64>()) {
            (Ok(first), Ok(last)) => check(first) == last,
            (Err(_), _) | (_, Err(_)) => false,
        })
}

/// Returns whether the last digit is Luhn's check digit (ISO/IEC 7812-1).
fn luhn(digits: &[u32]) -> bool {
    let doubled = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match at % 2 {
            0 => *digit,
            _ => digit * 2 / 10 + digit * 2 % 10,
        });
    doubled.sum::<u32>() % 10 == 0
}

/// Returns whether the last of `count` digits is the check digit of ISO/IEC 7064, MOD 11,10.
fn mod_11_10(number: &str, count: usize) -> bool {
    let Some(digits) = digits(number, count) else {
        return false;
    };
    let Some((last, first)) = digits.split_last() else {
        return false;
    };
    let product = first.iter().fold(10, |product, digit| {
        let sum = (product + digit) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == *last
}

fn austria(number: &str) -> bool {
    let digits = number
        .strip_prefix('U')
        .and_then(|number| digits(number, 8));
    digits.is_some_and(|digits| {
        let weighted = digits.iter().take(7).enumerate().map(|(at, digit)| {
            let product = digit * (1 + u32::try_from(at % 2).unwrap_or_default());
            product / 10 + product % 10
        });
        (10 - (weighted.sum::<u32>() + 4) % 10) % 10 == digits[7]
    })
}

fn belgium(number: &str) -> bool {
    number.starts_with(['0', '1']) && remainder(number, 8, 10, |first| 97 - first % 97)
}

/// Ten digits are those of people and of foreigners, whose checksums differ.
fn bulgaria(number: &str) -> bool {
    let Some(nine) = digits(number, 9) else {
        return digits(number, 10).is_some();
    };
    let of_weights = |from: u32| {
        let weighted = nine.iter().take(8).zip(from..);
        weighted.map(|(digit, weight)| digit * weight).sum::<u32>() % 11
    };
    let check = match of_weights(1) {
        10 => of_weights(3) % 10,
        check => check,
    };
    check == nine[8]
}

fn cyprus(number: &str) -> bool {
    const ODD: [u32; 10] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21];
    let Some((first, letter)) = number.split_at_checked(8) else {
        return false;
    };
    let Some(digits) = digits(first, 8) else {
        return false;
    };
    let values = digits.iter().enumerate().map(|(at, digit)| match at % 2 {
        0 => ODD
            .iter()
            .zip(0..)
            .find(|(_, of)| of == digit)
            .map_or(0, |(value, _)| *value),
        _ => *digit,
    });
    let check = char::from_u32(u32::from(b'A') + values.sum::<u32>() % 26);
    let mut letters = letter.chars();
    letters.next() == check && letters.next().is_none()
}

/// Nine and ten digits are those of people, some of which have no checksum.
fn czechia(number: &str) -> bool {
    let Some(eight) = digits(number, 8) else {
        return digits(number, 9).is_some() || digits(number, 10).is_some();
    };
    let weighted = eight.iter().take(7).zip((2..=8).rev());
    let sum: u32 = weighted.map(|(digit, weight)| digit * weight).sum();
    (11 - sum % 11) % 10 == eight[7]
}

fn greece(number: &str) -> bool {
    digits(number, 9).is_some_and(|digits| {
        let sum = digits
            .iter()
            .take(8)
            .fold(0, |sum, digit| (sum + digit) * 2);
        sum % 11 % 10 == digits[8]
    })
}

/// Of companies (`B12345674`), citizens (`12345678Z`) and foreigners (`X1234567L`).
fn spain(number: &str) -> bool {
    const LETTERS: &[u8] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let bytes = number.as_bytes();
    let (&[first, .., last], 9) = (bytes, bytes.len()) else {
        return false;
    };
    let middle = number.get(1..8).unwrap_or_default();
    let of_person = |digits: &str| {
        let number = digits
            .parse::<usize>()
            .ok()
            .filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
        number.is_some_and(|number| LETTERS.get(number % 23) == Some(&last))
    };
    match first {
        b'0'..=b'9' => of_person(&number[..8]),
        b'K' | b'L' | b'M' | b'X' => of_person(middle),
        b'Y' => of_person(&format!("1{middle}")),
        b'Z' => of_person(&format!("2{middle}")),
        b'A'..=b'J' | b'N'..=b'W' => {
            let Some(digits) = digits(middle, 7) else {
                return false;
            };
            let sum: u32 = digits
                .iter()
                .enumerate()
                .map(|(at, digit)| match at % 2 {
                    0 => digit * 2 / 10 + digit * 2 % 10,
                    _ => *digit,
                })
                .sum();
            let check = (10 - sum % 10) % 10;
            let letter = b"JABCDEFGHI".iter().zip(0..).find(|(_, of)| *of == check);
            u32::from(last) == u32::from(b'0') + check
                || letter.is_some_and(|(letter, _)| *letter == last)
        }
        _ => false,
    }
}

/// Two characters and a SIREN. Where the two are letters, how they are computed is not public for all.
fn france(number: &str) -> bool {
    let Some((key, siren)) = number.split_at_checked(2) else {
        return false;
    };
    // Monaco's numbers have a SIREN that begins with 000 and no check digit.
    let known = siren.starts_with("000");
    let Some(digits) = digits(siren, 9).filter(|digits| known || luhn(digits)) else {
        return false;
    };
    let number = digits.iter().fold(0, |number, digit| number * 10 + digit);
    match self::digits(key, 2) {
        Some(key) => key[0] * 10 + key[1] == (12 + 3 * (number % 97)) % 97,
        None => key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() && byte != b'I' && byte != b'O'),
    }
}

/// Seven digits, a check letter and, since 2013, a further letter; or an old number with a sign in the second place.
fn ireland(number: &str) -> bool {
    const LETTERS: &[u8] = b"WABCDEFGHIJKLMNOPQRSTUV";
    let bytes = number.as_bytes();
    let (seven, letters) = match (bytes, bytes.len()) {
        ([first, second, rest @ .., _], 8) if !second.is_ascii_digit() => {
            let rest = String::from_utf8_lossy(rest).into_owned();
            (format!("0{rest}{}", char::from(*first)), &bytes[7..])
        }
        (_, 8 | 9) => (number[..7].to_owned(), &bytes[7..]),
        _ => return false,
    };
    let further = match letters.get(1) {
        None | Some(b'W') => 0,
        Some(letter @ b'A'..=b'I') => u32::from(letter - b'A' + 1) * 9,
        Some(_) => return false,
    };
    let check = sum(&seven, &[8, 7, 6, 5, 4, 3, 2]).map(|sum| (sum + further) % 23);
    let check = check.and_then(|check| LETTERS.get(usize::try_from(check).ok()?));
    check.is_some() && check == letters.first()
}

/// Nine digits, or twelve for numbers that are given for a time.
fn lithuania(number: &str) -> bool {
    let Some(digits) = digits(number, 9).or_else(|| digits(number, 12)) else {
        return false;
    };
    let Some((last, first)) = digits.split_last() else {
        return false;
    };
    let of_weights = |from: usize| {
        let weighted = first.iter().zip((1..=9).cycle().skip(from));
        weighted.map(|(digit, weight)| digit * weight).sum::<u32>() % 11
    };
    let check = match of_weights(0) {
        10 => of_weights(2) % 10,
        check => check,
    };
    check == *last
}

/// Numbers that begin with 0 to 3 are those of people, the newer of which have no checksum.
fn latvia(number: &str) -> bool {
    let person = number.starts_with(['0', '1', '2', '3']);
    match weighted(number, &[9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1]) {
        Some(remainder) => person || remainder == 3,
        None => false,
    }
}

/// Numbers of companies have a check digit, those of people (since 2020) one over the whole number (ISO/IEC 7064,
/// MOD 97-10).
fn netherlands(number: &str) -> bool {
    let Some((nine, branch)) = number.split_once('B') else {
        return false;
    };
    let Some(digits) = digits(nine, 9).filter(|_| digits(branch, 2).is_some()) else {
        return false;
    };
    let weighted = digits.iter().take(8).zip((2..=9).rev());
    let company = weighted.map(|(digit, weight)| digit * weight).sum::<u32>() % 11 == digits[8];
    // N is 23, L is 21 and B is 11.
    let all = format!("2321{nine}11{branch}");
    let person = all
        .bytes()
        .fold(0, |rest, byte| (rest * 10 + u32::from(byte - b'0')) % 97)
        == 1;
    company || person
}

fn poland(number: &str) -> bool {
    let last = number.get(9..).and_then(|last| last.parse().ok());
    let first = number
        .get(..9)
        .and_then(|first| weighted(first, &[6, 5, 7, 2, 3, 4, 5, 6, 7]));
    number.len() == 10 && first.is_some() && first == last
}

fn portugal(number: &str) -> bool {
    digits(number, 9).is_some_and(|digits| {
        let weighted = digits.iter().take(8).zip((2..=9).rev());
        let sum: u32 = weighted.map(|(digit, weight)| digit * weight).sum();
        (11 - sum % 11) % 11 % 10 == digits[8]
    })
}

fn romania(number: &str) -> bool {
    let padded = format!("{number:0>10}");
    let last = padded.get(9..).and_then(|last| last.parse::<u32>().ok());
    let first = padded
        .get(..9)
        .and_then(|first| sum(first, &[7, 5, 3, 2, 1, 7, 5, 3, 2]));
    let check = first.map(|sum| sum * 10 % 11 % 10);
    (2..=10).contains(&number.len()) && padded.len() == 10 && check.is_some() && check == last
}

fn sweden(number: &str) -> bool {
    digits(number, 12).is_some_and(|digits| luhn(&digits[..10])) && !number.ends_with("00")
}

fn slovenia(number: &str) -> bool {
    digits(number, 8).is_some_and(|digits| {
        let weighted = digits.iter().take(7).zip((2..=8).rev());
        let sum: u32 = weighted.map(|(digit, weight)| digit * weight).sum();
        !sum.is_multiple_of(11) && (11 - sum % 11) % 10 == digits[7]
    })
}

/// Nine digits, and three more for a branch; or those of authorities (`GD`) and health services (`HA`).
fn northern_ireland(number: &str) -> bool {
    if let Some(rest) = number
        .strip_prefix("GD")
        .or_else(|| number.strip_prefix("HA"))
    {
        return digits(rest, 3).is_some();
    }
    let nine = match number.len() {
        9 => number,
        12 if digits(number, 12).is_some() => &number[..9],
        _ => return false,
    };
    let weights = [8, 7, 6, 5, 4, 3, 2, 10, 1];
    // Numbers since 2010 are 55 further.
    sum(nine, &weights).is_some_and(|sum| sum % 97 == 0 || (sum + 55) % 97 == 0)
}
