//! The texts of messages. The words are in the folder `templates` of this package, which has a folder for each
//! language; here is what they are filled in with.

use super::mail::Mail;
use super::model::{About, MessageRequest, NotificationError, Recipient, Template};
use super::strangers::holds_link;
use crate::orders::model::{FailureCode, Order};
use crate::pricing::shipping::DeliveryDays;
use crate::values::locale::Locale;
use numbers::Numbers;
use parts::{Part, What};

mod numbers;
mod parts;
#[cfg(test)]
mod tests;

/// Defines the languages that messages are written in: for each, its tag and its templates for the subject, the plain
/// text and the HTML. A further language is a folder and a line below.
macro_rules! languages {
    ($($language:ident $tag:literal $subject:tt $text:tt $html:tt,)*) => {
        /// A language that messages are written in.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Language {
            $($language,)*
        }

        impl Language {
            /// All languages.
            const ALL: &[Self] = &[$(Self::$language,)*];

            /// Returns the language tag (RFC 5646).
            fn tag(self) -> &'static str {
                match self {
                    $(Self::$language => $tag,)*
                }
            }

            /// Fills in the templates.
            fn render(self, mail: &Content) -> askama::Result<Mail> {
                match self {
                    $(Self::$language => {
                        #[derive(askama::Template)]
                        #[template(path = $subject)]
                        struct Subject<'a> {
                            mail: &'a Content<'a>,
                        }

                        #[derive(askama::Template)]
                        #[template(path = $text)]
                        struct Text<'a> {
                            mail: &'a Content<'a>,
                        }

                        #[derive(askama::Template)]
                        #[template(path = $html)]
                        struct Html<'a> {
                            mail: &'a Content<'a>,
                            subject: &'a str,
                        }

                        let subject = askama::Template::render(&Subject { mail })?;
                        Ok(Mail {
                            text: askama::Template::render(&Text { mail })?,
                            html: askama::Template::render(&Html { mail, subject: &subject })?,
                            subject,
                        })
                    })*
                }
            }
        }
    };
}

languages! {
    English "en" "en/subject.txt" "en/mail.txt" "en/mail.html",
    German "de" "de/subject.txt" "de/mail.txt" "de/mail.html",
    SimplifiedChinese "zh" "zh/subject.txt" "zh/mail.txt" "zh/mail.html",
}

impl Language {
    /// Returns the language of `locale`, or `None` if messages are not written in it.
    fn of(locale: &Locale) -> Option<Self> {
        let language = locale.language();
        let mut languages = Self::ALL.iter().copied();
        languages.find(|known| known.tag() == language && !is_traditional_chinese(locale))
    }
}

/// Returns whether `locale` is Chinese in the traditional script: as it says, or else as its region writes it.
fn is_traditional_chinese(locale: &Locale) -> bool {
    let tag = locale.as_str().to_ascii_lowercase();
    let says = |subtags: &[&str]| tag.split('-').skip(1).any(|part| subtags.contains(&part));
    locale.language() == "zh" && !says(&["hans"]) && says(&["hant", "tw", "hk", "mo"])
}

/// What the templates of a mail are filled in with.
struct Content<'a> {
    template: Template,
    language: Language,
    shop: &'a str,
    /// The name to greet the recipient by, if any.
    name: Option<&'a str>,
    /// The address of the page that the mail leads to; empty if there is none.
    link: &'a str,
    /// The order that the mail is about, if it is about one.
    order: Option<OrderContent<'a>>,
    /// Why the order failed, if it did.
    failure: Option<FailureCode>,
    /// What was refunded, if the mail is about that.
    refunded: Option<String>,
}

impl<'a> Content<'a> {
    /// Returns the content of a mail that is not about an order.
    fn new(template: Template, shop: &'a str, recipient: &'a Recipient) -> Self {
        Self {
            template,
            language: Language::of(&recipient.locale).unwrap_or(Language::English),
            shop,
            name: greeted(recipient),
            link: recipient.link.as_deref().unwrap_or_default(),
            order: None,
            failure: None,
            refunded: None,
        }
    }
}

