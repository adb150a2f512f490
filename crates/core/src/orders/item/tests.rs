use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::orders::events::published;
use crate::orders::fixtures::{
    address, after, customer, eur, lines, order, order_of, placed_at, product,
};
use crate::orders::rules;
use crate::orders::uses::{Counter, Earlier, Taker, Use, taken_with};
use crate::pricing::breakdown::{Cart, calculate};
use crate::pricing::cart::CartLine;
use crate::pricing::fixtures::{
    discount, line as pricing_line, method, percent, tax, tax_settings,
};
use crate::pricing::model::Benefit;
use crate::pricing::shipping::{Cost, DeliveryDays};
use crate::pricing::tax::Destination;
use crate::values::address::Address;
use crate::values::event::DomainEvent;

fn item(part: &PartItem) -> serde_dynamo::Item {
    serde_dynamo::to_item(part).unwrap()
}

/// Returns the size of an item as DynamoDB counts it: names and texts in bytes, numbers by their digits, 3 bytes for each
/// map or list and 1 for each of its entries.
fn size(item: &serde_dynamo::Item) -> usize {
    use serde_dynamo::AttributeValue as Value;
    fn of(value: &Value) -> usize {
        match value {
            Value::S(text) => text.len(),
            Value::N(digits) => digits.len().div_ceil(2) + 1,
            Value::L(entries) => 3 + entries.iter().map(|entry| 1 + of(entry)).sum::<usize>(),
            Value::M(entries) => {
                let sizes = entries
                    .iter()
                    .map(|(name, entry)| 1 + name.len() + of(entry));
                3 + sizes.sum::<usize>()
            }
            Value::B(_)
            | Value::Bool(_)
            | Value::Null(_)
            | Value::Ss(_)
            | Value::Ns(_)
            | Value::Bs(_) => panic!("{value:?}"),
        }
    }
    let item: &std::collections::HashMap<String, Value> = item.as_ref();
    item.iter()
        .map(|(name, value)| name.len() + of(value))
        .sum()
}

fn header(order: &Order) -> serde_dynamo::Item {
    item(&PartItem::Header(HeaderItem::from_order(order)))
}

fn lines_of(order: &Order) -> serde_dynamo::Item {
    item(&PartItem::Lines(LinesItem::from_order(order)))
}

fn failed(detail: &str) -> Order {
    let failure = Failure::new(FailureCode::PaymentDeclined, detail);
    rules::fail(order(), failure, after(1)).unwrap().unwrap()
}

#[test]
fn the_fullest_header_fits_in_one_write_unit() {
    let mut full = failed(&"茶".repeat(300));
    full.review = Some(Review::decided(ReviewState::Approved));
    full.total = eur("999999999999999.00");
    full.payment_status = PaymentStatus::PartiallyRefunded;
    full.payment_version = 99;
    full.cancelled_from = Some(Status::Confirmed);
    full.due_attempts = u32::MAX;
    full.run = u32::MAX;
    full.event.event_type = "OrderCancelled".to_owned();
    full.event.traceparent = Some("0".repeat(55));
    full.erase_at = Some(after(30 * 24 * 60 * 60));
    let size = size(&header(&full));
    assert!(size <= 1024, "{size} bytes");
}

#[test]
fn ordinary_lines_fit_in_few_write_units() {
    for (count, units) in [(1, 1), (5, 1), (10, 1), (50, 4)] {
        let order = order_of("ana", lines(count), placed_at());
        let size = size(&lines_of(&order));
        assert_eq!(size.div_ceil(1024), units, "{count} lines, {size} bytes");
    }
}

#[test]
fn an_order_comes_back_as_it_was_stored() {
    let mut stored = failed("no");
    stored.payment_version = 3;
    stored.cancelled_from = Some(Status::Confirmed);
    stored.shipping_address = Address {
        line2: Some("Stiege 2".to_owned()),
        region: Some("Wien".to_owned()),
        ..address()
    };
    let held = rules::review::require(order(), "odd", Duration::from_hours(72), after(1));
    let marked = |due_at| Order {
        erase_at: Some(after(60)),
        due_at,
        ..order()
    };
    let marked = [None, Some(after(9)), Some(after(60)), Some(after(90))].map(marked);
    let told = Order {
        number: None,
        details: Details {
            retryable: true,
            billing_address: Some(Address {
                company: Some("Teehaus GmbH".to_owned()),
                ..address()
            }),
            note: Some("beim Nachbarn".to_owned()),
            metadata: [("a".to_owned(), "b".to_owned())].into(),
        },
        ..order()
    };
    for stored in [order(), stored, told, held.unwrap().unwrap()]
        .into_iter()
        .chain(marked)
    {
        let PartItem::Header(header) = serde_dynamo::from_item(header(&stored)).unwrap() else {
            panic!("no header");
        };
        let PartItem::Lines(lines) = serde_dynamo::from_item(lines_of(&stored)).unwrap() else {
            panic!("no lines");
        };
        assert_eq!(header.into_order(lines).unwrap(), stored);
    }
}

