//! Definitions: read and checked when the template is loaded, so that running one cannot meet what
//! it does not know.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::choice::Rule;
use super::fields::Fields;
use super::retry::{Catcher, Retrier, check_order};
use super::template::{Expression, Filter, Reference, ResultPath, Template};

/// A state machine, or a branch of one.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub(super) start_at: String,
    pub(super) states: BTreeMap<String, State>,
    pub(super) timeout: Option<Duration>,
}

/// A state.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Where it leads; `None` where the branch ends. A Choice has its own.
    pub(super) next: Option<String>,
    pub(super) input_path: Filter,
    pub(super) output_path: Filter,
    pub(super) parameters: Option<Template>,
    pub(super) result_selector: Option<Template>,
    pub(super) result_path: ResultPath,
    pub(super) retry: Vec<Retrier>,
    pub(super) catch: Vec<Catcher>,
}

/// What a state does.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Task(Task),
    Pass {
        result: Option<Value>,
    },
    Choice {
        rules: Vec<(Rule, String)>,
        default: Option<String>,
    },
    Wait(Wait),
    Succeed,
    Fail {
        error: Option<Text>,
        cause: Option<Text>,
    },
    Parallel {
        branches: Vec<Machine>,
    },
    Map(Box<Each>),
}

/// The work of a Task: a Lambda function.
#[derive(Clone, Debug)]
pub(super) struct Task {
    /// The function, by logical id.
    pub(super) function: String,
    pub(super) resource: String,
    /// Whether it is `arn:aws:states:::lambda:invoke`, whose input and result are wrapped.
    pub(super) wrapped: bool,
    pub(super) timeout: Option<Duration>,
}

/// How long a Wait waits.
#[derive(Clone, Debug)]
pub(super) enum Wait {
    Seconds(u64),
    SecondsPath(Reference),
    Timestamp(jiff::Timestamp),
    TimestampPath(Reference),
}

/// The work of a Map.
#[derive(Clone, Debug)]
pub(super) struct Each {
    pub(super) items: Filter,
    pub(super) selector: Option<Template>,
    /// At most so many at a time.
    pub(super) concurrency: usize,
    pub(super) processor: Machine,
}

/// An error or cause: given, or computed.
#[derive(Clone, Debug)]
pub(super) enum Text {
    Given(String),
    Computed(Expression),
}

/// How many items a Map works on at a time when it does not say ("about 40" in the guide).
const MAP_CONCURRENCY: usize = 40;

/// Finds a function by the text of a `Resource` or `FunctionName`.
pub(super) type FindFunction<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Machine {
    /// Reads a definition. Errors name the state.
    pub(super) fn parse(definition: &Value, find: FindFunction<'_>) -> Result<Self, String> {
        let mut fields = Fields::of(definition)?;
        let _: Option<String> = fields.maybe("Version")?;
        let timeout = seconds(&mut fields, "TimeoutSeconds")?;
        Self::parse_body(fields, timeout, find)
    }

    fn parse_branch(definition: &Value, find: FindFunction<'_>) -> Result<Self, String> {
        let mut fields = Fields::of(definition)?;
        if let Some(config) = fields.raw("ProcessorConfig") {
            let mut config = Fields::of(&config)?;
            if config.needed::<String>("Mode")? != "INLINE" {
                return Err("a distributed Map is not emulated".to_owned());
            }
            config.finish()?;
        }
        Self::parse_body(fields, None, find)
    }

    fn parse_body(
        mut fields: Fields,
        timeout: Option<Duration>,
        find: FindFunction<'_>,
    ) -> Result<Self, String> {
        comment_and_language(&mut fields)?;
        let start_at: String = fields.needed("StartAt")?;
        let states: BTreeMap<String, Value> = fields.needed("States")?;
        fields.finish()?;
        let states = states
            .iter()
            .map(|(name, state)| {
                let state = State::parse(name, state, find)
                    .map_err(|fault| format!("state {name}: {fault}"))?;
                Ok((name.clone(), state))
            })
            .collect::<Result<BTreeMap<_, _>, String>>()?;
        let machine = Self {
            start_at,
            states,
            timeout,
        };
        machine.check_ways()?;
        Ok(machine)
    }

    /// Every way must lead to a state, and every state must be on a way from the start.
    fn check_ways(&self) -> Result<(), String> {
        if !self.states.contains_key(&self.start_at) {
            return Err(format!("StartAt names no state: {}", self.start_at));
        }
        let mut reached = BTreeSet::from([self.start_at.as_str()]);
        let mut ahead = vec![self.start_at.as_str()];
        while let Some(state) = ahead.pop().and_then(|name| self.states.get(name)) {
            for next in state.ways() {
                if !self.states.contains_key(next) {
                    return Err(format!(
                        "state {}: leads to {next}, which is no state",
                        state.name
                    ));
                }
                if reached.insert(next) {
                    ahead.push(next);
                }
            }
        }
        match self
            .states
            .keys()
            .find(|name| !reached.contains(name.as_str()))
        {
            Some(unreachable) => Err(format!("state {unreachable}: nothing leads to it")),
            None => Ok(()),
        }
    }
}

