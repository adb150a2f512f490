//! What a stranger can make the shop's mails do, and what bounds it.
//!
//! Anybody can order with another person's address, open an account with it, or ask to reset its password. So such
//! mails are counted for each mailbox and day, and what a stranger may have written is not said in the shop's name: a
//! mail greets by name only if the account's owner has confirmed the address, and no text that holds a link or an
//! address is repeated.

use super::model::{Recipient, Template};

/// How many mails of a kind a mailbox gets in a day (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The kind. Each has a count of its own, so that a flood of one does not keep back the others.
    pub kind: &'static str,
    /// The most mails in a day.
    pub most: u32,
}

/// Returns the quota that a mail of `template` to `recipient` counts against, or `None` if no stranger can cause it.
#[must_use]
pub fn quota(template: Template, recipient: &Recipient) -> Option<Quota> {
    let (kind, most, only_unconfirmed) = match template {
        Template::OrderConfirmed
        | Template::OrderCancelled
        | Template::OrderFailed
        | Template::PaymentRefunded => ("orders", 10, true),
        Template::PasswordChanged => ("changed-passwords", 5, true),
        Template::ConfirmEmail | Template::ConfirmNewEmail => ("confirmations", 5, true),
        Template::ApproveEmail => ("changed-addresses", 5, true),
        Template::PasswordReset => ("resets", 5, false),
        Template::GuestAccess => ("access", 5, false),
    };
    let counts = !(only_unconfirmed && recipient.is_confirmed);
    counts.then_some(Quota { kind, most })
}

/// Returns whether `text` holds something that a mail program may show as a link: a scheme, an email address, or a
/// domain.
#[must_use]
pub fn holds_link(text: &str) -> bool {
    // Browsers take these for dots and for an @, too (UTS #46).
    let text = text.replace(['\u{3002}', '\u{ff0e}', '\u{ff61}'], ".");
    let is_marked = ["://", "www.", "@", "\u{ff20}"]
        .iter()
        .any(|mark| text.to_lowercase().contains(mark));
    is_marked || holds_domain(&text)
}

/// Returns whether a dot in `text` stands between a letter or digit and a label of at least two letters.
fn holds_domain(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    letters.windows(4).any(|window| {
        let [before, dot, first, second] = window else {
            return false;
        };
        *dot == '.' && before.is_alphanumeric() && first.is_alphabetic() && second.is_alphabetic()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notifications::tests::customer;

    #[test]
    fn links_and_addresses_are_recognised() {
        for text in [
            "Win 500 EUR: https://evil.example/x",
            "HTTP://1.2.3.4",
            "see WWW.EVIL",
            "evil.example",
            "go to bit.ly/abc now",
            "b\u{fc}cher.\u{4e2d}\u{56fd}",
            "evil\u{3002}example",
            "me@localhost",
            "me\u{ff20}evil",
        ] {
            assert!(holds_link(text), "{text}");
        }
        for text in [
            "Ana Li",
            "Dr. Ana Li",
            "J.R.R. Tolkien",
            "Hauptstr. 12a",
            "Apt. 3.2, c/o M\u{fc}ller",
            "O'Neil-Smith, Jr.",
            "",
        ] {
            assert!(!holds_link(text), "{text}");
        }
    }

    #[test]
    fn mails_that_only_an_owner_can_cause_are_not_counted() {
        let confirmed = Recipient::from(customer("en"));
        let unconfirmed = Recipient {
            is_confirmed: false,
            ..confirmed.clone()
        };
        for template in Template::ALL {
            assert!(quota(*template, &unconfirmed).is_some(), "{template:?}");
            let counts = quota(*template, &confirmed).is_some();
            let always = [Template::PasswordReset, Template::GuestAccess].contains(template);
            assert_eq!(counts, always, "{template:?}");
        }
    }
}
