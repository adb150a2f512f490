//! Operators and functions: their arguments, results and costs.

use ::cel::IdedExpr;
use ::cel::common::ast::{CallExpr, ComprehensionExpr, Expr, LiteralValue, operators};

use super::{ACCUMULATOR, Checked, Checker, Fault, fault, repeated, sum};
use crate::screening::types::{Element, Scalar, Type};
use crate::screening::view::minor_units;
use crate::values::clock::Time;
use crate::values::money::Money;

/// The cost of searching or comparing a text.
const TEXT: u64 = 10;

/// A checked call.
pub(super) enum Called {
    /// The call stays as it is.
    Kept(Checked),
    /// Another expression is evaluated in its place.
    Replaced(Expr, Checked),
}

impl Checker {
    pub(super) fn call(&mut self, id: u64, call: &mut CallExpr) -> Result<Called, Fault> {
        let CallExpr {
            func_name,
            target,
            args,
        } = call;
        let name = func_name.as_str();
        match (name, target.as_deref_mut(), args.as_mut_slice()) {
            ("money" | "timestamp" | "duration", None, [text]) => self.constant(name, text),
            ("sum", Some(list), [element, each]) => self.sum(id, list, element, each),
            ("getHours" | "getDayOfWeek", Some(time), []) => self.calendar(id, name, time),
            ("startsWith" | "endsWith" | "contains", Some(text), [part]) => {
                let text = self.part_of(text, Type::TEXT, "the searched text")?;
                let part = self.part_of(part, Type::TEXT, "the text to search for")?;
                Ok(kept(Type::BOOL, sum([text.cost, part.cost, TEXT])))
            }
            ("size", Some(of), []) | ("size", None, [of]) => {
                let of_id = of.id;
                let checked = self.part(of)?;
                match checked.kind {
                    Type::Scalar(Scalar::Text) => {
                        Ok(kept(Type::INT, checked.cost.saturating_add(TEXT)))
                    }
                    Type::List(..) => Ok(kept(Type::INT, checked.cost.saturating_add(1))),
                    other @ (Type::Scalar(_) | Type::Record(_)) => {
                        fault(of_id, format!("size() takes a text or a list, not {other}"))
                    }
                }
            }
            (operators::CONDITIONAL, None, [condition, then, otherwise]) => {
                let condition = self.part_of(condition, Type::BOOL, "a condition")?;
                let then = self.part(then)?;
                let other_id = otherwise.id;
                let otherwise = self.part(otherwise)?;
                let Some(kind) = either(then.kind, otherwise.kind) else {
                    let detail =
                        format!("one branch is {}, the other {}", then.kind, otherwise.kind);
                    return fault(other_id, detail);
                };
                // Only one branch is evaluated, but both count.
                Ok(kept(
                    kind,
                    sum([condition.cost, then.cost, otherwise.cost, 1]),
                ))
            }
            (operator, None, [operand]) if is_operator(operator) => {
                self.unary(id, operator, operand)
            }
            (operator, None, [left, right]) if is_operator(operator) => {
                self.binary(id, operator, left, right)
            }
            ("matches", ..) => fault(
                id,
                "regular expressions are not supported; use startsWith, endsWith or contains"
                    .to_owned(),
            ),
            _ if is_operator(name) => fault(id, "this operator is not supported".to_owned()),
            _ => fault(id, no_function(name)),
        }
    }

    fn unary(&mut self, id: u64, operator: &str, operand: &mut IdedExpr) -> Result<Called, Fault> {
        let checked = self.part(operand)?;
        match (operator, checked.kind) {
            (operators::LOGICAL_NOT, Type::Scalar(Scalar::Bool))
            | (operators::NEGATE, Type::Scalar(Scalar::Int | Scalar::Money | Scalar::Span)) => {
                Ok(kept(checked.kind, checked.cost.saturating_add(1)))
            }
            (operators::LOGICAL_NOT, other) => fault(id, format!("! cannot be applied to {other}")),
            (operators::NEGATE, other) => fault(id, format!("- cannot be applied to {other}")),
            _ => fault(id, "this operator is not supported".to_owned()),
        }
    }