#[test]
fn only_due_orders_are_in_the_index_of_due_orders() {
    let mut done = order();
    assert!(header(&done).contains_key("due_shard"));
    done.due_at = None;
    assert!(!header(&done).contains_key("due_shard"));
    assert!(!header(&done).contains_key("due_at"));
}

#[test]
fn an_order_whose_address_is_to_be_erased_is_due_by_then() {
    let due = |due_at, erase_at| {
        let order = Order {
            erase_at,
            due_at,
            ..order()
        };
        let due = header(&order).get("due_at").cloned();
        due.map(|due| serde_dynamo::from_attribute_value::<_, Time>(due).unwrap())
    };
    let (soon, late) = (Some(after(9)), Some(after(90)));
    assert_eq!(due(None, soon), soon);
    assert_eq!(due(soon, late), soon);
    assert_eq!(due(late, soon), soon);
    assert_eq!(due(late, None), late);
}

#[test]
fn an_item_of_an_earlier_version_can_still_be_read() {
    let id = order().id;
    let header = json!({
        "part": "header", "order_id": id, "customer_id": order().customer_id,
        "status": "pending", "payment_status": "pending", "total": "25.80", "currency": "EUR",
        "created_at": placed_at(), "updated_at": placed_at(), "deadline_at": after(900),
        "due_at": after(60), "due_shard": "3", "due_attempts": 0, "run": 0,
        "request_hash": "h", "version": 1, "revision": 1, "schema": 1,
        "event": {"id": order().event.id, "type": "OrderCreated", "version": 1, "at": placed_at()},
        "status_shard": "pending#3", "position": format!("{}#{id}", placed_at()),
    });
    let lines = json!({
        "part": "lines", "order_id": id, "schema": 1, "payment_token": "tok_ok",
        "lines": [{"p": product("sencha"), "n": "Sencha", "q": 2, "u": "12.90"}],
        "address": {"recipient": "A", "line1": "B", "city": "C", "postal_code": "D", "country": "AT"},
    });
    let part = |json| {
        let item: serde_dynamo::Item = serde_dynamo::to_item(json).unwrap();
        serde_dynamo::from_item(item).unwrap()
    };
    let (PartItem::Header(header), PartItem::Lines(lines)) = (part(header), part(lines)) else {
        panic!("the parts are mixed up");
    };
    let read = header.into_order(lines).unwrap();
    assert_eq!(read.lines[0].unit_price, eur("12.90"));
    assert_eq!(read.lines[0].variant_id, product("sencha").into());
    assert_eq!(read.lines[0].sku().as_str(), product("sencha").to_string());
    assert_eq!(read.payment_token.as_deref(), Some("tok_ok"));
}

