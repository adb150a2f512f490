//! Card numbers, which must never enter the shop: a gateway's form takes them, and returns a token.

/// Returns whether `text` could be a card number: 12 to 19 digits, perhaps with spaces or hyphens between them, of which the
/// last is the check digit (ISO/IEC 7812-1, annex B: the Luhn formula).
#[must_use]
pub fn is_card_number(text: &str) -> bool {
    let mut digits = Vec::new();
    for character in text.chars() {
        match character.to_digit(10) {
            Some(digit) => digits.push(digit),
            None if matches!(character, ' ' | '-') => {}
            None => return false,
        }
    }
    let doubled = |digit: u32| if digit < 5 { 2 * digit } else { 2 * digit - 9 };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            if place % 2 == 1 {
                doubled(*digit)
            } else {
                *digit
            }
        })
        .sum();
    (12..=19).contains(&digits.len()) && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_are_known_by_their_check_digit() {
        // Test numbers of Stripe, https://docs.stripe.com/testing.
        for number in [
            "4242424242424242",
            "4242 4242 4242 4242",
            "5555-5555-5555-4444",
            "378282246310005",
            "6011111111111117",
        ] {
            assert!(is_card_number(number), "{number}");
        }
        for other in [
            "4242424242424241",
            "pm_4242424242424242",
            "tok_ok",
            "",
            "00000000000",
        ] {
            assert!(!is_card_number(other), "{other}");
        }
    }
}
