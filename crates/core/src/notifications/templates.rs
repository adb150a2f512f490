//! The texts of messages. There is a file for each template, language and form, which is filled in here.

use super::mail::Mail;
use super::model::{NotificationError, Recipient, Template};
use super::strangers::holds_link;
use crate::customers::model::Locale;
use crate::orders::model::{FailureCode, Order};
use crate::values::address::Address;
use crate::values::money::Money;

/// A language that messages are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    English,
    German,
}

impl Language {
    /// Returns German for German locales, and English for all others.
    fn for_locale(locale: &Locale) -> Self {
        if locale.language() == "de" {
            Self::German
        } else {
            Self::English
        }
    }

    fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// Formats an amount as the language writes it: `19.99 EUR`, `19,99 EUR`.
    fn amount(self, money: Money) -> String {
        match self {
            Self::English => money.to_string(),
            Self::German => money.to_string().replace('.', ","),
        }
    }

    fn reason(self, code: FailureCode) -> &'static str {
        match (self, code) {
            (Self::English, FailureCode::RuleFailed) => "it does not meet the shop's conditions",
            (Self::English, FailureCode::OutOfStock) => {
                "an article is not in stock in the quantity that you ordered"
            }
            (Self::English, FailureCode::PaymentDeclined) => "the payment was declined",
            (Self::English, FailureCode::Expired) => "it could not be processed in time",
            (Self::German, FailureCode::RuleFailed) => {
                "sie die Bedingungen des Shops nicht erfüllt"
            }
            (Self::German, FailureCode::OutOfStock) => {
                "ein Artikel nicht in der bestellten Menge vorrätig ist"
            }
            (Self::German, FailureCode::PaymentDeclined) => "die Zahlung abgelehnt wurde",
            (Self::German, FailureCode::Expired) => {
                "sie nicht rechtzeitig bearbeitet werden konnte"
            }
        }
    }
}

/// Returns the text and the HTML of a template. The first line of the text is the subject.
fn files(template: Template, language: Language) -> (&'static str, &'static str) {
    macro_rules! files {
        ($name:literal) => {
            (
                include_str!(concat!("templates/", $name, ".txt")),
                include_str!(concat!("templates/", $name, ".html")),
            )
        };
    }
    match (template, language) {
        (Template::OrderConfirmed, Language::English) => files!("order_confirmed.en"),
        (Template::OrderConfirmed, Language::German) => files!("order_confirmed.de"),
        (Template::OrderFailed, Language::English) => files!("order_failed.en"),
        (Template::OrderFailed, Language::German) => files!("order_failed.de"),
        (Template::OrderCancelled, Language::English) => files!("order_cancelled.en"),
        (Template::OrderCancelled, Language::German) => files!("order_cancelled.de"),
        (Template::ConfirmEmail, Language::English) => files!("confirm_email.en"),
        (Template::ConfirmEmail, Language::German) => files!("confirm_email.de"),
        (Template::PasswordReset, Language::English) => files!("password_reset.en"),
        (Template::PasswordReset, Language::German) => files!("password_reset.de"),
        (Template::PasswordChanged, Language::English) => files!("password_changed.en"),
        (Template::PasswordChanged, Language::German) => files!("password_changed.de"),
    }
}

