//! The texts of messages: their words here and in [`mails`], their numbers in [`sums`].

use std::collections::HashSet;

use super::super::tests::{confirmed, customer, failed};
use super::*;
use crate::values::id::EventId;
use crate::values::money::Money;

use kinds::case_c01;

mod kinds;
mod mails;
mod sums;

const LINK: &str = "https://shop.example/orders/1?token=a.b-c_d&x=1";

fn rendered(template: Template, locale: &str, order: &Order) -> Mail {
    let request = request(template, order);
    render_about_order(request, "Oxcart & Sons", &customer(locale).into(), order).unwrap()
}

/// Returns the request for a message about `order`; what was refunded is 1,234.50 EUR.
fn request(template: Template, order: &Order) -> MessageRequest {
    let about = match template {
        Template::PaymentRefunded => About::Refund {
            order_id: order.id,
            occasion: EventId::derived(&["refund"]),
            amount: Money::parse("1234.50", "EUR".parse().unwrap()).unwrap(),
        },
        Template::OrderConfirmed
        | Template::OrderCancelled
        | Template::OrderFailed
        | Template::ConfirmEmail
        | Template::ApproveEmail
        | Template::ConfirmNewEmail
        | Template::PasswordReset
        | Template::PasswordChanged
        | Template::GuestAccess => About::Order(order.id),
    };
    MessageRequest { template, about }
}

#[test]
fn the_mail_about_a_refund_says_how_much_that_is() {
    for (locale, amount) in [
        ("en", "1,234.50 EUR"),
        ("de", "1.234,50 EUR"),
        ("zh", "1,234.50 EUR"),
    ] {
        let mail = rendered(Template::PaymentRefunded, locale, &confirmed());
        assert!(
            mail.text.contains(amount) && mail.html.contains(amount),
            "{}",
            mail.text
        );
        let other = rendered(Template::OrderConfirmed, locale, &confirmed());
        assert!(!other.text.contains(amount));
    }
}

/// Returns the templates about orders, or those about accounts.
fn templates(about_order: bool) -> impl Iterator<Item = Template> {
    let templates = Template::ALL.iter().copied();
    templates.filter(move |template| template.is_about_order() == about_order)
}

#[test]
fn a_mail_to_a_guest_links_to_the_order() {
    let recipient = Recipient {
        link: Some(LINK.to_owned()),
        ..customer("en").into()
    };
    for template in templates(true) {
        let mail = render_about_order(
            request(template, &failed()),
            "Oxcart",
            &recipient,
            &failed(),
        )
        .unwrap();
        assert!(mail.text.contains(&format!("\n{LINK}\n")));
        let link = LINK.replace('&', "&#38;");
        let link = format!("<a href=\"{link}\">{link}</a>");
        assert!(mail.html.contains(&link), "{}", mail.html);
    }
}

#[test]
fn customers_get_mails_in_their_language_or_else_in_english() {
    for (locale, language, subject) in [
        ("en-GB", "en", "Your order at Oxcart & Sons is confirmed"),
        (
            "de-AT",
            "de",
            "Ihre Bestellung bei Oxcart & Sons ist bestätigt",
        ),
        (
            "DE",
            "de",
            "Ihre Bestellung bei Oxcart & Sons ist bestätigt",
        ),
        ("zh", "zh", "您在 Oxcart & Sons 的订单已确认"),
        ("zh-CN", "zh", "您在 Oxcart & Sons 的订单已确认"),
        ("zh-Hans", "zh", "您在 Oxcart & Sons 的订单已确认"),
        ("zh-hans-HK", "zh", "您在 Oxcart & Sons 的订单已确认"),
        ("zh-Hant", "en", "Your order at Oxcart & Sons is confirmed"),
        ("zh-TW", "en", "Your order at Oxcart & Sons is confirmed"),
        ("fr-FR", "en", "Your order at Oxcart & Sons is confirmed"),
    ] {
        let mail = rendered(Template::OrderConfirmed, locale, &confirmed());
        assert_eq!(mail.subject, subject, "{locale}");
        let tag = format!("<html lang=\"{language}\">");
        assert!(mail.html.contains(&tag), "{locale}");
        // Numbers are those of the language, not of a locale that the words are not in.
        let total = if language == "de" {
            "25,00 EUR"
        } else {
            "25.00 EUR"
        };
        assert!(mail.text.contains(total), "{locale}");
    }
}

