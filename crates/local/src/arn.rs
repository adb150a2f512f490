//! The names that AWS gives to what a stack declares: ARNs and queue URLs, both ways.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{ACCOUNT, Stack};

/// The label in every local stream ARN.
pub const STREAM_LABEL: &str = "2025-01-01T00:00:00.000";

/// What an ARN names, by logical id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// A bucket.
    Bucket(String),
    /// An event bus.
    Bus(String),
    /// A Lambda function.
    Function(String),
    /// A queue.
    Queue(String),
    /// A secret.
    Secret(String),
    /// A state machine.
    StateMachine(String),
    /// A table, or its stream or index.
    Table(String),
}

/// Builds the ARNs of one region and finds what they name in one stack. Clones are cheap.
#[derive(Clone, Debug)]
pub struct Arns {
    region: Arc<str>,
    resources: Arc<BTreeMap<String, Resource>>,
}

impl Arns {
    /// The ARNs of a region, with nothing to find yet.
    #[must_use]
    pub fn new(region: &str) -> Self {
        Self {
            region: region.into(),
            resources: Arc::default(),
        }
    }

    /// The ARNs of everything in `stack`.
    #[must_use]
    pub fn for_stack(region: &str, stack: &Stack) -> Self {
        let arns = Self::new(region);
        let mut resources = BTreeMap::new();
        let mut put = |arn, resource| {
            resources.insert(arn, resource);
        };
        for (id, name) in &stack.buckets {
            put(arns.bucket(name), Resource::Bucket(id.clone()));
        }
        for (id, name) in &stack.buses {
            put(arns.bus(name), Resource::Bus(id.clone()));
        }
        for (id, function) in &stack.functions {
            put(
                arns.function(&function.name),
                Resource::Function(id.clone()),
            );
        }
        for (id, queue) in &stack.queues {
            put(arns.queue(&queue.name), Resource::Queue(id.clone()));
        }
        for (id, secret) in &stack.secrets {
            put(arns.secret(&secret.name), Resource::Secret(id.clone()));
        }
        for (id, machine) in &stack.state_machines {
            put(
                arns.state_machine(&machine.name),
                Resource::StateMachine(id.clone()),
            );
        }
        for (id, table) in &stack.tables {
            put(arns.table(&table.name), Resource::Table(id.clone()));
        }
        Self {
            resources: Arc::new(resources),
            ..arns
        }
    }

    /// The same region, where these ARNs can be found.
    pub(crate) fn naming(self, resources: BTreeMap<String, Resource>) -> Self {
        Self {
            resources: Arc::new(resources),
            ..self
        }
    }

    /// The region.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// What an ARN names. ARNs of a table's stream or index name the table.
    #[must_use]
    pub fn find(&self, arn: &str) -> Option<&Resource> {
        let table = || {
            let (service, rest) = arn.split_once(":table/")?;
            let (name, _) = rest.split_once('/')?;
            self.resources.get(&format!("{service}:table/{name}"))
        };
        self.resources.get(arn).or_else(table)
    }

    /// The ARN of a resource that can be found.
    pub(crate) fn arn_of(&self, resource: &Resource) -> Option<&str> {
        let mut resources = self.resources.iter();
        let found = resources.find(|(_, other)| *other == resource);
        found.map(|(arn, _)| arn.as_str())
    }

    /// The logical id of the function that an ARN names.
    #[must_use]
    pub fn find_function(&self, arn: &str) -> Option<&str> {
        let Some(Resource::Function(id)) = self.find(arn) else {
            return None;
        };
        Some(id)
    }

    /// The logical id of the queue that an ARN names.
    #[must_use]
    pub fn find_queue(&self, arn: &str) -> Option<&str> {
        let Some(Resource::Queue(id)) = self.find(arn) else {
            return None;
        };
        Some(id)
    }

    /// The logical id of the state machine that an ARN names.
    #[must_use]
    pub fn find_state_machine(&self, arn: &str) -> Option<&str> {
        let Some(Resource::StateMachine(id)) = self.find(arn) else {
            return None;
        };
        Some(id)
    }

    /// The ARN of a bucket.
    #[must_use]
    pub fn bucket(&self, name: &str) -> String {
        format!("arn:aws:s3:::{name}")
    }

    /// The ARN of an event bus.
    #[must_use]
    pub fn bus(&self, name: &str) -> String {
        self.build("events", &format!("event-bus/{name}"))
    }

    /// The ARN of a rule on a bus.
    #[must_use]
    pub fn rule(&self, bus: &str, name: &str) -> String {
        let path = if bus == "default" {
            String::new()
        } else {
            format!("{bus}/")
        };
        self.build("events", &format!("rule/{path}{name}"))
    }

    /// The ARN of a function.
    #[must_use]
    pub fn function(&self, name: &str) -> String {
        self.build("lambda", &format!("function:{name}"))
    }

    /// The ARN of a queue.
    #[must_use]
    pub fn queue(&self, name: &str) -> String {
        self.build("sqs", name)
    }

    /// The ARN of a secret, which ends in a hyphen and six characters, as on AWS.
    #[must_use]
    pub fn secret(&self, name: &str) -> String {
        self.build("secretsmanager", &format!("secret:{name}-LoCaL1"))
    }

    /// The ARN of a state machine.
    #[must_use]
    pub fn state_machine(&self, name: &str) -> String {
        self.build("states", &format!("stateMachine:{name}"))
    }

    /// The ARN of an execution of a standard state machine.
    #[must_use]
    pub fn execution(&self, machine: &str, execution: &str) -> String {
        self.build("states", &format!("execution:{machine}:{execution}"))
    }

    /// The ARN of one run of an express execution.
    #[must_use]
    pub fn express(&self, machine: &str, execution: &str, run: &str) -> String {
        self.build("states", &format!("express:{machine}:{execution}:{run}"))
    }

    /// The ARN of a table.
    #[must_use]
    pub fn table(&self, name: &str) -> String {
        self.build("dynamodb", &format!("table/{name}"))
    }

    /// The ARN of a table's stream.
    #[must_use]
    pub fn stream(&self, table: &str) -> String {
        self.build("dynamodb", &format!("table/{table}/stream/{STREAM_LABEL}"))
    }

    /// An ARN in this region and account.
    #[must_use]
    pub fn build(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{ACCOUNT}:{resource}", self.region)
    }
}

/// The URL of a queue.
#[must_use]
pub fn queue_url(endpoint: &str, name: &str) -> String {
    format!("{endpoint}/{ACCOUNT}/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Table;

    #[test]
    fn the_arn_of_a_secret_ends_in_six_characters() {
        // As policies match them: `secret:key-??????`.
        let arn = Arns::new("eu-central-1").secret("key");
        let (_, suffix) = arn.split_once(":secret:key-").unwrap();
        assert_eq!(suffix.len(), 6);
        assert!(suffix.chars().all(|c| c.is_ascii_alphanumeric()));
    }

    #[test]
    fn a_stream_arn_names_its_table() {
        let mut stack = Stack::default();
        let create = serde_json::Value::Null;
        stack.tables.insert(
            "Orders".to_owned(),
            Table {
                name: "shop-orders".to_owned(),
                create,
                ttl_attribute: None,
                stream: true,
            },
        );
        let arns = Arns::for_stack("eu-central-1", &stack);
        let table = Some(&Resource::Table("Orders".to_owned()));
        assert_eq!(arns.find(&arns.stream("shop-orders")), table);
        assert_eq!(arns.find(&arns.table("shop-orders")), table);
        assert_eq!(arns.find(&arns.table("other")), None);
    }
}
