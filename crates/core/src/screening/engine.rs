//! The rule engine: it evaluates all the rules that are registered with it and reports every verdict.

use serde::Serialize;

use super::model::Severity;

/// Why something does not pass a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// The reason for programs.
    pub code: String,
    /// The reason for people.
    pub message: String,
}

/// Why a rule could not be evaluated. A rule that cannot be evaluated is not passed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EvaluationError(pub String);

/// The result of a rule: passed, an objection, or the reason why it could not be evaluated.
pub type Judgement = Result<Result<(), Objection>, EvaluationError>;

/// The result of a rule, as it is reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The rule's name.
    pub rule: String,
    /// Whether it is passed.
    pub valid: bool,
    /// The reason for people; empty if it is passed.
    pub message: String,
    /// The reason for programs: `ok` if it is passed, `rule_broken` if the rule could not be evaluated.
    pub code: String,
    /// What happens to an order that does not pass.
    #[serde(skip)]
    pub severity: Severity,
}

impl Verdict {
    /// Returns the verdict of the rule `name` from its `judgement`.
    #[must_use]
    pub fn new(name: &str, severity: Severity, judgement: Judgement) -> Self {
        let (valid, code, message) = match judgement {
            Ok(Ok(())) => (true, "ok".to_owned(), String::new()),
            Ok(Err(objection)) => (false, objection.code, objection.message),
            Err(broken) => {
                let message = format!("the rule {name} could not be evaluated: {broken}");
                (false, "rule_broken".to_owned(), message)
            }
        };
        Self {
            rule: name.to_owned(),
            valid,
            message,
            code,
            severity,
        }
    }
}

type Judge<C> = Box<dyn Fn(&C) -> Judgement + Send + Sync>;

struct Registered<C> {
    name: String,
    severity: Severity,
    judge: Judge<C>,
}

/// Rules about values of type `C`, in the order of their registration.
pub struct Engine<C> {
    rules: Vec<Registered<C>>,
}

impl<C> Default for Engine<C> {
    fn default() -> Self {
        Self { rules: Vec::new() }
    }
}

impl<C> Engine<C> {
    /// Adds the rule `name`, or replaces the rule of this name in its place.
    pub fn register(
        &mut self,
        name: &str,
        severity: Severity,
        judge: impl Fn(&C) -> Judgement + Send + Sync + 'static,
    ) {
        let rule = Registered {
            name: name.to_owned(),
            severity,
            judge: Box::new(judge),
        };
        match self.rules.iter_mut().find(|rule| rule.name == name) {
            Some(registered) => *registered = rule,
            None => self.rules.push(rule),
        }
    }

    /// Returns the verdict of every rule on `case`.
    #[must_use]
    pub fn execute(&self, case: &C) -> Vec<Verdict> {
        let rules = self.rules.iter();
        rules
            .map(|rule| Verdict::new(&rule.name, rule.severity, (rule.judge)(case)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_rules_are_evaluated_in_order_and_all_verdicts_are_reported() {
        let objection = |message: &str| {
            Err(Objection {
                code: "odd".to_owned(),
                message: message.to_owned(),
            })
        };
        let mut engine: Engine<u32> = Engine::default();
        engine.register("small", Severity::Reject, move |number| {
            Ok(if *number < 10 {
                Ok(())
            } else {
                objection("too large")
            })
        });
        engine.register("broken", Severity::Review, |_| {
            Err(EvaluationError("no idea".to_owned()))
        });
        engine.register("even", Severity::Review, move |number| {
            Ok(if number % 2 == 0 {
                Ok(())
            } else {
                objection("odd")
            })
        });
        let reported = |number| {
            let verdicts = engine.execute(&number).into_iter();
            let reported =
                verdicts.map(|found| (found.rule, found.valid, found.code, found.message));
            reported.collect::<Vec<_>>()
        };
        let verdict = |rule: &str, valid, code: &str, message: &str| {
            (rule.to_owned(), valid, code.to_owned(), message.to_owned())
        };
        let broken = verdict(
            "broken",
            false,
            "rule_broken",
            "the rule broken could not be evaluated: no idea",
        );
        assert_eq!(
            reported(11),
            [
                verdict("small", false, "odd", "too large"),
                broken.clone(),
                verdict("even", false, "odd", "odd"),
            ]
        );
        assert_eq!(
            reported(2),
            [
                verdict("small", true, "ok", ""),
                broken,
                verdict("even", true, "ok", "")
            ]
        );
    }

    #[test]
    fn a_rule_of_the_same_name_takes_the_place_of_the_one_before() {
        let mut engine: Engine<()> = Engine::default();
        for (name, answer) in [("a", true), ("b", true), ("a", false)] {
            engine.register(name, Severity::Reject, move |()| {
                if answer {
                    Ok(Ok(()))
                } else {
                    Err(EvaluationError("replaced".to_owned()))
                }
            });
        }
        let found = engine.execute(&());
        let found: Vec<(&str, bool)> = found
            .iter()
            .map(|verdict| (verdict.rule.as_str(), verdict.valid))
            .collect();
        assert_eq!(found, [("a", false), ("b", true)]);
    }
}
