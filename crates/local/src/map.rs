//! The services of a stack and how they hang together, as policies, rules, queues and streams say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::arn::{Arns, Resource};
use crate::model::{Permission, Source, Stack, TargetKind};

/// Actions that change a table's items.
const WRITES: [&str; 4] = ["BatchWriteItem", "DeleteItem", "PutItem", "UpdateItem"];

/// Actions that read a table while somebody waits; streams are read behind everybody's back.
const READS: [&str; 5] = [
    "BatchGetItem",
    "ConditionCheckItem",
    "GetItem",
    "Query",
    "Scan",
];

/// Who depends on whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceMap {
    /// All services.
    pub services: BTreeSet<String>,
    /// The services that write each table (logical id). More than one is a fault.
    pub writers: BTreeMap<String, BTreeSet<String>>,
    /// For each service those whose tables it reads while a client waits, or by itself: in functions of routes, and in
    /// consumers and scheduled functions.
    pub reads: BTreeMap<String, BTreeSet<String>>,
    /// For each service those whose tables it reads in functions that only a state machine invokes. The workflow depends
    /// on both services then; the service by itself depends on neither.
    pub step_reads: BTreeMap<String, BTreeSet<String>>,
    /// From whom to whom (services, state machines) something goes asynchronously: types of
    /// events, queues, streams.
    pub tells: BTreeMap<(String, String), BTreeSet<String>>,
    /// For each state machine (logical id) the services whose functions are its tasks.
    pub calls: BTreeMap<String, BTreeSet<String>>,
    /// For each state machine the services that start it.
    pub starts: BTreeMap<String, BTreeSet<String>>,
}

/// What the map is made of.
struct MapBuilder<'a> {
    stack: &'a Stack,
    arns: &'a Arns,
    /// The service of each function, by logical id.
    service_of: BTreeMap<&'a str, &'a str>,
    /// The functions that only state machines invoke, by logical id.
    steps: BTreeSet<&'a str>,
    map: ServiceMap,
}

impl ServiceMap {
    /// The map of `stack`, where `services` names the service of each binary. A binary without one
    /// is left out.
    #[must_use]
    pub fn new(stack: &Stack, arns: &Arns, services: &BTreeMap<String, String>) -> Self {
        let functions = stack.functions.iter();
        let service_of = functions
            .filter_map(|(id, f)| Some((id.as_str(), services.get(&f.binary)?.as_str())))
            .collect();
        let map = Self {
            services: services.values().cloned().collect(),
            ..Self::default()
        };
        let mut builder = MapBuilder {
            stack,
            arns,
            service_of,
            steps: steps(stack, arns),
            map,
        };
        builder.writers();
        builder.policies();
        builder.rules();
        builder.streams();
        builder.tasks();
        builder.map
    }

    /// The map as a Mermaid flowchart: what is read in whole lines, what is told in dotted ones, the
    /// workflow and what its steps read in thick ones. Each service says how many it reads, and how many read it,
    /// apart from steps.
    #[must_use]
    pub fn mermaid(&self) -> String {
        let mut lines = vec!["flowchart LR".to_owned()];
        for service in &self.services {
            let reads = self.reads.get(service).map_or(0, BTreeSet::len);
            let read_by = self.reads.values().filter(|read| read.contains(service));
            let read_by = read_by.count();
            lines.push(format!(
                "  {service}[\"{service}<br/>reads {reads}, read by {read_by}\"]"
            ));
        }
        let machines: BTreeSet<&String> = self.calls.keys().chain(self.starts.keys()).collect();
        lines.extend(machines.iter().map(|id| format!("  {id}{{{{{id}}}}}")));
        for (from, to) in edges(&self.reads) {
            lines.push(format!("  {from} -->|reads| {to}"));
        }
        for ((from, to), what) in &self.tells {
            let what: Vec<&str> = what.iter().map(String::as_str).collect();
            lines.push(format!("  {from} -.->|{}| {to}", what.join(", ")));
        }
        for (machine, service) in edges(&self.starts) {
            lines.push(format!("  {service} ==>|starts| {machine}"));
        }
        for (machine, service) in edges(&self.calls) {
            lines.push(format!("  {machine} ==>|calls| {service}"));
        }
        for (from, to) in edges(&self.step_reads) {
            lines.push(format!("  {from} ==>|reads in a step| {to}"));
        }
        lines.join("\n") + "\n"
    }
}

fn edges(of: &BTreeMap<String, BTreeSet<String>>) -> impl Iterator<Item = (&String, &String)> {
    of.iter()
        .flat_map(|(from, to)| to.iter().map(move |to| (from, to)))
}

