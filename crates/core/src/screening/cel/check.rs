//! Checks an expression before it is evaluated: its names, fields and types, and its cost.
//!
//! Everything that is not listed here is refused, so a new feature of the parser or the evaluator stays
//! out until it is added here. Cost is counted in evaluated nodes: a loop over a list multiplies the cost
//! of its body by the list's length. As there are no lists of lists and no concatenated texts, no value
//! is larger than the order and the expression that it comes from.

use ::cel::IdedExpr;
use ::cel::common::ast::{CallExpr, ComprehensionExpr, Expr, ListExpr, LiteralValue, operators};

use crate::screening::types::{Element, Record, Type};
use crate::values::money::Currency;

mod calls;

/// The most that an expression may cost.
pub(super) const MAX_COST: u64 = 30_000;

/// How many levels an expression may have.
const DEPTH: u32 = 40;

/// What a loop costs for each element, in addition to its body.
const STEP: u64 = 4;

/// The name that the parser gives to the accumulator of a loop; no source can contain it.
const ACCUMULATOR: &str = "@result";

/// Where something is wrong, and what.
pub(super) struct Fault {
    /// The node of the expression.
    pub(super) id: u64,
    /// What is wrong, for people.
    pub(super) detail: String,
}

/// What an expression reads beyond the order itself, so that a caller reads no more than its rules
/// need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// `orders_placed` or `orders_confirmed` of the customer.
    pub history: bool,
    /// `registered_at` or `roles` of the customer.
    pub account: bool,
    /// `category` of a line.
    pub categories: bool,
    /// What the customer ordered earlier on the day.
    pub today: Today,
}

/// How much an expression reads of the customer's earlier orders of the day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Today {
    /// Nothing.
    #[default]
    Nothing,
    /// The orders and their totals: `orders_today` or `spent_today` of the customer.
    Orders,
    /// Their lines as well: `ordered_today` of a line.
    Lines,
}

impl Needs {
    /// Returns what either of the two needs.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            history: self.history || other.history,
            account: self.account || other.account,
            categories: self.categories || other.categories,
            today: self.today.max(other.today),
        }
    }
}

/// When an expression is evaluated, which decides what it can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// When an order is placed: it can read everything.
    Placed,
    /// While an order is priced, before its discounts, shipping and tax are computed.
    Priced,
    /// When a product is put into lists: it can read the product, and no order.
    Listed,
}

impl Stage {
    /// Returns what an expression can read by its name.
    fn records(self) -> &'static [Record] {
        match self {
            Self::Placed | Self::Priced => &[Record::Order, Record::Customer, Record::Totals],
            Self::Listed => &[Record::Product],
        }
    }
}

/// What the check found out about a part of an expression.
#[derive(Clone, Copy)]
pub(super) struct Checked {
    /// Its type.
    pub(super) kind: Type,
    /// Its greatest cost.
    pub(super) cost: u64,
}

/// Checks one expression.
pub(super) struct Checker {
    currency: Currency,
    stage: Stage,
    needs: Needs,
    /// Whether there is an amount among its literals.
    names_amounts: bool,
    depth: u32,
    /// The loop variables in scope, the outermost first.
    names: Vec<(String, Type)>,
}

impl Checker {
    pub(super) fn new(currency: Currency, stage: Stage) -> Self {
        Self {
            currency,
            stage,
            needs: Needs::default(),
            names_amounts: false,
            depth: 0,
            names: Vec::new(),
        }
    }

    pub(super) fn needs(&self) -> Needs {
        self.needs
    }

    pub(super) fn names_amounts(&self) -> bool {
        self.names_amounts
    }

    /// Checks that the whole expression is a condition and does not cost too much. Literals of amounts,
    /// times and durations are replaced by their numbers.
    pub(super) fn condition(&mut self, tree: &mut IdedExpr) -> Result<Checked, Fault> {
        let checked = self.part_of(tree, Type::BOOL, "an expression")?;
        if checked.cost > MAX_COST {
            let (cost, most) = (checked.cost, MAX_COST);
            let detail = format!(
                "this may take {cost} steps, more than {most}: a list within a list counts for each of its elements"
            );
            return fault(tree.id, detail);
        }
        Ok(checked)
    }

    fn part(&mut self, tree: &mut IdedExpr) -> Result<Checked, Fault> {
        if self.depth >= DEPTH {
            return fault(tree.id, format!("nested deeper than {DEPTH} levels"));
        }
        self.depth += 1;
        let checked = self.part_here(tree);
        self.depth -= 1;
        checked
    }

