//! What asking twenty rules of ordinary size about an order of ten lines takes.
//!
//! `cargo bench --manifest-path benches/Cargo.toml`

use std::error::Error;
use std::hint::black_box;

use criterion::Criterion;
use oxcart_core::screening::cel::Expression;
use oxcart_core::screening::view::{
    CustomerView, Fact, Facts, LineView, OrderView, TotalsView, View,
};
use oxcart_core::values::id::{CustomerId, ProductId};
use oxcart_core::values::money::{Currency, Money};

const RULES: [&str; 20] = [
    r#"order.total >= money("10.00")"#,
    r#"order.total <= money("5000.00")"#,
    r#"order.country in ["AT", "DE", "CH", "FR", "IT"]"#,
    r#"!(order.country == "US" && has(order.region) && order.region in ["AK", "HI"])"#,
    r#"order.lines.all(line, line.quantity <= 20)"#,
    r#"order.lines.all(line, line.subtotal <= money("1000.00"))"#,
    r#"order.item_count <= 100"#,
    r#"size(order.lines) <= 40"#,
    r#"!order.lines.exists(line, has(line.category) && line.category == "gift-card" && line.quantity > 5)"#,
    r#"order.lines.filter(line, line.category == "tea").sum(line, line.subtotal) <= money("500.00")"#,
    r#"!customer.is_guest || order.total <= money("300.00")"#,
    r#"customer.is_guest || customer.orders_confirmed > 0 || order.total <= money("800.00")"#,
    r#"customer.is_guest || order.created_at - customer.registered_at > duration("24h") || order.total < money("200.00")"#,
    r#"!(order.created_at.getHours() < 5 && order.total > money("1000.00"))"#,
    r#"10 * totals.discount <= 5 * totals.subtotal"#,
    r#"!has(totals.shipping) || totals.shipping <= money("50.00")"#,
    r#"!order.postal_code.startsWith("99") || order.country != "DE""#,
    r#"order.lines.sum(line, line.quantity) == order.item_count"#,
    r#"customer.is_guest || "customer" in customer.roles"#,
    r#"order.lines.exists(line, line.unit_price > money("1.00")) && order.total > money("0")"#,
];

/// An order of ten lines that passes all of them.
fn view(euro: Currency) -> Result<View, Box<dyn Error>> {
    let unit_price = Money::parse("4.00", euro)?;
    let lines: Result<Vec<LineView>, Box<dyn Error>> = (1..=10)
        .map(|quantity: u32| {
            Ok(LineView {
                product_id: ProductId::derived(&[&quantity.to_string()]),
                category: Some("tea".to_owned()),
                quantity,
                unit_price,
                subtotal: unit_price.times(quantity)?,
                ordered_today: Fact::default(),
            })
        })
        .collect();
    Ok(View {
        order: OrderView {
            lines: lines?,
            country: Some("AT".to_owned()),
            region: None,
            postal_code: Some("1070".to_owned()),
            created_at: "2026-12-24T16:30:00Z".parse()?,
        },
        customer: CustomerView {
            id: Some(CustomerId::derived(&["ana"])),
            is_guest: false,
            roles: Some(vec!["customer".to_owned()]),
            registered_at: Some("2025-12-24T00:00:00Z".parse()?),
            orders_placed: Some(4),
            orders_confirmed: Some(3),
            ..CustomerView::default()
        },
        totals: TotalsView {
            subtotal: Money::parse("220.00", euro)?,
            discount: Some(Money::parse("2.00", euro)?),
            shipping: Some(Money::parse("4.90", euro)?),
            tax: Some(Money::zero(euro)),
            total: Money::parse("222.90", euro)?,
        },
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let euro: Currency = "EUR".parse()?;
    let view = view(euro)?;
    let rules: Result<Vec<Expression>, _> = RULES
        .iter()
        .map(|source| Expression::compile(source, euro))
        .collect();
    let rules = rules?;
    let facts = Facts::new(&view)?;
    for (source, rule) in RULES.iter().zip(&rules) {
        if rule.holds(&facts) != Ok(true) {
            return Err(format!("the order does not pass {source}").into());
        }
    }
    let mut criterion = Criterion::default().configure_from_args();
    criterion.bench_function("20 rules on 10 lines", |bench| {
        bench.iter(|| {
            let facts = Facts::new(black_box(&view));
            facts.map(|facts| {
                rules
                    .iter()
                    .filter(|rule| rule.holds(&facts) == Ok(true))
                    .count()
            })
        });
    });
    criterion.bench_function("compile 20 rules", |bench| {
        bench.iter(|| {
            let compiled = RULES
                .iter()
                .map(|source| Expression::compile(black_box(source), euro));
            compiled.filter(Result::is_ok).count()
        });
    });
    criterion.final_summary();
    Ok(())
}
