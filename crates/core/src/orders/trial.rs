//! `POST /rules/{rule_name}/test`: tries a rule, or a change of it, on an order.

use super::evidence::Evidence;
use super::store::OrderStore;
use crate::aws::Aws;
use crate::aws::settings::{Setting, SettingError};
use crate::http::body::{Body, Json, currency, time};
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::screening::api::{expression, rule_name};
use crate::screening::engine::{EvaluationError, Verdict};
use crate::screening::model::{Draft, RuleError, Severity};
use crate::screening::operator::Compiled;
use crate::screening::store::RuleStore;
use crate::screening::view::{CustomerView, Facts, LineView, OrderView, TotalsView, View};
use crate::values::clock::Time;
use crate::values::id::{OrderId, ProductId};
use crate::values::money::{Currency, Money};

/// What trying a rule needs.
#[derive(Clone, Debug)]
pub struct Trials {
    rules: RuleStore,
    orders: OrderStore,
    evidence: Evidence,
    currency: Currency,
}

impl Trials {
    /// Reads the settings.
    ///
    /// # Errors
    /// Returns [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            rules: RuleStore::new(aws)?,
            orders: OrderStore::new(aws)?,
            evidence: Evidence::new(aws)?,
            currency: aws.settings().read(Setting::ShopCurrency)?,
        })
    }
}

struct Trial {
    currency: Option<Currency>,
    expression: Option<String>,
    about: About,
}

enum About {
    Stored(OrderId),
    Sample(Box<View>),
}

/// `POST /rules/{rule_name}/test` `{order_id}` or `{order, customer, totals}`, with `{expression, currency}` to try others
/// than the rule's: returns `{rule, valid, message, code}` and changes nothing.
///
/// # Errors
/// Returns a problem for a caller who is not an admin and for bad input, and [`Problem::NotFound`] if there is no such
/// order, or no such rule and no expression.
pub async fn test_rule(trials: &Trials, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    let name = rule_name(&request)?;
    let stored = trials.rules.get(&name).await?;
    let own_currency = stored.as_ref().and_then(|rule| rule.draft.currency);
    let currencies = (own_currency, trials.currency);
    let trial = request.json(|body| trial(body, currencies, request.now))?;
    let unsaved = || Draft {
        expression: String::new(),
        currency: None,
        message: "the order does not pass".to_owned(),
        code: "not_passed".to_owned(),
        severity: Severity::Reject,
        enabled: true,
    };
    let mut draft = match (stored, &trial.expression) {
        (Some(rule), _) => rule.draft,
        (None, Some(_)) => unsaved(),
        (None, None) => return Err(RuleError::NotFound.into()),
    };
    if let Some(expression) = trial.expression {
        draft.expression = expression;
    }
    draft.currency = trial.currency;
    let rule = Compiled::new(name.as_str(), draft, trials.currency);
    let facts = match trial.about {
        About::Sample(view) => Facts::new(&view).map_err(EvaluationError::from),
        About::Stored(id) => {
            let order = trials.orders.get(id).await?;
            let order = order.ok_or(Problem::NotFound("order"))?;
            trials.evidence.gather(&order, rule.needs()).await?.1
        }
    };
    let judgement = facts.and_then(|facts| rule.judge(&facts));
    let severity = rule.draft.severity;
    Response::ok(&Verdict::new(name.as_str(), severity, judgement))
}

/// Reads a trial of a rule that has `own_currency`, if it has one; `currency` in the body replaces it. All amounts are in it,
/// or in `shop_currency`.
fn trial(
    body: &mut Body<'_>,
    (own_currency, shop_currency): (Option<Currency>, Currency),
    now: Time,
) -> Option<Trial> {
    let named = body.optional("currency", currency);
    let own_currency = named.flatten().or(own_currency);
    let currency = own_currency.unwrap_or(shop_currency);
    let expression = body.optional("expression", |json| expression(json, currency));
    let id = body.optional("order_id", |json| {
        json.parsed("this must be an order's identifier", str::parse::<OrderId>)
    });
    if matches!(id, Some(Some(_))) {
        // A stored order has all other facts itself.
        let about = About::Stored(id??);
        let expression = expression?;
        return Some(Trial {
            currency: own_currency,
            expression,
            about,
        });
    }
    let order = body.required("order", |json| order(json, currency, now));
    let customer = body.optional("customer", |json| customer(json, currency));
    let totals = body.optional("totals", |json| totals(json, currency));
    let (order, totals) = (order?, totals?.unwrap_or_default());
    let subtotal = Money::sum(currency, order.lines.iter().map(|line| line.subtotal)).ok()?;
    let view = View {
        order,
        customer: customer?.unwrap_or_default(),
        totals: TotalsView {
            subtotal,
            discount: totals.discount,
            shipping: totals.shipping,
            tax: totals.tax,
            total: totals.total.unwrap_or(subtotal),
        },
    };
    Some(Trial {
        currency: own_currency,
        expression: expression?,
        about: About::Sample(Box::new(view)),
    })
}