    fn binary(
        &mut self,
        id: u64,
        operator: &str,
        left: &mut IdedExpr,
        right: &mut IdedExpr,
    ) -> Result<Called, Fault> {
        let zero =
            matches!(&right.expr, Expr::Literal(LiteralValue::Int(number)) if *number.inner() == 0);
        if zero && matches!(operator, operators::DIVIDE | operators::MODULO) {
            return fault(id, "this divides by zero".to_owned());
        }
        let (left, right) = (self.part(left)?, self.part(right)?);
        let cost = left.cost.saturating_add(right.cost);
        let Some(kind) = combined(operator, left.kind, right.kind) else {
            return fault(id, not_combined(operator, left.kind, right.kind));
        };
        let own = match (operator, right.kind) {
            (operators::IN, Type::List(_, length)) => length,
            (_, Type::Scalar(Scalar::Text)) => TEXT,
            _ => 1,
        };
        Ok(kept(kind, cost.saturating_add(own)))
    }

    /// `money("19.99")`, `timestamp("2026-12-24T00:00:00Z")` and `duration("24h")`: they take a text
    /// literal, so they are replaced by numbers before anything is evaluated.
    fn constant(&mut self, name: &str, text: &mut IdedExpr) -> Result<Called, Fault> {
        let id = text.id;
        let Expr::Literal(LiteralValue::String(text)) = &text.expr else {
            return fault(
                id,
                format!("{name}() takes a text literal, as in {}", example(name)),
            );
        };
        let (kind, number) = match name {
            "money" => {
                let amount = Money::parse(text, self.currency);
                let number = amount.map_err(|error| Fault {
                    id,
                    detail: error.to_string(),
                })?;
                self.names_amounts = true;
                (Type::MONEY, minor_units(number))
            }
            "timestamp" => {
                let time: Option<Time> = text.parse().ok();
                (Type::TIME, time.map(Time::as_millis))
            }
            _ => (Type::SPAN, milliseconds(text)),
        };
        let Some(number) = number else {
            return fault(id, format!("write it as in {}", example(name)));
        };
        let literal = Expr::Literal(LiteralValue::Int(number.into()));
        Ok(Called::Replaced(literal, Checked { kind, cost: 1 }))
    }

    /// `order.lines.sum(line, line.quantity)`: the sum over the elements.
    fn sum(
        &mut self,
        id: u64,
        list: &mut IdedExpr,
        element: &mut IdedExpr,
        each: &mut IdedExpr,
    ) -> Result<Called, Fault> {
        let Expr::Ident(name) = &element.expr else {
            return fault(element.id, "a name for the element is missing".to_owned());
        };
        let (of, length, range) = self.range(list)?;
        self.names.push((name.clone(), of.into()));
        let checked = self.part(each);
        self.names.pop();
        let checked = checked?;
        if !matches!(
            checked.kind,
            Type::Scalar(Scalar::Int | Scalar::Money | Scalar::Span)
        ) {
            let detail = format!("cannot sum {}", checked.kind);
            return fault(each.id, detail);
        }
        let node = |expr| IdedExpr { id, expr };
        let accumulator = || node(Expr::Ident(ACCUMULATOR.to_owned()));
        let step = CallExpr {
            func_name: operators::ADD.to_owned(),
            target: None,
            args: vec![accumulator(), std::mem::take(each)],
        };
        let pass = ComprehensionExpr {
            iter_range: std::mem::take(list),
            iter_var: name.clone(),
            iter_var2: None,
            accu_var: ACCUMULATOR.to_owned(),
            accu_init: node(Expr::Literal(LiteralValue::Int(0.into()))),
            loop_cond: node(Expr::Literal(LiteralValue::Boolean(true.into()))),
            loop_step: node(Expr::Call(step)),
            result: accumulator(),
        };
        let cost = repeated(range, length, checked.cost.saturating_add(1));
        let checked = Checked {
            kind: checked.kind,
            cost,
        };
        Ok(Called::Replaced(
            Expr::Comprehension(Box::new(pass)),
            checked,
        ))
    }

    /// The hour of a time in UTC, 0 to 23, or its day of the week, 0 for Sunday. Both are computed from
    /// the milliseconds since 1970, which are never negative for an order or an account.
    fn calendar(&mut self, id: u64, name: &str, time: &mut IdedExpr) -> Result<Called, Fault> {
        let checked = self.part_of(time, Type::TIME, "the time")?;
        let number = |number: i64| IdedExpr {
            id,
            expr: Expr::Literal(LiteralValue::Int(number.into())),
        };
        let with = |operator: &str, left, right| IdedExpr {
            id,
            expr: Expr::Call(CallExpr {
                func_name: operator.to_owned(),
                target: None,
                args: vec![left, right],
            }),
        };
        let time = std::mem::take(time);
        let computed = if name == "getHours" {
            let of_day = with(operators::MODULO, time, number(DAY));
            with(operators::DIVIDE, of_day, number(HOUR))
        } else {
            // The first day of 1970 was a Thursday, the fourth after a Sunday.
            let days = with(operators::DIVIDE, time, number(DAY));
            let days = with(operators::ADD, days, number(4));
            with(operators::MODULO, days, number(7))
        };
        let checked = Checked {
            kind: Type::INT,
            cost: checked.cost.saturating_add(6),
        };
        Ok(Called::Replaced(computed.expr, checked))
    }
}

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn kept(kind: Type, cost: u64) -> Called {
    Called::Kept(Checked { kind, cost })
}

