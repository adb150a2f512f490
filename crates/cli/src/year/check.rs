//! Compares the shop's books with what the generator did.

use std::collections::BTreeMap;

use super::books::{Book, Books, Entered, Totals};
use super::ledger::{Ledger, Order};
use super::lists::number_of_prices;
use super::plan::{Sizes, Token, first_variant, is_scarce};
use super::seed::CATEGORIES;
use super::shop::Shop;
use crate::Error;

/// The most sentences about one kind of disagreement.
const MOST: usize = 10;

/// The most mails about orders that the mailbox of an address that is not confirmed gets in a day.
const MAILS_A_DAY: u64 = 10;

/// Reads all tables. Returns the totals, and a sentence for each thing that does not agree with the ledger.
///
/// # Errors
/// If a table cannot be read.
pub(super) fn compare(
    shop: &Shop,
    ledger: &Ledger,
    sizes: Sizes,
    uses_limit: u64,
) -> Result<(Totals, Vec<String>), Error> {
    let books = Books::read(shop)?;
    let mut found = Disagreements::default();
    let mut orders_of: BTreeMap<usize, u64> = BTreeMap::new();
    for order in &ledger.orders {
        *orders_of.entry(order.customer).or_default() += 1;
    }
    for (number, order) in ledger.orders.iter().enumerate() {
        match books.orders.get(&order.id) {
            None => found.add(
                "orders",
                format!("order {number} ({}) is not stored", order.id),
            ),
            Some(book) => {
                for fault in faults(order, book, orders_of[&order.customer]) {
                    found.add(
                        fault.0,
                        format!("order {number} ({}): {}", order.id, fault.1),
                    );
                }
            }
        }
    }
    if books.orders.len() != ledger.orders.len() {
        let (stored, placed) = (books.orders.len(), ledger.orders.len());
        found.add(
            "orders",
            format!("{stored} orders are stored, and {placed} were placed"),
        );
    }
    check_accounts(&books, ledger, &mut found);
    check_stock(&books, ledger, &mut found);
    check_events(&books, ledger, sizes, &mut found);
    check_uses(&books, ledger, uses_limit, &mut found);
    Ok((books.totals(), found.sentences()))
}

/// Returns what is wrong with an order of a customer who placed so many in the year, each with its kind.
fn faults(order: &Order, book: &Book, orders_of_customer: u64) -> Vec<(&'static str, String)> {
    let mut faults = Vec::new();
    let mut check = |kind, holds: bool, detail: String| {
        if !holds {
            faults.push((kind, detail));
        }
    };
    let outcome = expected(order, book);
    check(
        "outcomes",
        outcome,
        format!(
            "it is {} {}, which nothing explains: {order:?}",
            book.status, book.failure
        ),
    );
    check(
        "ends",
        book.is_over,
        format!("it is {} and still due", book.status),
    );
    check(
        "tokens",
        !book.payment_token,
        "its payment token is kept".to_owned(),
    );
    check(
        "addresses",
        !(order.erased && book.street),
        "the address of a deleted customer is kept".to_owned(),
    );
    check(
        "totals",
        book.total == order.total,
        format!(
            "it costs {}, and {} when it was placed",
            book.total, order.total
        ),
    );
    let owed = if book.status == "confirmed" {
        order.total.saturating_sub(order.refunded)
    } else {
        // What a bank has taken is not refunded, too.
        book.disputed
    };
    let at_gateway = book.captured.checked_sub(book.refunded);
    let kept = at_gateway.map(|kept| kept + book.from_cards);
    check(
        "money",
        kept == Some(owed),
        format!("{kept:?} is kept, and {owed} is owed"),
    );
    let lost = if order.is_lost() { book.captured } else { 0 };
    check(
        "disputes",
        book.disputed == lost,
        format!("disputes have taken {}, and {lost} is lost", book.disputed),
    );
    let gateway = (book.taken, book.given_back);
    check(
        "gateway",
        gateway == (book.captured, book.refunded) && book.payments <= 1,
        format!(
            "the gateway has {gateway:?}, and the {} payments are {:?}",
            book.payments,
            (book.captured, book.refunded)
        ),
    );
    let expected = expected_entries(book);
    let entered = book.entered;
    check(
        "ledger",
        entered == expected,
        format!("the ledger has {entered:?}, and the payment {expected:?}"),
    );
    let reserved = matches!(
        (book.status.as_str(), book.reservation.as_str()),
        ("confirmed", "committed") | ("failed" | "cancelled", "released")
    );
    check(
        "reservations",
        reserved,
        format!("it is {} and its stock {}", book.status, book.reservation),
    );
    // Of a message that was sent and whose outcome could not be stored, the record goes on saying `sending`.
    // No customer of the year has confirmed the email address, so a mailbox gets a bounded number of mails a day.
    let mut states = vec!["sent", "sending"];
    if orders_of_customer > MAILS_A_DAY {
        states.push("withheld");
    }
    let sent = states.iter().filter_map(|state| {
        let message = format!("order_{} {state}", book.status);
        book.messages.get(&message)
    });
    let detail = format!(
        "it is {}, and its messages are {:?}",
        book.status, book.messages
    );
    check("messages", sent.sum::<u64>() == 1, detail);
    faults
}