impl State {
    fn parse(name: &str, value: &Value, find: FindFunction<'_>) -> Result<Self, String> {
        if name.chars().count() > 80 {
            return Err("a name has at most 80 characters".to_owned());
        }
        let mut fields = Fields::of(value)?;
        comment_and_language(&mut fields)?;
        let kind_name: String = fields.needed("Type")?;
        let takes = |kinds: &[&str]| kinds.contains(&kind_name.as_str());
        let mut state = Self {
            name: name.to_owned(),
            kind: Kind::Succeed,
            next: None,
            input_path: Filter::All,
            output_path: Filter::All,
            parameters: None,
            result_selector: None,
            result_path: ResultPath::Replace,
            retry: Vec::new(),
            catch: Vec::new(),
        };
        if takes(&["Task", "Pass", "Wait", "Parallel", "Map"]) {
            state.next = next(&mut fields)?;
        }
        if !takes(&["Fail"]) {
            state.input_path = Filter::parse(fields.raw("InputPath").as_ref())?;
            state.output_path = Filter::parse(fields.raw("OutputPath").as_ref())?;
        }
        if takes(&["Task", "Pass", "Parallel"]) {
            state.parameters = template(&mut fields, "Parameters")?;
        }
        if takes(&["Task", "Pass", "Parallel", "Map"]) {
            state.result_path = ResultPath::parse(fields.raw("ResultPath").as_ref())?;
        }
        if takes(&["Task", "Parallel", "Map"]) {
            state.result_selector = template(&mut fields, "ResultSelector")?;
            state.read_handlers(&mut fields)?;
        }
        state.kind = Kind::parse(&kind_name, &mut fields, state.parameters.as_ref(), find)?;
        fields.finish()?;
        Ok(state)
    }

    fn read_handlers(&mut self, fields: &mut Fields) -> Result<(), String> {
        let retry: Vec<Value> = fields.maybe("Retry")?.unwrap_or_default();
        let catch: Vec<Value> = fields.maybe("Catch")?.unwrap_or_default();
        self.retry = retry
            .iter()
            .map(Retrier::parse)
            .collect::<Result<_, _>>()
            .map_err(|fault| format!("Retry: {fault}"))?;
        self.catch = catch
            .iter()
            .map(Catcher::parse)
            .collect::<Result<_, _>>()
            .map_err(|fault| format!("Catch: {fault}"))?;
        check_order(self.retry.iter().map(|retrier| retrier.errors.as_slice()))?;
        check_order(self.catch.iter().map(|catcher| catcher.errors.as_slice()))
    }

    /// The states that may follow.
    fn ways(&self) -> Vec<&str> {
        let mut ways: Vec<&str> = self.next.iter().map(String::as_str).collect();
        ways.extend(self.catch.iter().map(|catcher| catcher.next.as_str()));
        if let Kind::Choice { rules, default } = &self.kind {
            ways.extend(rules.iter().map(|(_, next)| next.as_str()));
            ways.extend(default.as_deref());
        }
        ways
    }
}

impl Kind {
    /// The type's name, as history events spell it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Task(_) => "Task",
            Self::Pass { .. } => "Pass",
            Self::Choice { .. } => "Choice",
            Self::Wait(_) => "Wait",
            Self::Succeed => "Succeed",
            Self::Fail { .. } => "Fail",
            Self::Parallel { .. } => "Parallel",
            Self::Map(_) => "Map",
        }
    }

    fn parse(
        name: &str,
        fields: &mut Fields,
        parameters: Option<&Template>,
        find: FindFunction<'_>,
    ) -> Result<Self, String> {
        Ok(match name {
            "Task" => Self::Task(Task::parse(fields, parameters, find)?),
            "Pass" => Self::Pass {
                result: fields.raw("Result"),
            },
            "Choice" => Self::Choice {
                rules: fields
                    .needed::<Vec<Value>>("Choices")?
                    .iter()
                    .map(Rule::parse_choice)
                    .collect::<Result<_, _>>()?,
                default: fields.maybe("Default")?,
            },
            "Wait" => Self::Wait(Wait::parse(fields)?),
            "Succeed" => Self::Succeed,
            "Fail" => Self::Fail {
                error: text(fields, "Error")?,
                cause: text(fields, "Cause")?,
            },
            "Parallel" => {
                let branches: Vec<Value> = fields.needed("Branches")?;
                let branches = branches
                    .iter()
                    .map(|branch| Machine::parse_branch(branch, find));
                Self::Parallel {
                    branches: branches.collect::<Result<_, _>>()?,
                }
            }
            "Map" => Self::Map(Box::new(Each::parse(fields, find)?)),
            other => return Err(format!("the type {other} is not emulated")),
        })
    }
}

