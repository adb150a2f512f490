//! Which permissions of the policies are used, and which are not.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::statements::allow;
use crate::model::{Need, Permission, Stack, Statement};

/// Services that functions and roles use without a call that the runner sees: encryption, logs and
/// traces.
const UNSEEN: [&str; 3] = ["kms", "logs", "xray"];

/// What functions, state machines and roles of a stack have used.
#[derive(Debug)]
pub struct Usage<'a> {
    stack: &'a Stack,
    used: BTreeSet<Need>,
}

/// What the comparison reads of a line of a record.
#[derive(Deserialize)]
struct Line {
    function: Option<String>,
    action: String,
    resource: String,
}

impl<'a> Usage<'a> {
    /// What AWS does in their name: it happens whether anybody calls or not.
    #[must_use]
    pub fn new(stack: &'a Stack) -> Self {
        let used = stack.standing.iter().cloned().collect();
        Self { stack, used }
    }

    /// Adds the calls of a record (`--record`). What no function called does not count.
    ///
    /// # Errors
    /// A sentence about the first line that is not a record of this stack.
    pub fn add(&mut self, record: &str) -> Result<(), String> {
        for line in record.lines() {
            let read: Result<Line, _> = serde_json::from_str(line);
            let line = read.map_err(|error| format!("not a line of a record ({error}): {line}"))?;
            let Some(binary) = line.function else {
                continue;
            };
            let mut functions = self.stack.functions.iter();
            let function = functions.find(|(_, function)| function.binary == binary);
            let (holder, _) = function.ok_or_else(|| format!("there is no function {binary}"))?;
            self.used.insert(Need {
                holder: holder.clone(),
                permission: Permission {
                    action: line.action,
                    resource: line.resource,
                },
            });
        }
        Ok(())
    }

    /// Permissions that are not used: each action of a statement with each of its resources.
    #[must_use]
    pub fn unused(&self) -> Vec<Need> {
        let mut unused = Vec::new();
        for (holder, statements) in &self.stack.policies {
            for statement in statements {
                for (action, resource) in action_resource_pairs(statement) {
                    if !is_seen(action, resource) || self.uses(holder, action, resource) {
                        continue;
                    }
                    unused.push(Need {
                        holder: holder.clone(),
                        permission: Permission {
                            action: action.to_owned(),
                            resource: resource.to_owned(),
                        },
                    });
                }
            }
        }
        unused
    }

    /// What was used and no policy allows.
    #[must_use]
    pub fn missing(&self) -> Vec<Need> {
        let allowed = |need: &&Need| {
            let policies = self.stack.policies.get(&need.holder);
            policies.is_some_and(|statements| allow(statements, &need.permission))
        };
        let missing = self.used.iter().filter(|need| !allowed(need));
        missing.cloned().collect()
    }

    fn uses(&self, holder: &str, action: &str, resource: &str) -> bool {
        let alone = Statement {
            actions: vec![action.to_owned()],
            resources: vec![resource.to_owned()],
        };
        let mut used = self.used.iter();
        used.any(|need| need.holder == holder && alone.allows(&need.permission))
    }
}

fn action_resource_pairs(statement: &Statement) -> impl Iterator<Item = (&str, &str)> {
    statement.actions.iter().flat_map(|action| {
        let resources = statement.resources.iter();
        resources.map(|resource| (action.as_str(), resource.as_str()))
    })
}

/// Whether the runner sees the use of a permission. SES weighs the configuration set of an identity beside the identity
/// itself, and here identities have no such set.
fn is_seen(action: &str, resource: &str) -> bool {
    let service = action.split(':').next().unwrap_or(action);
    !UNSEEN.contains(&service) && !resource.contains(":configuration-set/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Function;

    fn need(holder: &str, action: &str, resource: &str) -> Need {
        Need {
            holder: holder.to_owned(),
            permission: Permission {
                action: action.to_owned(),
                resource: resource.to_owned(),
            },
        }
    }

    fn stack() -> Stack {
        let mut stack = Stack::default();
        let function = Function {
            binary: "place-order".to_owned(),
            ..crate::functions::tests::echo()
        };
        stack.functions.insert("PlaceOrder".to_owned(), function);
        let statement = Statement {
            actions: vec!["a:Get".to_owned(), "a:Put".to_owned()],
            resources: vec!["one".to_owned(), "two/*".to_owned()],
        };
        let traces = Statement {
            actions: vec!["xray:PutTraceSegments".to_owned()],
            resources: vec!["*".to_owned()],
        };
        let machine = Statement {
            actions: vec!["lambda:InvokeFunction".to_owned()],
            resources: vec!["f".to_owned(), "g".to_owned()],
        };
        stack
            .policies
            .insert("PlaceOrder".to_owned(), vec![statement]);
        stack
            .policies
            .insert("Machine".to_owned(), vec![machine, traces]);
        stack
            .standing
            .push(need("Machine", "lambda:InvokeFunction", "f"));
        stack
    }

    #[test]
    fn unused_and_missing_permissions_are_found() {
        let stack = stack();
        let mut usage = Usage::new(&stack);
        let record = [
            r#"{"function":"place-order","action":"a:Get","resource":"one","operation":"Get"}"#,
            r#"{"function":"place-order","action":"a:Put","resource":"two/three"}"#,
            r#"{"function":"place-order","action":"a:Put","resource":"three"}"#,
            // What one uses does not make it used by another.
            r#"{"function":"place-order","action":"lambda:InvokeFunction","resource":"g"}"#,
            r#"{"action":"a:Delete","resource":"one"}"#,
        ];
        usage.add(&record.join("\n")).unwrap();
        assert_eq!(
            usage.unused(),
            [
                need("Machine", "lambda:InvokeFunction", "g"),
                need("PlaceOrder", "a:Get", "two/*"),
                need("PlaceOrder", "a:Put", "one"),
            ]
        );
        assert_eq!(
            usage.missing(),
            [
                need("PlaceOrder", "a:Put", "three"),
                need("PlaceOrder", "lambda:InvokeFunction", "g"),
            ]
        );
    }

    #[test]
    fn a_record_of_something_else_is_refused() {
        let stack = stack();
        let mut usage = Usage::new(&stack);
        let other = r#"{"function":"other","action":"a","resource":"b"}"#;
        assert_eq!(
            usage.add(other),
            Err("there is no function other".to_owned())
        );
        assert!(usage.add("nothing").is_err());
    }
}