#[test]
fn each_change_of_status_is_published_without_personal_data() {
    let confirmed = rules::confirm(
        order(),
        crate::orders::model::PaymentStatus::Completed,
        after(1),
    )
    .unwrap()
    .unwrap();
    let cancelled = rules::cancel(confirmed.clone(), after(2), None).unwrap();
    let mut events = String::new();
    for order in [&order(), &confirmed, &cancelled.unwrap(), &failed("no")] {
        let event = published(header(order)).unwrap().unwrap();
        assert_eq!(event.aggregate_id, order.id.to_string());
        assert_eq!(event.event_id, order.event.id);
        let DomainEvent {
            version,
            event_type,
            data,
            ..
        } = event;
        writeln!(events, "{version} {event_type} {data}").unwrap();
    }
    expect_test::expect![[r#"
        1 OrderCreated {"customer_id":"03cdfb5b-a899-50a7-84a6-6d865e0c058e","total_amount":{"amount":"51.60","currency":"EUR"}}
        2 OrderConfirmed {"customer_id":"03cdfb5b-a899-50a7-84a6-6d865e0c058e","total_amount":{"amount":"51.60","currency":"EUR"}}
        3 OrderCancelled {"customer_id":"03cdfb5b-a899-50a7-84a6-6d865e0c058e","previous_status":"confirmed"}
        2 OrderFailed {"customer_id":"03cdfb5b-a899-50a7-84a6-6d865e0c058e","failure":{"code":"payment_declined"}}
    "#]].assert_eq(&events);
}

#[test]
fn the_lines_of_an_order_have_no_event() {
    assert_eq!(published(lines_of(&order())).unwrap(), None);
    assert!(published(serde_dynamo::Item::default()).is_err());
}

/// An order of two lines with a discount, shipping and tax.
fn charged() -> Order {
    let mut parcel = method("parcel", Cost::Flat { price: eur("4.90") });
    parcel.delivery_days = Some(DeliveryDays { min: 2, max: 3 });
    let destination = Destination {
        country: "AT".to_owned(),
        region: None,
        postal_code: None,
        tax_number: None,
    };
    let settings = tax_settings(&[tax("AT", None, None, "0.20", true)]);
    let place = settings.place(&destination).unwrap();
    let bought = lines(2);
    let cart: Vec<CartLine> = bought
        .iter()
        .map(|line| CartLine {
            product_id: line.product_id,
            variant_id: line.variant_id,
            quantity: line.quantity,
            unit_price: line.unit_price,
            ..pricing_line("tea", 1, "1.00")
        })
        .collect();
    let cart = Cart {
        currency: "EUR".parse().unwrap(),
        lines: &cart,
        destination: &destination,
        shipping: Some(&parcel),
        taxes: &place,
    };
    let mut tenth = discount("tenth", percent("0.10"));
    tenth.code = Some("TENTH".parse().unwrap());
    tenth.terms.usage_limit = Some(5);
    let free = discount(
        "free",
        Benefit::FreeShipping {
            methods: Vec::new(),
            rate: None,
        },
    );
    let mut unlimited = tenth.clone();
    unlimited.terms.usage_limit = None;
    let breakdown = calculate(&cart, &[tenth.clone(), free]).unwrap().breakdown;
    Order {
        total: breakdown.check().unwrap().total,
        breakdown,
        uses: [
            taken_with(
                &tenth,
                Taker::Guest(&"ana@example.com".parse().unwrap()),
                Earlier::default(),
                0,
            ),
            taken_with(&unlimited, Taker::Unknown, Earlier::default(), 3),
            // A use of a customer without a limit, which orders had for a time.
            vec![Use {
                discount_id: unlimited.id,
                counter: Counter::Customer(customer("ana")),
                limit: None,
            }],
        ]
        .concat(),
        ..order_of("ana", bought, placed_at())
    }
}

#[test]
fn an_order_comes_back_with_its_discounts_its_shipping_and_its_tax() {
    let stored = charged();
    assert_eq!(stored.breakdown.discounts.len(), 2);
    let shipping = stored.breakdown.shipping.as_ref();
    assert!(shipping.is_some_and(|part| part.delivery_days.is_some()));
    let PartItem::Header(header) = serde_dynamo::from_item(header(&stored)).unwrap() else {
        panic!("no header");
    };
    let PartItem::Lines(lines) = serde_dynamo::from_item(lines_of(&stored)).unwrap() else {
        panic!("no lines");
    };
    assert_eq!(header.into_order(lines).unwrap(), stored);
}

#[test]
fn an_order_of_an_earlier_release_has_no_days_of_delivery() {
    let mut stored = charged();
    let shipping = stored.breakdown.shipping.as_mut().unwrap();
    shipping.delivery_days = None;
    let mut lines = serde_json::to_value(LinesItem::from_order(&stored)).unwrap();
    let shipping = &mut lines["charges"]["shipping"];
    // As it was stored: nothing but the method, the name, the price and what is charged on it.
    let names: Vec<&String> = shipping.as_object().unwrap().keys().collect();
    assert_eq!(names, ["c", "method", "name", "price"]);
    let lines: LinesItem = serde_json::from_value(lines).unwrap();
    let PartItem::Header(header) = serde_dynamo::from_item(header(&stored)).unwrap() else {
        panic!("no header");
    };
    assert_eq!(header.into_order(lines).unwrap(), stored);
}

#[test]
fn an_orders_charges_are_not_on_its_header() {
    let (plain, charged) = (order(), charged());
    let names = |order: &Order| {
        let mut names: Vec<String> = header(order).keys().cloned().collect();
        names.sort();
        names
    };
    assert_eq!(names(&charged), names(&plain));
    // Without discount, shipping, tax and variants, the lines have the shape from before there were any.
    assert!(!lines_of(&plain).contains_key("charges"));
    let lines: serde_json::Value = serde_dynamo::from_item(lines_of(&plain)).unwrap();
    let line = lines["lines"][0].as_object().unwrap();
    assert_eq!(line.keys().collect::<Vec<_>>(), ["n", "p", "q", "u"]);
}

#[test]
fn a_count_of_uses_is_not_a_part_of_an_order() {
    let count = json!({"order_id": "discount-uses#1", "part": "total", "uses": 3});
    let count: serde_dynamo::Item = serde_dynamo::to_item(count).unwrap();
    assert!(matches!(
        serde_dynamo::from_item(count.clone()),
        Ok(PartItem::Other)
    ));
    assert_eq!(published(count).unwrap(), None);
}