    fn part_here(&mut self, tree: &mut IdedExpr) -> Result<Checked, Fault> {
        let id = tree.id;
        let (kind, cost) = match &mut tree.expr {
            Expr::Literal(literal) => (literal_type(id, literal)?, 1),
            Expr::Ident(name) => (self.named(id, name)?, 1),
            Expr::Select(select) => {
                let operand = self.part(&mut select.operand)?;
                let field = self.field(id, operand.kind, &select.field)?;
                let kind = if select.test { Type::BOOL } else { field };
                (kind, operand.cost.saturating_add(1))
            }
            Expr::List(list) => self.list(id, list)?,
            Expr::Comprehension(pass) => self.pass(id, pass)?,
            Expr::Call(call) => match self.call(id, call)? {
                calls::Called::Kept(checked) => return Ok(checked),
                calls::Called::Replaced(expr, checked) => {
                    tree.expr = expr;
                    return Ok(checked);
                }
            },
            Expr::Map(_) | Expr::Struct(_) => {
                return fault(id, "maps are not supported".to_owned());
            }
            Expr::Unspecified => return fault(id, "something is missing here".to_owned()),
        };
        Ok(Checked { kind, cost })
    }

    /// Checks a part that must be of the type `wanted`.
    fn part_of(
        &mut self,
        tree: &mut IdedExpr,
        wanted: Type,
        whose: &str,
    ) -> Result<Checked, Fault> {
        let checked = self.part(tree)?;
        if checked.kind == wanted {
            return Ok(checked);
        }
        fault(
            tree.id,
            format!("{whose} must be {wanted}, but this is {}", checked.kind),
        )
    }

    fn named(&self, id: u64, name: &str) -> Result<Type, Fault> {
        let local = self.names.iter().rev().find(|(local, _)| local == name);
        let known = local.map(|(_, kind)| *kind);
        let records = self.stage.records();
        let record = || records.iter().find(|record| record.name() == name);
        let known = known.or_else(|| record().copied().map(Type::Record));
        known.map_or_else(
            || {
                let there = match self.stage {
                    Stage::Placed | Stage::Priced => "there are order, customer and totals",
                    Stage::Listed => "there is product",
                };
                fault(id, format!("there is no {name:?}; {there}"))
            },
            Ok,
        )
    }

    fn field(&mut self, id: u64, of: Type, name: &str) -> Result<Type, Fault> {
        let Type::Record(record) = of else {
            return fault(id, format!("{of} has no field {name:?}"));
        };
        let fields = record.fields();
        let Some((_, kind)) = fields.iter().find(|(known, _)| *known == name) else {
            let known: Vec<&str> = fields.iter().map(|(known, _)| *known).collect();
            let (record, known) = (record.name(), known.join(", "));
            let detail = format!("{record} has no field {name:?}; it has {known}");
            return fault(id, detail);
        };
        if self.stage == Stage::Priced && record.unpriced().contains(&name) {
            let record = record.name();
            let detail = format!("{record}.{name} is not known when an order is priced");
            return fault(id, detail);
        }
        match (record, name) {
            (Record::Customer, "orders_placed" | "orders_confirmed") => self.needs.history = true,
            (Record::Customer, "registered_at" | "roles") => self.needs.account = true,
            (Record::Line, "category") => self.needs.categories = true,
            (Record::Customer, "orders_today" | "spent_today") => self.needs_today(Today::Orders),
            (Record::Line, "ordered_today") => self.needs_today(Today::Lines),
            _ => {}
        }
        Ok(*kind)
    }

    fn needs_today(&mut self, today: Today) {
        self.needs.today = self.needs.today.max(today);
    }

    /// Checks a list literal: its elements are scalars of one type.
    fn list(&mut self, id: u64, list: &mut ListExpr) -> Result<(Type, u64), Fault> {
        let mut of = None;
        let mut cost = 1;
        for element in &mut list.elements {
            let checked = self.part(element)?;
            let Type::Scalar(scalar) = checked.kind else {
                let detail = format!("a list cannot hold {}", checked.kind);
                return fault(element.id, detail);
            };
            if of.is_some_and(|of| of != scalar) {
                let detail = "the elements of a list must be of one type".to_owned();
                return fault(element.id, detail);
            }
            of = Some(scalar);
            cost = checked.cost.saturating_add(cost);
        }
        let Some(of) = of else {
            return fault(id, "a list must not be empty".to_owned());
        };
        let length = u64::try_from(list.elements.len()).unwrap_or(u64::MAX);
        Ok((Type::List(Element::Scalar(of), length), cost))
    }

    /// Checks `all`, `exists`, `exists_one`, `map` or `filter`, which the parser has expanded to a loop.
    fn pass(&mut self, id: u64, pass: &mut ComprehensionExpr) -> Result<(Type, u64), Fault> {
        let (element, length, range) = self.range(&mut pass.iter_range)?;
        self.names.push((pass.iter_var.clone(), element.into()));
        let step = self.step(id, &mut pass.loop_step, length);
        self.names.pop();
        let (kind, cost) = step?;
        Ok((kind, repeated(range, length, cost)))
    }