/// Returns whether `name` is the parser's name of an operator; no source can contain such a name.
fn is_operator(name: &str) -> bool {
    name.starts_with(['_', '@', '!', '-'])
}

fn no_function(name: &str) -> String {
    format!(
        "there is no function {name}(); the functions are money, timestamp, duration, has, size, startsWith, endsWith, contains, getHours, getDayOfWeek, and for lists all, exists, exists_one, filter, map and sum"
    )
}

/// Returns the common type of two branches, or `None` if they have none.
fn either(left: Type, right: Type) -> Option<Type> {
    match (left, right) {
        (Type::List(of, length), Type::List(other, more)) if of == other => {
            Some(Type::List(of, length.max(more)))
        }
        (left, right) => (left == right).then_some(left),
    }
}

/// Returns the type of an operator's result, or `None` if it cannot be applied to these types.
fn combined(operator: &str, left: Type, right: Type) -> Option<Type> {
    use Scalar::{Bool, Int, Money, Span, Time};
    let (left, right) = match (operator, left, right) {
        (operators::IN, Type::Scalar(value), Type::List(Element::Scalar(of), _)) => {
            return (value == of).then_some(Type::BOOL);
        }
        (operators::INDEX, Type::List(of, _), Type::Scalar(Int)) => return Some(of.into()),
        (_, Type::Scalar(left), Type::Scalar(right)) => (left, right),
        _ => return None,
    };
    let made = match (operator, left, right) {
        (operators::LOGICAL_AND | operators::LOGICAL_OR, Bool, Bool) => Bool,
        (operators::EQUALS | operators::NOT_EQUALS, left, right) if left == right => Bool,
        (
            operators::LESS
            | operators::LESS_EQUALS
            | operators::GREATER
            | operators::GREATER_EQUALS,
            left,
            right,
        ) if left == right && left != Bool => Bool,
        (operators::ADD | operators::SUBSTRACT, Int | Money | Span, right) if left == right => left,
        (operators::ADD | operators::SUBSTRACT, Time, Span) | (operators::ADD, Span, Time) => Time,
        (operators::SUBSTRACT, Time, Time) => Span,
        (operators::MULTIPLY, Int, Int | Money | Span) => right,
        (operators::MULTIPLY, Money | Span, Int) => left,
        (operators::DIVIDE | operators::MODULO, Int, Int) => Int,
        _ => return None,
    };
    Some(Type::Scalar(made))
}

fn not_combined(operator: &str, left: Type, right: Type) -> String {
    let sign = operator.trim_matches(['_', '@']);
    let amount = left == Type::MONEY || right == Type::MONEY;
    let hint = match operator {
        operators::DIVIDE | operators::MODULO if amount => {
            "; an amount cannot be divided: multiply the other side, as in 10 * totals.discount > totals.subtotal"
        }
        _ if amount => "; an amount is written as money(\"10.00\")",
        _ => "",
    };
    format!("{sign} cannot be applied to {left} and {right}{hint}")
}

fn example(name: &str) -> &'static str {
    match name {
        "money" => "money(\"19.99\")",
        "timestamp" => "timestamp(\"2026-12-24T00:00:00Z\")",
        _ => "duration(\"24h\") or duration(\"1h30m\")",
    }
}

/// Parses hours, minutes and seconds, each a whole number, in this order: `24h`, `1h30m`, `90s`.
fn milliseconds(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut sum: i64 = 0;
    for (unit, length) in [('h', HOUR), ('m', MINUTE), ('s', SECOND)] {
        let Some((number, after)) = rest.split_once(unit) else {
            continue;
        };
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number: i64 = number.parse().ok()?;
        sum = sum.checked_add(number.checked_mul(length)?)?;
        rest = after;
    }
    (rest.is_empty() && !text.is_empty()).then_some(sum)
}