/// Returns what the entries of an order's payment have to add up to. No payment is open any more, so nothing is authorised
/// that is not captured, and no dispute is open.
fn expected_entries(book: &Book) -> Entered {
    let captured = book.captured.into();
    let disputed = book.disputed.into();
    Entered {
        authorised: captured,
        captured,
        refunded: book.refunded.into(),
        disputed,
        lost: disputed,
        from_cards: book.from_cards.into(),
    }
}

/// Whether the outcome is one that the generator expects.
fn expected(order: &Order, book: &Book) -> bool {
    match (book.status.as_str(), book.failure.as_str()) {
        ("confirmed", "") => !order.cancelled && order.token.pays(),
        ("cancelled", "") => order.cancelled,
        ("failed", "payment_declined") => !order.cancelled && !order.token.pays(),
        ("failed", "expired") => !order.cancelled && order.token == Token::Abandoned,
        ("failed", "out_of_stock") => !order.cancelled && order.is_scarce(),
        _ => false,
    }
}

/// Checks that debits are credits, that the gateway owes what was captured less what was refunded and lost, and that gift
/// cards have what they were issued for less what they paid.
fn check_accounts(books: &Books, ledger: &Ledger, found: &mut Disagreements) {
    let total: i128 = books.accounts.values().sum();
    if total != 0 {
        let sentence = format!("debits and credits differ by {total}: {:?}", books.accounts);
        found.add("accounts", sentence);
    }
    let of = |name: &str| -> i128 {
        let accounts = books.accounts.iter();
        let named = accounts.filter(|((account, _), _)| account == name);
        named.map(|(_, balance)| balance).sum()
    };
    let kept: i128 = books
        .orders
        .values()
        .map(|book| i128::from(book.captured) - i128::from(book.refunded))
        .sum();
    let lost: i128 = books
        .orders
        .values()
        .map(|book| i128::from(book.disputed))
        .sum();
    let (owed, earned) = (of("gateway:sandbox"), -of("sales") - of("refunds"));
    let from_cards: i128 = books
        .orders
        .values()
        .map(|book| i128::from(book.from_cards))
        .sum();
    let (issued, left) = books.gift_cards;
    let (is, says) = (
        (
            issued,
            i128::from(left),
            -of("gift_cards"),
            of("gift_cards_issued"),
        ),
        (
            ledger.gift_cards,
            i128::from(issued) - from_cards,
            i128::from(left),
            i128::from(issued),
        ),
    );
    if is != says {
        let sentence = format!(
            "gift cards are {is:?} (issued, left, both in the ledger), and should be {says:?}"
        );
        found.add("accounts", sentence);
    }
    let losses = (of("disputes"), of("dispute_losses"));
    if (owed, earned, losses) != (kept - lost, kept + from_cards, (0, lost)) {
        found.add(
            "accounts",
            format!(
                "the gateway owes {owed}, sales less refunds are {earned}, disputes are {losses:?}, and the payments have {kept} less {lost}, and {from_cards} of gift cards"
            ),
        );
    }
}