/// What a mail tells about an order.
struct OrderContent<'a> {
    /// Its number, or the identifier of an order of earlier releases.
    number: String,
    parts: Vec<Part<'a>>,
    /// Whether the customer owes the tax instead of the shop.
    reverse_charge: bool,
    /// One line for each part of the address that the order is shipped to; empty if nothing is shipped.
    address: String,
    /// How many days the delivery takes, such as `2–4`, if the mail confirms the order and its method says that.
    delivery_days: Option<String>,
}

/// Returns the name to greet the recipient by, or `None` for a recipient who has not confirmed the address, because a
/// stranger may have chosen the name, and for a name that holds a link.
fn greeted(recipient: &Recipient) -> Option<&str> {
    let name = recipient.name.as_str();
    let is_known = recipient.is_confirmed && !name.is_empty() && !holds_link(name);
    is_known.then_some(name)
}

/// Returns one line for each part that the address of `order` has, except for those that hold a link. Returns nothing if
/// nothing is shipped, or if the address has been erased.
fn address_lines(order: &Order) -> String {
    let address = &order.shipping_address;
    if !order.is_shipped || address.line1.is_empty() {
        return String::new();
    }
    let code = address.postal_code.as_deref().unwrap_or_default();
    let town = format!("{code} {}", address.city);
    let town = Some(town.trim()).filter(|town| !town.is_empty());
    let parts = [
        Some(address.recipient.as_str()),
        address.company.as_deref(),
        Some(address.line1.as_str()),
        address.line2.as_deref(),
        town,
        address.region.as_deref(),
        Some(address.country.as_str()),
    ];
    let parts = parts.into_iter().flatten();
    let parts: Vec<&str> = parts.filter(|part| !holds_link(part)).collect();
    parts.join("\n")
}

/// Returns the days as a range, or as one number if they are the same.
fn range(days: DeliveryDays) -> String {
    let DeliveryDays { min, max } = days;
    if min == max {
        max.to_string()
    } else {
        format!("{min}–{max}")
    }
}

/// Returns the mail to `recipient` about `order`, in the recipient's language or else in English, with the link of the
/// recipient if there is one.
///
/// # Errors
/// [`NotificationError::Template`] or [`NotificationError::Amount`].
pub fn render_about_order(
    request: MessageRequest,
    shop: &str,
    recipient: &Recipient,
    order: &Order,
) -> Result<Mail, NotificationError> {
    let template = request.template;
    let refunded = match request.about {
        About::Refund { amount, .. } => Some(amount),
        About::Order(_) | About::Guest { .. } | About::Account { .. } => None,
    };
    let language = Language::of(&recipient.locale);
    let numbers = match language {
        Some(language) => Numbers::new(&[recipient.locale.as_str(), language.tag()])?,
        None => Numbers::new(&[Language::English.tag()])?,
    };
    let shipping = order.breakdown.shipping.as_ref();
    let shipping = shipping.filter(|_| template == Template::OrderConfirmed);
    render(&Content {
        order: Some(OrderContent {
            number: match order.number {
                Some(number) => number.to_string(),
                None => order.id.to_string(),
            },
            parts: parts::of_order(order, &numbers)?,
            reverse_charge: order.breakdown.reverse_charge,
            address: address_lines(order),
            delivery_days: shipping.and_then(|part| part.delivery_days).map(range),
        }),
        failure: order.failure.as_ref().map(|failure| failure.code),
        refunded: refunded.map(|amount| numbers.amount(amount)),
        ..Content::new(template, shop, recipient)
    })
}

/// Returns the mail to `recipient` about the account, in the recipient's language or else in English, with the link
/// that it leads to.
///
/// # Errors
/// [`NotificationError::Template`].
pub fn render_about_account(
    template: Template,
    shop: &str,
    recipient: &Recipient,
) -> Result<Mail, NotificationError> {
    render(&Content::new(template, shop, recipient))
}

fn render(content: &Content) -> Result<Mail, NotificationError> {
    Ok(content.language.render(content)?)
}