impl Task {
    fn parse(
        fields: &mut Fields,
        parameters: Option<&Template>,
        find: FindFunction<'_>,
    ) -> Result<Self, String> {
        let resource: String = fields.needed("Resource")?;
        let timeout = seconds(fields, "TimeoutSeconds")?;
        let wrapped = resource == "arn:aws:states:::lambda:invoke";
        if !wrapped {
            let function = find(&resource)
                .filter(|_| resource.starts_with("arn:"))
                .ok_or_else(|| {
                    format!(
                        "the resource {resource} is not emulated, or is no function of the template"
                    )
                })?;
            return Ok(Self {
                function,
                resource,
                wrapped,
                timeout,
            });
        }
        let Some(parameters @ Template::Object(given)) = parameters else {
            return Err("lambda:invoke needs Parameters".to_owned());
        };
        if let Some((other, _)) = given
            .iter()
            .find(|(name, _)| name != "FunctionName" && name != "Payload")
        {
            return Err(format!(
                "the parameter {other} of lambda:invoke is not emulated"
            ));
        }
        let Some(Template::Constant(Value::String(name))) = parameters.field("FunctionName") else {
            return Err("lambda:invoke needs a FunctionName that is not computed".to_owned());
        };
        let function =
            find(name).ok_or_else(|| format!("there is no function {name} in the template"))?;
        Ok(Self {
            function,
            resource,
            wrapped,
            timeout,
        })
    }
}

impl Wait {
    fn parse(fields: &mut Fields) -> Result<Self, String> {
        let mut found = Vec::new();
        if let Some(seconds) = fields.maybe("Seconds")? {
            found.push(Self::Seconds(seconds));
        }
        if let Some(path) = fields.maybe::<String>("SecondsPath")? {
            found.push(Self::SecondsPath(Reference::parse(&path)?));
        }
        if let Some(timestamp) = fields.maybe("Timestamp")? {
            found.push(Self::Timestamp(timestamp));
        }
        if let Some(path) = fields.maybe::<String>("TimestampPath")? {
            found.push(Self::TimestampPath(Reference::parse(&path)?));
        }
        match (found.pop(), found.is_empty()) {
            (Some(wait), true) => Ok(wait),
            _ => Err(
                "a Wait has exactly one of Seconds, SecondsPath, Timestamp, TimestampPath"
                    .to_owned(),
            ),
        }
    }
}

impl Each {
    fn parse(fields: &mut Fields, find: FindFunction<'_>) -> Result<Self, String> {
        // `Parameters` and `Iterator` are the older names.
        let selector = template(fields, "ItemSelector")?.or(template(fields, "Parameters")?);
        let processor = fields
            .raw("ItemProcessor")
            .or(fields.raw("Iterator"))
            .ok_or("ItemProcessor is missing")?;
        let concurrency = fields
            .maybe::<usize>("MaxConcurrency")?
            .filter(|most| *most > 0);
        Ok(Self {
            items: Filter::parse(fields.raw("ItemsPath").as_ref())?,
            selector,
            concurrency: concurrency.unwrap_or(MAP_CONCURRENCY),
            processor: Machine::parse_branch(&processor, find)?,
        })
    }
}

fn comment_and_language(fields: &mut Fields) -> Result<(), String> {
    let _: Option<String> = fields.maybe("Comment")?;
    match fields.maybe::<String>("QueryLanguage")?.as_deref() {
        None | Some("JSONPath") => Ok(()),
        Some(other) => Err(format!("the query language {other} is not emulated")),
    }
}

fn next(fields: &mut Fields) -> Result<Option<String>, String> {
    match (fields.maybe("Next")?, fields.maybe("End")?) {
        (Some(next), None | Some(false)) => Ok(Some(next)),
        (None, Some(true)) => Ok(None),
        _ => Err("has either Next or End".to_owned()),
    }
}

