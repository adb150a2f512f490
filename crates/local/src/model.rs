//! What a template declares, with every intrinsic resolved: the input of every emulated service.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

/// The account number that local ARNs carry.
pub const ACCOUNT: &str = "000000000000";

/// A loaded template. Maps are keyed by logical id, and resources name each other by logical id.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    /// The HTTP API, if the template has one.
    pub api: Option<Api>,
    /// Buckets, by logical id: their physical names.
    pub buckets: BTreeMap<String, String>,
    /// Which pages may use buckets, by logical id.
    pub bucket_cors: BTreeMap<String, Vec<BucketCors>>,
    /// Event buses, by logical id: their physical names.
    pub buses: BTreeMap<String, String>,
    /// Lambda functions.
    pub functions: BTreeMap<String, Function>,
    /// Event source mappings: streams and queues that feed functions.
    pub mappings: Vec<Mapping>,
    /// What buckets tell queues.
    pub notifications: Vec<Notification>,
    /// What functions, state machines and roles may do, by logical id.
    pub policies: BTreeMap<String, Vec<Statement>>,
    /// SQS queues.
    pub queues: BTreeMap<String, Queue>,
    /// EventBridge rules.
    pub rules: BTreeMap<String, Rule>,
    /// Schedules.
    pub schedules: BTreeMap<String, Schedule>,
    /// Secrets.
    pub secrets: BTreeMap<String, Secret>,
    /// What AWS does in the name of functions, state machines and roles: the polling of a mapping,
    /// the tasks of a workflow, the target of a rule.
    pub standing: Vec<Need>,
    /// Step Functions state machines.
    pub state_machines: BTreeMap<String, StateMachine>,
    /// DynamoDB tables.
    pub tables: BTreeMap<String, Table>,
}

/// A Lambda function.
#[derive(Clone, Debug)]
pub struct Function {
    /// The physical name.
    pub name: String,
    /// The last part of `CodeUri`, which is the name of the binary.
    pub binary: String,
    /// Exactly the variables that the template declares.
    pub environment: BTreeMap<String, String>,
    /// How long one invocation may take.
    pub timeout: Duration,
    /// The memory size in MiB.
    pub memory_mib: u32,
    /// The most invocations at a time; `None` for no limit of its own.
    pub reserved_concurrency: Option<u32>,
    /// Retries of a failed asynchronous invocation (0..=2).
    pub async_retries: u32,
    /// Where an asynchronous invocation goes that has failed for good.
    pub async_on_failure: Option<Destination>,
}

/// A statement of a policy: any of the actions is allowed on any of the resources. In both, `*`
/// stands for any text and `?` for any one character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Actions, as in `dynamodb:PutItem`.
    pub actions: Vec<String>,
    /// ARNs.
    pub resources: Vec<String>,
}

/// A permission: an action on a resource, in IAM's words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// The action, as in `dynamodb:PutItem`.
    pub action: String,
    /// The ARN, or `*` where the action knows no resources.
    pub resource: String,
}

/// A permission that something has to have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// The function, state machine or role, by logical id.
    pub holder: String,
    /// What it has to be allowed.
    pub permission: Permission,
}

/// Where something goes that could not be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A queue, by logical id.
    Queue(String),
    /// A bucket, by logical id.
    Bucket(String),
}

/// What a bucket tells a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// The bucket, by logical id.
    pub bucket: String,
    /// Its own identifier.
    pub id: String,
    /// The event, as in `s3:ObjectCreated:*`.
    pub event: String,
    /// The queue, by logical id.
    pub queue: String,
    /// What a key has to begin with.
    pub prefix: String,
    /// What a key has to end with.
    pub suffix: String,
}

/// A rule of a bucket about cross-origin requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BucketCors {
    /// `AllowedOrigins`, with `*` for any text.
    pub origins: Vec<String>,
    /// `AllowedMethods`.
    pub methods: Vec<String>,
    /// `AllowedHeaders`, with `*` for any text.
    pub headers: Vec<String>,
    /// `ExposedHeaders`.
    pub expose: Vec<String>,
    /// `MaxAge`, in seconds.
    pub max_age: Option<u32>,
}

/// A DynamoDB table.
#[derive(Clone, Debug)]
pub struct Table {
    /// The physical name.
    pub name: String,
    /// The request of `CreateTable`, in that API's JSON.
    pub create: Value,
    /// The attribute that holds the time to live.
    pub ttl_attribute: Option<String>,
    /// Whether the table has a stream (always with both images).
    pub stream: bool,
}

/// An SQS queue (standard, not FIFO).
#[derive(Clone, Debug)]
pub struct Queue {
    /// The physical name.
    pub name: String,
    /// How long a received message stays hidden.
    pub visibility_timeout: Duration,
    /// How long a new message stays hidden.
    pub delay: Duration,
    /// How long a message is kept.
    pub retention: Duration,
    /// After this many receives a message moves to that queue (logical id).
    pub redrive: Option<(u32, String)>,
}