fn check_stock(books: &Books, ledger: &Ledger, found: &mut Disagreements) {
    let mut sold: Vec<u64> = vec![0; ledger.products.len()];
    for order in &ledger.orders {
        let status = books.orders.get(&order.id).map(|book| book.status.as_str());
        if status == Some("confirmed") {
            for (at, line) in order.lines.iter().enumerate() {
                let back = if at == 0 { order.restocked } else { 0 };
                if let Some(sold) = sold.get_mut(line.product) {
                    *sold += line.quantity - back;
                }
            }
        }
    }
    for (number, (product, sold)) in ledger.products.iter().zip(sold).enumerate() {
        let Some((available, reserved)) = books.stock.get(&product.id) else {
            found.add("stock", format!("product {number} has no stock"));
            continue;
        };
        if *reserved != sold || available + reserved != product.on_hand {
            let scarce = if is_scarce(number) { "scarce " } else { "" };
            let (id, on_hand) = (&product.id, product.on_hand);
            found.add(
                "stock",
                format!(
                    "{scarce}product {number} ({id}): {available} are available and {reserved} reserved; {on_hand} \
                     were put in and {sold} are sold"
                ),
            );
        }
        let shown = books.shown.get(&product.id).map_or("", String::as_str);
        if shown != availability(*available) {
            let sentence =
                format!("product {number} is shown as {shown:?}; {available} are available");
            found.add("availability", sentence);
        }
    }
}

/// Returns what a product is shown as of which so many are available, if five are few.
fn availability(available: u64) -> &'static str {
    match available {
        0 => "out_of_stock",
        1..=5 => "low",
        _ => "in_stock",
    }
}

fn check_events(books: &Books, ledger: &Ledger, sizes: Sizes, found: &mut Disagreements) {
    for gap in &books.gaps {
        found.add("event log", gap.clone());
    }
    let count = |holds: &dyn Fn(&Book) -> bool| {
        books.orders.values().filter(|book| holds(book)).count() as u64
    };
    let products = (0..sizes.products).filter(|number| {
        let first = first_variant(*number, sizes.products);
        first.is_none_or(|first| first == *number)
    });
    let products = products.count();
    let deleted = ledger.customers.iter().filter(|customer| customer.deleted);
    let cancelled = ledger.orders.iter().filter(|order| order.cancelled);
    let disputed = ledger.orders.iter().filter(|order| order.dispute.is_some());
    let expected = [
        ("ProductCreated", products as u64 + ledger.imported),
        ("ProductUpdated", ledger.price_changes),
        ("CategoryChanged", CATEGORIES as u64 + 1),
        ("CollectionChanged", 1),
        ("PriceListsChanged", 1),
        ("ListPriceChanged", number_of_prices(sizes.products) as u64),
        ("CustomerRegistered", sizes.customers as u64),
        ("CustomerDeleted", deleted.count() as u64),
        ("OrderCreated", ledger.orders.len() as u64),
        (
            "OrderConfirmed",
            count(&|book| book.status == "confirmed" || book.cancelled_from == "confirmed"),
        ),
        ("OrderCancelled", cancelled.count() as u64),
        ("OrderFailed", count(&|book| book.status == "failed")),
        ("PaymentDisputed", 2 * disputed.count() as u64),
    ];
    for (event, expected) in expected {
        let logged = books.events.get(event).copied().unwrap_or(0);
        if logged != expected {
            found.add(
                "events",
                format!("{logged} events {event} are in the log, and there were {expected}"),
            );
        }
    }
}

fn check_uses(books: &Books, ledger: &Ledger, limit: u64, found: &mut Disagreements) {
    let kept = ledger.orders.iter().filter(|order| {
        let status = books.orders.get(&order.id).map(|book| book.status.as_str());
        order.limited && status == Some("confirmed")
    });
    let (kept, counted) = (kept.count() as u64, books.uses);
    if counted != kept || counted > limit {
        found.add(
            "discounts",
            format!("{counted} uses of the limited discount are counted; {kept} orders have it, and {limit} may"),
        );
    }
}

