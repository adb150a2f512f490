//! Expressions: conditions that a shop writes in the Common Expression Language (CEL).
//!
//! The `cel` crate parses and evaluates. In between, the module `check` resolves every name, field,
//! function and type of an expression and computes its greatest cost. So an expression that compiles
//! does not stall its caller, and fails only for the reasons of an [`EvaluationError`].
//!
//! The language is described in `functions/screening/README.md`; why amounts are counted in the smallest
//! unit of the currency, and have a type of their own, in `docs/decisions/`.

use std::sync::{Arc, LazyLock};

use ::cel::common::types::CelBool;
use ::cel::parser::Parser;
use ::cel::{Context, Env, ExecutionError, IdedExpr, ParseErrors, Value};

use self::check::{Checker, Fault, Stage};
pub use self::check::{Needs, Today};
use super::view::Facts;
use crate::values::money::Currency;

mod check;

/// The most characters of an expression.
pub const SOURCE_CHARACTERS: usize = 2_000;

/// The most opening brackets of an expression. They are counted before parsing, because the parser's
/// stack grows with each.
const BRACKETS: usize = 100;

/// How deep the parser goes: each bracket and each branch of a condition is a level.
const PARSER_DEPTH: u16 = 24;

/// A compiled expression, which is true or false for an order.
#[derive(Clone, Debug)]
pub struct Expression {
    tree: IdedExpr,
    /// The currency of the amounts that it names, if it names any.
    currency: Option<Currency>,
    cost: u64,
    needs: Needs,
}

/// Why a text is not a valid expression, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {detail}")]
pub struct CompileError {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, for people.
    pub detail: String,
}

/// Why an expression cannot be evaluated for an order. Callers treat such a rule as not passed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// The expression reads something that this order, or its customer, does not have.
    #[error("the order has no {0}; check it with has(...) first")]
    Absent(String),
    /// The expression reads, or checks with `has(...)`, something that could not be determined for this
    /// order.
    #[error("{0} is not known: {1}")]
    Unknown(String, String),
    /// The expression reads a list beyond its end.
    #[error("the list has no element {0}")]
    NoElement(i64),
    /// A division by zero.
    #[error("a number is divided by zero")]
    DivisionByZero,
    /// A number beyond 64 bits.
    #[error("a number is too large")]
    Overflow,
    /// The order's amounts are in another currency than the expression's.
    #[error("the amounts are in another currency")]
    Currency,
    /// An error that the checks should have ruled out.
    #[error("the expression cannot be evaluated: {0}")]
    Other(String),
}

impl Expression {
    /// The most that an expression may cost, see [`Expression::cost`].
    pub const MAX_COST: u64 = check::MAX_COST;

    /// Compiles `source`, which is for orders in `currency` if it names amounts, and for all orders otherwise.
    ///
    /// # Errors
    /// [`CompileError`] if it is not a valid expression over an order, or might cost too much.
    pub fn compile(source: &str, currency: Currency) -> Result<Self, CompileError> {
        Self::compile_for(source, currency, Stage::Placed)
    }

    /// As [`Expression::compile`], for an expression that is evaluated while an order is priced: before
    /// its discounts, shipping and tax are known, and without reading the customer.
    ///
    /// # Errors
    /// [`CompileError`], also if it reads something that is not known then.
    pub fn compile_priced(source: &str, currency: Currency) -> Result<Self, CompileError> {
        Self::compile_for(source, currency, Stage::Priced)
    }

    /// As [`Expression::compile`], for an expression over a product instead of an order.
    ///
    /// # Errors
    /// [`CompileError`].
    pub fn compile_listed(source: &str, currency: Currency) -> Result<Self, CompileError> {
        Self::compile_for(source, currency, Stage::Listed)
    }

    fn compile_for(source: &str, currency: Currency, stage: Stage) -> Result<Self, CompileError> {
        check_size(source)?;
        let parser = Parser::new()
            .max_recursion_depth(PARSER_DEPTH)
            .error_recovery_limit(1);
        let parsed = parser.parse_with_source_info(source);
        let (mut tree, places) = parsed.map_err(|errors| syntax_error(source, &errors))?;
        let mut check = Checker::new(currency, stage);
        let checked = check.condition(&mut tree).map_err(|fault| {
            let Fault { id, detail } = fault;
            let start = places.offset_for(id).map_or(0, |(start, _)| start);
            at_offset(source, start.try_into().unwrap_or(usize::MAX), detail)
        })?;
        Ok(Self {
            tree,
            currency: check.names_amounts().then_some(currency),
            cost: checked.cost,
            needs: check.needs(),
        })
    }