/// An EventBridge rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The physical name.
    pub name: String,
    /// The bus, by logical id.
    pub bus: String,
    /// The event pattern.
    pub pattern: Value,
    /// Who gets a matching event.
    pub targets: Vec<Target>,
}

/// The target of a rule.
#[derive(Clone, Debug)]
pub struct Target {
    /// The target's own id.
    pub id: String,
    /// What it is.
    pub kind: TargetKind,
    /// What it is given.
    pub input: TargetInput,
    /// Retries after the first try (0..=185).
    pub retries: u32,
    /// Events older than this are not retried.
    pub max_age: Duration,
    /// Where an event goes that could not be delivered (logical id of a queue).
    pub dead_letter_queue: Option<String>,
}

/// What a target is, by logical id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// An asynchronous invocation.
    Function(String),
    /// A message.
    Queue(String),
    /// An execution.
    StateMachine(String),
}

/// What a target is given of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum TargetInput {
    /// The event as it is.
    Event,
    /// One part of it (`InputPath`).
    Path(String),
    /// The same always (`Input`).
    Constant(Value),
    /// `InputTransformer`: names and paths, and the template that they fill.
    Transformer {
        /// Path by name.
        paths: BTreeMap<String, String>,
        /// The template, with `<name>` in it.
        template: String,
    },
}

/// A Step Functions state machine.
#[derive(Clone, Debug)]
pub struct StateMachine {
    /// The physical name.
    pub name: String,
    /// The definition, with its substitutions made.
    pub definition: Value,
    /// `EXPRESS`, else `STANDARD`.
    pub express: bool,
}

/// A stream or queue that feeds a function.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// The function, by logical id.
    pub function: String,
    /// What feeds it.
    pub source: Source,
    /// The most records in one invocation.
    pub batch_size: usize,
    /// How long to gather records for one invocation.
    pub window: Duration,
    /// Whether the function may report single records as failed.
    pub partial_batches: bool,
    /// Streams: retries of a failed batch; `None` until its records expire.
    pub retries: Option<u32>,
    /// Streams: records older than this are given up; `None` for a stream's 24 hours.
    pub max_age: Option<Duration>,
    /// Streams: whether a failed batch is split in two.
    pub bisect: bool,
    /// Streams: where a batch goes that has failed for good.
    pub on_failure: Option<Destination>,
    /// Queues: the most invocations at a time.
    pub max_concurrency: Option<u32>,
    /// Event patterns of which a record must match one; empty for all.
    pub filters: Vec<Value>,
}

/// What feeds a mapping, by logical id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A table's stream.
    Stream(String),
    /// A queue.
    Queue(String),
}

/// A schedule that invokes a function asynchronously.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The function, by logical id.
    pub function: String,
    /// The time between two invocations.
    pub every: Duration,
    /// The constant input; `None` for the scheduled event.
    pub input: Option<Value>,
    /// Whether it runs.
    pub enabled: bool,
}

/// A secret.
#[derive(Clone, Debug)]
pub struct Secret {
    /// The physical name.
    pub name: String,
    /// The value that it has from the start: given, or generated as the template says.
    pub value: String,
}

/// An HTTP API (API Gateway v2).
#[derive(Clone, Debug)]
pub struct Api {
    /// The routes.
    pub routes: Vec<Route>,
    /// Lambda authorisers, by name.
    pub authorizers: BTreeMap<String, Authorizer>,
    /// Cross-origin settings.
    pub cors: Option<Cors>,
}

/// One route: a method and a path with `{parameters}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The method, or `ANY`.
    pub method: String,
    /// The path.
    pub path: String,
    /// The function, by logical id.
    pub function: String,
    /// The authoriser's name; `None` for an open route.
    pub authorizer: Option<String>,
}

/// A Lambda authoriser with payload format 2.0 and simple responses.
#[derive(Clone, Debug)]
pub struct Authorizer {
    /// The function, by logical id.
    pub function: String,
    /// Headers that must be present; verdicts are cached by their values.
    pub identity_headers: Vec<String>,
    /// How long a verdict is cached.
    pub ttl: Duration,
}

/// Cross-origin settings of an HTTP API.
#[derive(Clone, Debug, Default)]
pub struct Cors {
    /// `AllowOrigins`.
    pub origins: Vec<String>,
    /// `AllowMethods`.
    pub methods: Vec<String>,
    /// `AllowHeaders`.
    pub headers: Vec<String>,
    /// `ExposeHeaders`.
    pub expose: Vec<String>,
    /// `AllowCredentials`.
    pub credentials: bool,
    /// `MaxAge`.
    pub max_age: Option<Duration>,
}