/// What does not agree, by kind.
#[derive(Debug, Default)]
struct Disagreements(BTreeMap<&'static str, (u64, Vec<String>)>);

impl Disagreements {
    fn add(&mut self, kind: &'static str, sentence: String) {
        let (count, sentences) = self.0.entry(kind).or_default();
        *count += 1;
        if sentences.len() < MOST {
            sentences.push(sentence);
        }
    }

    fn sentences(self) -> Vec<String> {
        let kinds = self.0.into_iter();
        kinds
            .flat_map(|(kind, (count, mut sentences))| {
                let more = count.saturating_sub(sentences.len() as u64);
                if more > 0 {
                    sentences.push(format!("and {more} more"));
                }
                sentences
                    .into_iter()
                    .map(move |sentence| format!("{kind}: {sentence}"))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::year::plan::{Line, Refund, Token};

    type Change = fn(&mut Order, &mut Book);

    fn order() -> Order {
        Order {
            id: "order".to_owned(),
            customer: 0,
            lines: vec![Line {
                product: 0,
                quantity: 1,
            }],
            token: Token::Ok,
            total: 1_990,
            limited: false,
            cancelled: false,
            erased: false,
            refunded: 0,
            dispute: None,
            restocked: 0,
        }
    }

    fn confirmed() -> Book {
        Book {
            status: "confirmed".to_owned(),
            total: 1_990,
            is_over: true,
            street: true,
            reservation: "committed".to_owned(),
            captured: 1_990,
            entered: Entered {
                authorised: 1_990,
                captured: 1_990,
                ..Entered::default()
            },
            payments: 1,
            taken: 1_990,
            messages: [("order_confirmed sent".to_owned(), 1)].into(),
            ..Book::default()
        }
    }

    fn kinds(order: &Order, book: &Book) -> Vec<&'static str> {
        let faults = faults(order, book, 10).into_iter();
        faults.map(|(kind, _)| kind).collect()
    }

    #[test]
    fn each_fault_of_an_order_is_found() {
        assert!(kinds(&order(), &confirmed()).is_empty());
        let cases: [(&str, Change); 15] = [
            ("outcomes", |order, _| order.cancelled = true),
            ("outcomes", |order, _| order.token = Token::Declined),
            ("ends", |_, book| book.is_over = false),
            ("tokens", |_, book| book.payment_token = true),
            ("addresses", |order, _| order.erased = true),
            ("totals", |_, book| book.total = 1_900),
            ("gateway", |_, book| book.taken = 3_980),
            ("gateway", |_, book| book.payments = 2),
            ("reservations", |_, book| book.reservation.push('x')),
            ("messages", |_, book| book.messages.clear()),
            ("money", |order, _| order.refunded = 1),
            ("money", |_, book| {
                (book.refunded, book.given_back) = (1_990, 1_990);
                book.entered.refunded = 1_990;
            }),
            ("disputes", |order, _| {
                order.dispute = Some(Refund::DisputeLost);
            }),
            ("ledger", |_, book| book.entered.refunded = 1),
            ("ledger", |_, book| book.entered.authorised = 3_980),
        ];
        for (kind, change) in cases {
            let (mut order, mut book) = (order(), confirmed());
            change(&mut order, &mut book);
            assert_eq!(kinds(&order, &book), [kind], "{book:?}");
        }
    }

    #[test]
    fn messages_are_withheld_only_from_those_who_order_much() {
        let withheld = Book {
            messages: [("order_confirmed withheld".to_owned(), 1)].into(),
            ..confirmed()
        };
        assert_eq!(kinds(&order(), &withheld), ["messages"]);
        assert!(faults(&order(), &withheld, 11).is_empty());
    }

    #[test]
    fn only_orders_for_scarce_products_run_out_of_stock() {
        let failed = Book {
            status: "failed".to_owned(),
            failure: "out_of_stock".to_owned(),
            reservation: "released".to_owned(),
            total: 1_990,
            is_over: true,
            messages: [("order_failed sent".to_owned(), 1)].into(),
            ..Book::default()
        };
        assert_eq!(kinds(&order(), &failed), ["outcomes"]);
        let mut scarce = order();
        scarce.lines[0].product = 49;
        assert!(kinds(&scarce, &failed).is_empty());
    }

    #[test]
    fn of_many_disagreements_of_a_kind_only_some_are_told() {
        let mut found = Disagreements::default();
        for number in 0..15 {
            found.add("stock", number.to_string());
        }
        let sentences = found.sentences();
        assert_eq!(sentences.len(), MOST + 1);
        assert_eq!(
            (&*sentences[0], &*sentences[MOST]),
            ("stock: 0", "stock: and 5 more")
        );
    }
}