    /// Returns whether the expression is true for `facts`.
    ///
    /// # Errors
    /// [`EvaluationError`] if it cannot be evaluated.
    pub fn holds(&self, facts: &Facts) -> Result<bool, EvaluationError> {
        if self
            .currency
            .is_some_and(|currency| currency != facts.currency())
        {
            return Err(EvaluationError::Currency);
        }
        let mut context = Context::with_env(Arc::clone(&FUNCTIONS));
        context.set_variable_resolver(facts);
        let value = Value::resolve_val(&self.tree, &context)?;
        let condition = value.downcast_ref::<CelBool>();
        let condition = condition.ok_or_else(|| EvaluationError::Other("no condition".to_owned()));
        condition.map(|condition| *condition.inner())
    }

    /// Returns the most nodes that are evaluated, for an order with as many lines as orders may have.
    #[must_use]
    pub fn cost(&self) -> u64 {
        self.cost
    }

    /// Returns what it reads beyond the order itself.
    #[must_use]
    pub fn needs(&self) -> Needs {
        self.needs
    }
}

/// The functions of the language, built once.
static FUNCTIONS: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// Refuses a source that is too large to be parsed.
fn check_size(source: &str) -> Result<(), CompileError> {
    if source.trim().is_empty() {
        return Err(at_offset(source, 0, "an expression is missing".to_owned()));
    }
    if let Some((offset, _)) = source.char_indices().nth(SOURCE_CHARACTERS) {
        let detail = format!("an expression has at most {SOURCE_CHARACTERS} characters");
        return Err(at_offset(source, offset, detail));
    }
    let mut brackets = source
        .char_indices()
        .filter(|(_, character)| matches!(character, '(' | '[' | '{'));
    if let Some((offset, _)) = brackets.nth(BRACKETS) {
        let detail = format!("an expression has at most {BRACKETS} opening brackets");
        return Err(at_offset(source, offset, detail));
    }
    Ok(())
}

/// Returns the error at the byte `offset`, as the parser counts.
fn at_offset(source: &str, offset: usize, detail: String) -> CompileError {
    let before = &source[..source.floor_char_boundary(offset)];
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    CompileError {
        line,
        column: before[start..].chars().count() + 1,
        detail,
    }
}

/// Returns the parser's first fault. It has a place, unless the parser gave up.
fn syntax_error(source: &str, errors: &ParseErrors) -> CompileError {
    let errors = errors.errors.iter();
    let mut errors = errors.filter(|error| error.pos.0 > 0 && !error.msg.contains("recovery"));
    let Some(error) = errors.next() else {
        return at_offset(source, 0, "nested too deeply".to_owned());
    };
    // The alternatives that follow are the parser's own names.
    let detail = error.msg.split(" expecting {").next().unwrap_or_default();
    let detail = if detail.contains("Recursion limit") {
        "nested too deeply"
    } else {
        detail
    };
    let place = |position: isize| usize::try_from(position).unwrap_or(1).max(1);
    let (line, column) = (place(error.pos.0), place(error.pos.1));
    let node = error.source_info.as_ref();
    let node = node.and_then(|places| places.offset_for(error.expr_id));
    if node.is_none() && error.msg.starts_with("Syntax error") {
        // The lexer's and the parser's own columns are counted in characters, all others in bytes.
        let detail = detail.to_owned();
        return CompileError {
            line,
            column,
            detail,
        };
    }
    let lines = source.split_inclusive('\n').take(line - 1);
    let in_line = || lines.map(str::len).sum::<usize>() + column - 1;
    let offset = node.and_then(|(start, _)| start.try_into().ok());
    at_offset(source, offset.unwrap_or_else(in_line), detail.to_owned())
}

impl From<ExecutionError> for EvaluationError {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "another crate's errors, most of which the checks rule out"
    )]
    fn from(error: ExecutionError) -> Self {
        match error {
            ExecutionError::NoSuchKey(field) => Self::Absent(field.as_ref().clone()),
            ExecutionError::FunctionError { function, message } => Self::Unknown(function, message),
            ExecutionError::IndexOutOfBounds(Value::Int(index)) => Self::NoElement(index),
            ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
                Self::DivisionByZero
            }
            ExecutionError::Overflow(..) => Self::Overflow,
            other => Self::Other(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