    fn range(&mut self, range: &mut IdedExpr) -> Result<(Element, u64, u64), Fault> {
        let id = range.id;
        let checked = self.part(range)?;
        match checked.kind {
            Type::List(element, length) => Ok((element, length, checked.cost)),
            other @ (Type::Scalar(_) | Type::Record(_)) => {
                fault(id, format!("this must be a list, but it is {other}"))
            }
        }
    }

    /// Checks the body of a loop, which is recognised by the shape that the parser gives it.
    fn step(&mut self, id: u64, step: &mut IdedExpr, length: u64) -> Result<(Type, u64), Fault> {
        let unknown = || Fault {
            id,
            detail: "this cannot be done with a list".to_owned(),
        };
        let Expr::Call(CallExpr {
            func_name, args, ..
        }) = &mut step.expr
        else {
            return Err(unknown());
        };
        match (func_name.as_str(), args.as_mut_slice()) {
            // `all` and `exists`: the accumulator and the condition.
            (operators::LOGICAL_AND | operators::LOGICAL_OR, [accumulator, condition])
                if is_accumulator(accumulator) =>
            {
                let checked = self.part_of(condition, Type::BOOL, "a condition")?;
                Ok((Type::BOOL, checked.cost))
            }
            // `map`: the accumulator and a list of one element.
            (operators::ADD, [accumulator, one]) if is_accumulator(accumulator) => {
                self.appended(one, length).ok_or_else(unknown)?
            }
            // `filter`, `map` with a condition and `exists_one`: a condition and its two branches.
            (operators::CONDITIONAL, [condition, more, accumulator])
                if is_accumulator(accumulator) =>
            {
                let condition = self.part_of(condition, Type::BOOL, "a condition")?;
                let Expr::Call(CallExpr {
                    func_name, args, ..
                }) = &mut more.expr
                else {
                    return Err(unknown());
                };
                match (func_name.as_str(), args.as_mut_slice()) {
                    (operators::ADD, [accumulator, one]) if is_accumulator(accumulator) => {
                        if matches!(one.expr, Expr::Literal(LiteralValue::Int(_))) {
                            return Ok((Type::BOOL, condition.cost.saturating_add(2)));
                        }
                        let (kind, cost) = self.appended(one, length).ok_or_else(unknown)??;
                        Ok((kind, condition.cost.saturating_add(cost)))
                    }
                    _ => Err(unknown()),
                }
            }
            _ => Err(unknown()),
        }
    }

    /// Returns the list that a loop builds from `one`, a list of one element.
    fn appended(&mut self, one: &mut IdedExpr, length: u64) -> Option<Result<(Type, u64), Fault>> {
        let Expr::List(list) = &mut one.expr else {
            return None;
        };
        let [element] = list.elements.as_mut_slice() else {
            return None;
        };
        let appended = self.part(element).and_then(|checked| {
            let of = match checked.kind {
                Type::Scalar(scalar) => Element::Scalar(scalar),
                Type::Record(record) => Element::Record(record),
                Type::List(..) => {
                    return fault(element.id, "a list cannot hold a list".to_owned());
                }
            };
            Ok((Type::List(of, length), checked.cost.saturating_add(1)))
        });
        Some(appended)
    }
}

fn fault<T>(id: u64, detail: String) -> Result<T, Fault> {
    Err(Fault { id, detail })
}

/// Returns the sum of `costs`. Costs never wrap around: of what costs too much it does not matter how much.
fn sum<const N: usize>(costs: [u64; N]) -> u64 {
    costs.into_iter().fold(0, u64::saturating_add)
}

/// Returns the cost of a loop over a list of `length` elements.
fn repeated(range: u64, length: u64, each: u64) -> u64 {
    range.saturating_add(length.saturating_mul(each.saturating_add(STEP)))
}

fn is_accumulator(tree: &IdedExpr) -> bool {
    matches!(&tree.expr, Expr::Ident(name) if name == ACCUMULATOR)
}

fn literal_type(id: u64, literal: &LiteralValue) -> Result<Type, Fault> {
    let detail = match literal {
        LiteralValue::Boolean(_) => return Ok(Type::BOOL),
        LiteralValue::Int(_) => return Ok(Type::INT),
        LiteralValue::String(_) => return Ok(Type::TEXT),
        LiteralValue::Double(_) => {
            "numbers with a decimal point are not exact; write an amount as money(\"0.10\"), and compare with a fraction by multiplying the other side: 10 * totals.discount > totals.subtotal"
        }
        LiteralValue::UInt(_) => "write the number without u",
        LiteralValue::Bytes(_) => "bytes are not supported, only texts",
        LiteralValue::Null => "null is not supported; check with has(...) whether a field is there",
    };
    fault(id, detail.to_owned())
}