fn template(fields: &mut Fields, name: &str) -> Result<Option<Template>, String> {
    let parsed = fields
        .raw(name)
        .map(|value| Template::parse(&value))
        .transpose();
    parsed.map_err(|fault| format!("{name}: {fault}"))
}

fn seconds(fields: &mut Fields, name: &str) -> Result<Option<Duration>, String> {
    match fields.maybe(name)? {
        Some(0) => Err(format!("{name} must be at least 1")),
        seconds => Ok(seconds.map(Duration::from_secs)),
    }
}

fn text(fields: &mut Fields, name: &str) -> Result<Option<Text>, String> {
    let computed: Option<String> = fields.maybe(&format!("{name}Path"))?;
    match (fields.maybe(name)?, computed) {
        (Some(_), Some(_)) => Err(format!("has either {name} or {name}Path")),
        (Some(given), None) => Ok(Some(Text::Given(given))),
        (None, Some(path)) => Ok(Some(Text::Computed(Expression::parse(&path)?))),
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const FUNCTION: &str = "arn:aws:lambda:eu-central-1:000000000000:function:f";

    fn fault(definition: &Value) -> String {
        let find = |text: &str| (text == FUNCTION || text == "f").then(|| "F".to_owned());
        Machine::parse(definition, &find).unwrap_err()
    }

    fn one(state: Value) -> Value {
        json!({"StartAt": "A", "States": {"A": state}})
    }

    #[test]
    fn what_is_not_emulated_is_refused_with_the_states_name() {
        let cases = [
            (
                json!({"Type": "Task", "Resource": FUNCTION, "End": true, "HeartbeatSeconds": 3}),
                "HeartbeatSeconds",
            ),
            (
                json!({"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": true}),
                "sqs:sendMessage",
            ),
            (
                json!({"Type": "Task", "Resource": "arn:aws:lambda:x:y:function:g", "End": true}),
                "function:g",
            ),
            (
                json!({"Type": "Pass", "QueryLanguage": "JSONata", "End": true}),
                "JSONata",
            ),
            (json!({"Type": "Pass", "Assign": {}, "End": true}), "Assign"),
            (json!({"Type": "Activity", "End": true}), "Activity"),
            (json!({"Type": "Pass"}), "Next or End"),
            (json!({"Type": "Pass", "Next": "B"}), "leads to B"),
            (
                json!({"Type": "Pass", "End": true, "Parameters": {"a.$": "States.Hash($.a, 'MD5')"}}),
                "States.Hash",
            ),
            (json!({"Type": "Succeed", "Next": "A"}), "Next"),
            (
                json!({"Type": "Wait", "Seconds": 1, "SecondsPath": "$.a", "End": true}),
                "exactly one",
            ),
        ];
        for (state, named) in cases {
            let fault = fault(&one(state));
            assert!(
                fault.contains("state A") && fault.contains(named),
                "{fault}"
            );
        }
    }

    #[test]
    fn a_state_that_nothing_leads_to_is_refused() {
        let machine = json!({"StartAt": "A", "States": {
            "A": {"Type": "Succeed"}, "B": {"Type": "Succeed"},
        }});
        assert!(fault(&machine).contains("state B"));
        assert!(
            fault(&json!({"StartAt": "X", "States": {"A": {"Type": "Succeed"}}}))
                .contains("StartAt")
        );
    }

    #[test]
    fn a_fault_in_a_branch_names_the_branchs_state() {
        let branch = json!({"StartAt": "B", "States": {"B": {"Type": "Nonsense"}}});
        let fault = fault(&one(
            json!({"Type": "Parallel", "Branches": [branch], "End": true}),
        ));
        assert!(
            fault.contains("state A") && fault.contains("state B") && fault.contains("Nonsense"),
            "{fault}"
        );
    }

    #[test]
    fn the_invoke_integration_takes_a_function_and_a_payload() {
        let find = |text: &str| (text == "f").then(|| "F".to_owned());
        let task = |parameters: Value| {
            one(json!({
                "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": parameters, "End": true,
            }))
        };
        let machine =
            Machine::parse(&task(json!({"FunctionName": "f", "Payload.$": "$"})), &find).unwrap();
        assert!(
            matches!(&machine.states["A"].kind, Kind::Task(task) if task.function == "F" && task.wrapped)
        );
        assert!(fault(&task(json!({"FunctionName": "g"}))).contains('g'));
        assert!(fault(&task(json!({"FunctionName": "f", "Qualifier": "1"}))).contains("Qualifier"));
    }
}