/// Returns the functions (logical ids) that state machines invoke and nothing else does: no route, authoriser, queue,
/// stream, schedule or rule.
fn steps<'a>(stack: &'a Stack, arns: &Arns) -> BTreeSet<&'a str> {
    let tasks: BTreeSet<&str> = stack
        .standing
        .iter()
        .filter(|need| stack.state_machines.contains_key(&need.holder))
        .filter_map(|need| arns.find_function(&need.permission.resource))
        .collect();
    let api = stack.api.iter();
    let of_api = api.flat_map(|api| {
        let routes = api.routes.iter().map(|route| &route.function);
        routes.chain(api.authorizers.values().map(|found| &found.function))
    });
    let of_mappings = stack.mappings.iter().map(|mapping| &mapping.function);
    let of_schedules = stack.schedules.values().map(|schedule| &schedule.function);
    let targets = stack.rules.values().flat_map(|rule| &rule.targets);
    let of_rules = targets.filter_map(|target| match &target.kind {
        TargetKind::Function(id) => Some(id),
        TargetKind::Queue(_) | TargetKind::StateMachine(_) => None,
    });
    let others: BTreeSet<&str> = of_api
        .chain(of_mappings)
        .chain(of_schedules)
        .chain(of_rules)
        .map(String::as_str)
        .collect();
    let functions = stack.functions.keys().map(String::as_str);
    functions
        .filter(|id| tasks.contains(id) && !others.contains(id))
        .collect()
}

impl<'a> MapBuilder<'a> {
    /// Every permission of a function whose service is known, with the function and its service.
    fn permissions(&self) -> Vec<(&'a str, &'a str, Permission)> {
        let mut found = Vec::new();
        for (holder, statements) in &self.stack.policies {
            let Some(service) = self.service_of.get(holder.as_str()) else {
                continue;
            };
            for statement in statements {
                for action in &statement.actions {
                    found.extend(statement.resources.iter().map(|resource| {
                        let permission = Permission {
                            action: action.clone(),
                            resource: resource.clone(),
                        };
                        (holder.as_str(), *service, permission)
                    }));
                }
            }
        }
        found
    }

    fn writers(&mut self) {
        for (_, service, Permission { action, resource }) in self.permissions() {
            let changes = action
                .split_once(':')
                .is_some_and(|(_, name)| WRITES.contains(&name));
            if changes && let Some(Resource::Table(table)) = self.arns.find(&resource) {
                let writers = self.map.writers.entry(table.clone()).or_default();
                writers.insert(service.to_owned());
            }
        }
    }

    /// Foreign tables that are read, queues that are sent to, workflows that are started.
    fn policies(&mut self) {
        for (function, service, Permission { action, resource }) in self.permissions() {
            let name = action.split_once(':').map_or("", |(_, name)| name);
            match self.arns.find(&resource) {
                Some(Resource::Table(table)) if READS.contains(&name) => {
                    let owners = self.map.writers.get(table).cloned().unwrap_or_default();
                    let foreign = owners.into_iter().filter(|owner| owner != service);
                    let foreign: Vec<String> = foreign.collect();
                    if !foreign.is_empty() {
                        let reads = if self.steps.contains(function) {
                            &mut self.map.step_reads
                        } else {
                            &mut self.map.reads
                        };
                        reads.entry(service.to_owned()).or_default().extend(foreign);
                    }
                }
                Some(Resource::Queue(queue)) if name == "SendMessage" => {
                    for to in self.fed_by(&Source::Queue(queue.clone())) {
                        self.tell(service, to, queue);
                    }
                }
                Some(Resource::StateMachine(machine)) if name == "StartExecution" => {
                    let starts = self.map.starts.entry(machine.clone()).or_default();
                    starts.insert(service.to_owned());
                }
                Some(_) | None => {}
            }
        }
    }

    /// The services whose functions a queue or stream feeds.
    fn fed_by(&self, source: &Source) -> Vec<&'a str> {
        let mappings = self.stack.mappings.iter();
        mappings
            .filter(|mapping| mapping.source == *source)
            .filter_map(|mapping| self.service_of.get(mapping.function.as_str()).copied())
            .collect()
    }

    fn tell(&mut self, from: &str, to: &str, what: &str) {
        if from != to {
            let key = (from.to_owned(), to.to_owned());
            self.map
                .tells
                .entry(key)
                .or_default()
                .insert(what.to_owned());
        }
    }

    /// Who gets which events: a source ends in the name of its service.
    fn rules(&mut self) {
        for rule in self.stack.rules.values() {
            let texts = |key: &str| -> Vec<&str> {
                let texts = rule.pattern.get(key).and_then(Value::as_array);
                texts
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect()
            };
            let (sources, types) = (texts("source"), texts("detail-type"));
            for target in &rule.targets {
                let to: Vec<&str> = match &target.kind {
                    TargetKind::Function(id) => self
                        .service_of
                        .get(id.as_str())
                        .copied()
                        .into_iter()
                        .collect(),
                    TargetKind::Queue(id) => self.fed_by(&Source::Queue(id.clone())),
                    TargetKind::StateMachine(id) => vec![id],
                };
                for source in &sources {
                    let from = source.rsplit('.').next().unwrap_or(source);
                    for to in &to {
                        for what in &types {
                            self.tell(from, to, what);
                        }
                    }
                }
            }
        }
    }

    fn streams(&mut self) {
        for (table, writers) in self.map.writers.clone() {
            for to in self.fed_by(&Source::Stream(table)) {
                for from in &writers {
                    self.tell(from, to, "changes");
                }
            }
        }
    }

    fn tasks(&mut self) {
        for need in &self.stack.standing {
            let function = self.arns.find_function(&need.permission.resource);
            let service = function.and_then(|id| self.service_of.get(id));
            if let Some(service) = service
                && self.stack.state_machines.contains_key(&need.holder)
            {
                let calls = self.map.calls.entry(need.holder.clone()).or_default();
                calls.insert((*service).to_owned());
            }
        }
    }
}
