//! Definitions: read and checked when the template is loaded, so that running one cannot meet what
//! it does not know.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::fields::Fields;
use super::machine::{Kind, Machine, State};
use super::retry::{Catcher, Retrier, check_order};
use super::template::{Filter, ResultPath, Template};

use kinds::FindFunction;

mod kinds;
#[cfg(test)]
mod tests;

impl Machine {
    /// Reads a definition. Errors name the state.
    pub(super) fn parse(definition: &Value, find: FindFunction<'_>) -> Result<Self, String> {
        let mut fields = Fields::new(definition)?;
        let _: Option<String> = fields.maybe("Version")?;
        let timeout = fields.seconds("TimeoutSeconds")?;
        Self::parse_body(fields, timeout, find)
    }

    fn parse_branch(definition: &Value, find: FindFunction<'_>) -> Result<Self, String> {
        let mut fields = Fields::new(definition)?;
        if let Some(config) = fields.raw("ProcessorConfig") {
            let mut config = Fields::new(&config)?;
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
                        "state {}: leads to {next}, which is not a state",
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
        let mut fields = Fields::new(value)?;
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
            state.parameters = Template::maybe(&mut fields, "Parameters")?;
        }
        if takes(&["Task", "Pass", "Parallel", "Map"]) {
            state.result_path = ResultPath::parse(fields.raw("ResultPath").as_ref())?;
        }
        if takes(&["Task", "Parallel", "Map"]) {
            state.result_selector = Template::maybe(&mut fields, "ResultSelector")?;
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