/// Reads an order as expressions see it, and derives what follows from its lines.
fn order(json: Json<'_>, currency: Currency, now: Time) -> Option<OrderView> {
    json.object(|order| {
        let lines = order.required("lines", |json| {
            json.list(1..=50, |line| self::line(line, currency))
        });
        let country = order.optional("country", |json| json.line(1..=2));
        let region = order.optional("region", |json| json.line(1..=100));
        let postal_code = order.optional("postal_code", |json| json.line(1..=20));
        let created_at = order.optional("created_at", time);
        Some(OrderView {
            lines: lines?,
            country: country?,
            region: region?,
            postal_code: postal_code?,
            created_at: created_at?.unwrap_or(now),
        })
    })
}

fn line(json: Json<'_>, currency: Currency) -> Option<LineView> {
    let place = json.clone();
    json.object(|line| {
        let product_id = line.optional("product_id", |json| {
            json.parsed("this must be a product's identifier", str::parse)
        });
        let variant_id = line.optional("variant_id", |json| {
            json.parsed("this must be a variant's identifier", str::parse)
        });
        let category = line.optional("category", |json| json.line(1..=100));
        let quantity = line.required("quantity", |json| json.integer(1..=999));
        let unit_price = line.required("unit_price", |json| json.money(currency));
        let ordered_today = line.optional("ordered_today", count);
        let (quantity, unit_price) = (quantity?, unit_price?);
        let Ok(subtotal) = unit_price.times(quantity) else {
            return place.fault("range", "this costs too much");
        };
        let product_id = product_id?.unwrap_or_else(|| ProductId::derived(&["sample"]));
        Some(LineView {
            product_id,
            variant_id: variant_id?.unwrap_or(product_id.into()),
            category: category?,
            quantity,
            unit_price,
            subtotal,
            ordered_today: ordered_today?.into(),
        })
    })
}

fn customer(json: Json<'_>, currency: Currency) -> Option<CustomerView> {
    json.object(|customer| {
        let id = customer.optional("id", |json| {
            json.parsed("this must be a customer's identifier", str::parse)
        });
        let is_guest = customer.optional("is_guest", |json: Json<'_>| json.boolean());
        let roles = customer.optional("roles", |json| json.list(0..=10, |json| json.line(1..=50)));
        let registered_at = customer.optional("registered_at", time);
        let orders_placed = customer.optional("orders_placed", count);
        let orders_confirmed = customer.optional("orders_confirmed", count);
        let orders_today = customer.optional("orders_today", count);
        let spent_today = customer.optional("spent_today", |json| json.money(currency));
        Some(CustomerView {
            id: id?,
            is_guest: is_guest?.unwrap_or(false),
            roles: roles?,
            registered_at: registered_at?,
            orders_placed: orders_placed?,
            orders_confirmed: orders_confirmed?,
            orders_today: orders_today?.into(),
            spent_today: spent_today?.into(),
        })
    })
}

#[derive(Default)]
struct Totals {
    discount: Option<Money>,
    shipping: Option<Money>,
    tax: Option<Money>,
    total: Option<Money>,
}

fn totals(json: Json<'_>, currency: Currency) -> Option<Totals> {
    json.object(|totals| {
        let money = |json: Json<'_>| json.money(currency);
        let discount = totals.optional("discount", money);
        let shipping = totals.optional("shipping", money);
        let tax = totals.optional("tax", money);
        let total = totals.optional("total", money);
        Some(Totals {
            discount: discount?,
            shipping: shipping?,
            tax: tax?,
            total: total?,
        })
    })
}

fn count(json: Json<'_>) -> Option<u32> {
    json.integer(0..=u32::MAX)
}

#[cfg(test)]
mod tests;