/// The value of a placeholder.
enum Value<'a> {
    /// A text, which is escaped in HTML.
    Text(&'a str),
    /// A part that has already been filled in, and is not escaped.
    Filled(&'a str),
}

/// Replaces each `{{name}}` in `template` by its value, in one pass, so that a value is never read as a
/// placeholder.
fn fill(
    template: &str,
    values: &[(&str, Value)],
    escape: fn(&str) -> String,
) -> Result<String, NotificationError> {
    let mut filled = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after
            .split_once("}}")
            .ok_or_else(|| NotificationError::Template("{{".to_owned()))?;
        let value = values.iter().find(|(known, _)| *known == name);
        filled.push_str(before);
        match value {
            Some((_, Value::Text(text))) => filled.push_str(&escape(text)),
            Some((_, Value::Filled(part))) => filled.push_str(part),
            None => return Err(NotificationError::Template(name.to_owned())),
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn plain(text: &str) -> String {
    text.to_owned()
}

/// Escapes `text` for HTML, between tags and in quoted attributes.
fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Returns the name to put behind the greeting, with a space before it; nothing for a recipient who has not confirmed
/// the address, because a stranger may have chosen the name, and for a name that holds a link.
fn greeted(recipient: &Recipient) -> String {
    let name = &recipient.name;
    if recipient.is_confirmed && !name.is_empty() && !holds_link(name) {
        format!(" {name}")
    } else {
        String::new()
    }
}

/// Returns one line for each part that the address has, except for those that hold a link.
fn address_lines(address: &Address) -> String {
    let town = format!("{} {}", address.postal_code, address.city);
    let parts = [
        Some(address.recipient.as_str()),
        Some(address.line1.as_str()),
        address.line2.as_deref(),
        Some(town.as_str()),
        address.region.as_deref(),
        Some(address.country.as_str()),
    ];
    let parts = parts.into_iter().flatten();
    let parts: Vec<&str> = parts.filter(|part| !holds_link(part)).collect();
    parts.join("\n")
}

fn lines(
    order: &Order,
    language: Language,
    template: &str,
    escape: fn(&str) -> String,
) -> Result<String, NotificationError> {
    let lines = order.lines.iter().map(|line| {
        let subtotal = language.amount(line.subtotal()?);
        let quantity = line.quantity.to_string();
        let values = [
            ("name", Value::Text(&line.name)),
            ("quantity", Value::Text(&quantity)),
            ("subtotal", Value::Text(&subtotal)),
        ];
        fill(template, &values, escape)
    });
    lines.collect()
}

/// Returns the mail to `recipient` about `order`, in the recipient's language, with the link of the recipient if
/// there is one.
///
/// # Errors
/// [`NotificationError::Template`] or [`NotificationError::Amount`].
pub fn render_about_order(
    template: Template,
    shop: &str,
    recipient: &Recipient,
    order: &Order,
) -> Result<Mail, NotificationError> {
    let language = Language::for_locale(&recipient.locale);
    let (text_file, html_file) = files(template, language);
    let order_id = order.id.to_string();
    let total = language.amount(order.total);
    let address = address_lines(&order.shipping_address);
    let code = order.failure.as_ref().map(|failure| failure.code);
    let reason = code.map_or("", |code| language.reason(code));
    let name = greeted(recipient);
    let link = recipient.link.as_deref().unwrap_or_default();
    let text_link = format!("\n{link}");
    let html_link = format!("<br><a href=\"{0}\">{0}</a>", html(link));
    let fill_with = |file: &str, lines: &str, link: &str, escape: fn(&str) -> String| {
        let link = recipient.link.as_ref().map_or("", |_| link);
        let values = [
            ("shop", Value::Text(shop)),
            ("name", Value::Text(&name)),
            ("order", Value::Text(&order_id)),
            ("total", Value::Text(&total)),
            ("address", Value::Text(&address)),
            ("reason", Value::Text(reason)),
            ("lines", Value::Filled(lines)),
            ("link", Value::Filled(link)),
        ];
        fill(file, &values, escape)
    };
    let text_lines = lines(order, language, include_str!("templates/line.txt"), plain)?;
    let html_lines = lines(order, language, include_str!("templates/line.html"), html)?;
    framed(language, (text_file, html_file), |file, form| match form {
        Form::Text => fill_with(file, &text_lines, &text_link, plain),
        Form::Html => fill_with(file, &html_lines, &html_link, html),
    })
}

/// Returns the mail to `recipient` about the account, in the recipient's language, with the link that it leads to.
///
/// # Errors
/// [`NotificationError::Template`].
pub fn render_about_account(
    template: Template,
    shop: &str,
    recipient: &Recipient,
) -> Result<Mail, NotificationError> {
    let language = Language::for_locale(&recipient.locale);
    let name = greeted(recipient);
    let values = [
        ("shop", Value::Text(shop)),
        ("name", Value::Text(&name)),
        (
            "link",
            Value::Text(recipient.link.as_deref().unwrap_or_default()),
        ),
    ];
    let fill_with = |file: &str, form: Form| match form {
        Form::Text => fill(file, &values, plain),
        Form::Html => fill(file, &values, html),
    };
    framed(language, files(template, language), fill_with)
}

/// The form of a part of a mail.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Html,
}

/// Returns the mail made from a text and an HTML file, each filled in by `fill_with`. The first line of the text is
/// the subject; the HTML is put into its frame.
fn framed(
    language: Language,
    (text_file, html_file): (&str, &str),
    fill_with: impl Fn(&str, Form) -> Result<String, NotificationError>,
) -> Result<Mail, NotificationError> {
    let (subject, text) = text_file.split_once("\n\n").unwrap_or((text_file, ""));
    let subject = fill_with(subject, Form::Text)?;
    let content = fill_with(html_file, Form::Html)?;
    let frame = [
        ("language", Value::Text(language.tag())),
        ("subject", Value::Text(&subject)),
        ("content", Value::Filled(content.trim_end())),
    ];
    Ok(Mail {
        text: fill_with(text, Form::Text)?,
        html: fill(include_str!("templates/frame.html"), &frame, html)?,
        subject,
    })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::super::tests::{confirmed, customer, failed, pending};
    use super::*;

    fn rendered(template: Template, locale: &str, order: &Order) -> Mail {
        render_about_order(template, "Oxcart & Sons", &customer(locale).into(), order).unwrap()
    }

    #[test]
    fn a_confirmation_lists_what_was_bought() {
        let mail = rendered(Template::OrderConfirmed, "en-GB", &confirmed());
        assert_eq!(mail.subject, "Your order at Oxcart & Sons is confirmed");
        expect![[r"
            Hello Ana <Li>,

            thank you for your order. It is confirmed and paid.

            Order 00000000-0000-0000-0000-000000000000

              2 x Tea & {{total}}: 19.98 EUR
              1 x Cup: 5.02 EUR

            Total: 25.00 EUR

            We deliver to:

            Ana Li
            Hauptstraße 1
            1010 Wien
            AT

            Oxcart & Sons
        "]]
        .assert_eq(&mail.text.replace(
            &pending().id.to_string(),
            "00000000-0000-0000-0000-000000000000",
        ));
    }

    #[test]
    fn a_mail_to_a_guest_links_to_the_order() {
        let recipient = Recipient {
            link: Some("https://shop.example/orders/1?token=a&b".to_owned()),
            ..customer("en").into()
        };
        let templates = Template::ALL.iter();
        for template in templates.filter(|template| template.is_about_order()) {
            let mail = render_about_order(*template, "Oxcart", &recipient, &failed()).unwrap();
            assert!(
                mail.text
                    .contains("\nhttps://shop.example/orders/1?token=a&b\n")
            );
            let link = "<a href=\"https://shop.example/orders/1?token=a&amp;b\">";
            assert!(mail.html.contains(link), "{}", mail.html);
        }
    }

    #[test]
    fn customers_with_a_german_locale_get_german_mails() {
        let mail = rendered(Template::OrderFailed, "de-AT", &failed());
        let subject = "Ihre Bestellung bei Oxcart & Sons konnte nicht ausgeführt werden";
        assert_eq!(mail.subject, subject);
        assert!(mail.text.contains("nicht in der bestellten Menge vorrätig"));
        assert!(mail.text.contains("Summe: 25,00 EUR"));
        assert!(mail.html.contains("<html lang=\"de\">"));
    }

    #[test]
    fn html_shows_names_of_customers_and_products_as_text() {
        let mail = rendered(Template::OrderConfirmed, "en", &confirmed());
        assert!(mail.html.contains("Hello Ana &lt;Li&gt;,"));
        assert!(mail.html.contains("<td>Tea &amp; {{total}}</td>"));
        assert!(mail.html.contains("<p>Oxcart &amp; Sons</p>"));
        assert!(
            mail.html
                .contains("<title>Your order at Oxcart &amp; Sons is confirmed</title>")
        );
        assert_eq!(
            html(r#"<a href="x" id='y'>&"#),
            "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;"
        );
    }

    #[test]
    fn every_template_is_filled_in_in_every_language_and_form() {
        let mut order = failed();
        order.lines[0].name = "Tea".to_owned();
        for template in Template::ALL
            .iter()
            .filter(|template| template.is_about_order())
        {
            for locale in ["en", "de", "zh-Hant-TW"] {
                let mail = rendered(*template, locale, &order);
                for text in [&mail.subject, &mail.text, &mail.html] {
                    assert!(!text.is_empty() && !text.contains("{{"), "{text}");
                }
                assert!(!mail.subject.contains('\n'));
                for fact in ["Tea", "Cup", "25"] {
                    assert!(
                        mail.text.contains(fact) && mail.html.contains(fact),
                        "{fact}"
                    );
                }
            }
        }
    }

    #[test]
    fn mails_about_accounts_greet_and_link_to_their_page() {
        let link = "https://shop.example/confirm?token=a.b-c_d";
        for template in Template::ALL
            .iter()
            .filter(|template| !template.is_about_order())
        {
            for locale in ["en", "de", "fr"] {
                let recipient = Recipient {
                    link: Some(link.to_owned()),
                    ..customer(locale).into()
                };
                let mail = render_about_account(*template, "Oxcart & Sons", &recipient).unwrap();
                assert!(mail.subject.contains("Oxcart & Sons") && !mail.subject.contains('\n'));
                assert!(mail.text.contains("Ana <Li>") && mail.html.contains("Ana &lt;Li&gt;"));
                let leads = *template != Template::PasswordChanged;
                assert_eq!(mail.text.contains(link), leads);
                assert_eq!(mail.html.contains(&format!("<a href=\"{link}\">")), leads);
                assert!(!mail.html.contains("{{") && !mail.text.contains("{{"));
            }
        }
    }

    #[test]
    fn a_placeholder_without_a_value_is_an_error() {
        for template in ["{{nothing}}", "{{name", "{{}}"] {
            let values = [("name", Value::Text("x"))];
            assert!(fill(template, &values, plain).is_err(), "{template}");
        }
    }
}
