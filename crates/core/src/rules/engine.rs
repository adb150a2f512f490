//! The rule engine: rules registered by name, all asked, none hidden by another.

use serde::Serialize;

use super::model::Severity;

/// What speaks against something that a rule was asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// For programs.
    pub code: String,
    /// For people.
    pub message: String,
}

/// Why a rule cannot say anything. One that cannot is not passed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Broken(pub String);

/// What a rule says: nothing against it, or an objection, or that it broke.
pub type Judgement = Result<Result<(), Objection>, Broken>;

/// What a rule says, as it is reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The rule's name.
    pub rule: String,
    /// Whether it is passed.
    pub valid: bool,
    /// Why, for people; empty if it is passed.
    pub message: String,
    /// Why, for programs: `ok` if it is passed, `rule_broken` if the rule could not say.
    pub code: String,
    /// What follows if it is not passed.
    #[serde(skip)]
    pub severity: Severity,
}

impl Verdict {
    /// What the rule `name` says by `judgement`.
    #[must_use]
    pub fn of(name: &str, severity: Severity, judgement: Judgement) -> Self {
        let (valid, code, message) = match judgement {
            Ok(Ok(())) => (true, "ok".to_owned(), String::new()),
            Ok(Err(objection)) => (false, objection.code, objection.message),
            Err(broken) => {
                let message = format!("the rule {name} broke: {broken}");
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

/// Rules about cases `C`, in the order of their registration.
pub struct Engine<C> {
    rules: Vec<Registered<C>>,
}

impl<C> Default for Engine<C> {
    fn default() -> Self {
        Self { rules: Vec::new() }
    }
}

impl<C> Engine<C> {
    /// Adds the rule `name`. A rule that has the name already is replaced at its place.
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
        match self.rules.iter_mut().find(|known| known.name == name) {
            Some(known) => *known = rule,
            None => self.rules.push(rule),
        }
    }

    /// What every rule says of `case`.
    #[must_use]
    pub fn execute(&self, case: &C) -> Vec<Verdict> {
        let rules = self.rules.iter();
        rules
            .map(|rule| Verdict::of(&rule.name, rule.severity, (rule.judge)(case)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_rules_are_asked_in_their_order_and_none_hides_another() {
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
            Err(Broken("no idea".to_owned()))
        });
        engine.register("even", Severity::Review, move |number| {
            Ok(if number % 2 == 0 {
                Ok(())
            } else {
                objection("odd")
            })
        });
        let told = |number| {
            let verdicts = engine.execute(&number).into_iter();
            let told = verdicts.map(|found| (found.rule, found.valid, found.code, found.message));
            told.collect::<Vec<_>>()
        };
        let verdict = |rule: &str, valid, code: &str, message: &str| {
            (rule.to_owned(), valid, code.to_owned(), message.to_owned())
        };
        let broken = verdict(
            "broken",
            false,
            "rule_broken",
            "the rule broken broke: no idea",
        );
        assert_eq!(
            told(11),
            [
                verdict("small", false, "odd", "too large"),
                broken.clone(),
                verdict("even", false, "odd", "odd"),
            ]
        );
        assert_eq!(
            told(2),
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
                    Err(Broken("replaced".to_owned()))
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