#[test]
fn a_confirmation_says_how_long_the_delivery_takes() {
    for language in Language::ALL {
        for (min, max, expected) in [(21, 40, "21–40"), (77, 77, "77")] {
            let mut order = case_c01();
            let shipping = order.breakdown.shipping.as_mut().unwrap();
            shipping.delivery_days = Some(DeliveryDays { min, max });
            let is_in = |text: &str, end: &str| {
                let mut starts = [" ", "："].into_iter();
                starts.any(|before| text.contains(&format!("{before}{expected}{end}")))
            };
            let shown = |mail: &Mail| (is_in(&mail.text, "\n"), is_in(&mail.html, "</p>"));
            let of = |template| shown(&rendered(template, language.tag(), &order));
            assert_eq!(of(Template::OrderConfirmed), (true, true), "{language:?}");
            assert_eq!(of(Template::OrderCancelled), (false, false), "{language:?}");
        }
    }
}

#[test]
fn a_confirmation_of_what_is_not_shipped_names_no_address() {
    let order = confirmed();
    for language in Language::ALL {
        let of = |order: &Order| rendered(Template::OrderConfirmed, language.tag(), order);
        let shipped = of(&order).text.matches("\n\n").count();
        let country = order.shipping_address.country.clone();
        let download = Order {
            is_shipped: false,
            ..order.clone()
        };
        // As an order of an earlier release, of which only the country was given.
        let without_street = Order {
            shipping_address: order.shipping_address.erased(),
            ..order.clone()
        };
        for order in [download, without_street] {
            let mail = of(&order);
            // Without the heading and the address.
            assert_eq!(mail.text.matches("\n\n").count(), shipped - 2);
            assert!(!mail.text.contains(&format!("\n{country}\n")));
            assert!(!mail.html.contains("pre-line"));
        }
    }
}

#[test]
fn a_failed_order_says_why_in_every_language() {
    let mail = rendered(Template::OrderFailed, "de-AT", &failed());
    assert!(mail.text.contains("nicht in der bestellten Menge vorrätig"));
    for language in Language::ALL {
        let texts = FailureCode::ALL.iter().map(|code| {
            let mut order = failed();
            order.failure.as_mut().unwrap().code = *code;
            rendered(Template::OrderFailed, language.tag(), &order).text
        });
        let texts: HashSet<String> = texts.collect();
        assert_eq!(texts.len(), FailureCode::ALL.len(), "{texts:?}");
    }
}

#[test]
fn html_shows_names_of_customers_and_products_as_text() {
    let mut order = confirmed();
    order.lines[0].name = r#"<a href="x" id='y'>&"#.to_owned();
    let mail = rendered(Template::OrderConfirmed, "en", &order);
    assert!(mail.html.contains("Hello Ana &#60;Li&#62;,"));
    assert!(
        mail.html
            .contains("2 x &#60;a href=&#34;x&#34; id=&#39;y&#39;&#62;&#38; at")
    );
    assert!(mail.html.contains("<p>Oxcart &#38; Sons</p>"));
    assert!(
        mail.html
            .contains("<title>Your order at Oxcart &#38; Sons is confirmed</title>")
    );
    assert!(mail.text.contains(r#"2 x <a href="x" id='y'>& at"#));
}

#[test]
fn mails_about_accounts_greet_and_link_to_their_page() {
    for template in templates(false) {
        for locale in ["en", "de", "zh", "fr"] {
            let recipient = Recipient {
                link: Some(LINK.to_owned()),
                ..customer(locale).into()
            };
            let mail = render_about_account(template, "Oxcart & Sons", &recipient).unwrap();
            assert!(mail.subject.contains("Oxcart & Sons") && !mail.subject.contains('\n'));
            assert!(mail.text.contains("Ana <Li>") && mail.html.contains("Ana &#60;Li&#62;"));
            let leads = template != Template::PasswordChanged;
            assert_eq!(mail.text.contains(&format!("\n\n{LINK}\n\n")), leads);
            let link = format!("<a href=\"{}\">", LINK.replace('&', "&#38;"));
            assert_eq!(mail.html.contains(&link), leads);
        }
    }
}
