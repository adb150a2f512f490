//! The engine behind the tests' AWS, and what can happen to a call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use dynoxide::Database;
use serde_json::{Value, json};

use super::at_once;
use crate::aws::settings::Setting;

/// What happens to one call instead of its ordinary answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// None: the call is carried out, and a later one is to fail.
    None,
    /// Refused for capacity; nothing is done.
    Throttled,
    /// A transaction refused because another one is under way; nothing is done.
    Conflict,
    /// A transaction refused because its token belongs to another one; nothing is done.
    TokenUsed,
    /// Refused as if its condition did not hold; nothing is done.
    Refused,
    /// Done, but the answer is a server error.
    LostAnswer,
    /// Not done, and the answer is a server error.
    Failed,
    /// A `BatchGetItem` that leaves all its keys unprocessed.
    Unprocessed,
}

/// The engine behind an [`Aws`] of [`aws`].
#[derive(Clone)]
pub(crate) struct Engine {
    pub(super) database: Arc<Database>,
    pub(super) faults: Arc<Mutex<Vec<(String, Fault)>>>,
    pub(super) others: Arc<Mutex<BTreeMap<String, Other>>>,
    pub(super) calls: Arc<Mutex<Vec<String>>>,
    pub(super) interruptions: Arc<Mutex<Vec<(String, Interruption)>>>,
}

/// What happens before a call is carried out.
type Interruption = Box<dyn FnOnce() + Send>;

/// Answers an operation of another service: a status and a body.
type Other = Box<dyn FnMut(Value) -> (u16, Value) + Send>;

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engine")
    }
}

impl Engine {
    /// Lets the next call of `operation` (`PutItem`, ...) end in `fault`; several wait in line. The
    /// SDK tries some again by itself, as it does with AWS.
    pub(crate) fn fail_next(&self, operation: &str, fault: Fault) {
        self.faults
            .lock()
            .unwrap()
            .push((operation.to_owned(), fault));
    }

    /// Lets `job` run to its end before the next call of `operation` is carried out: another writer, between what was
    /// read and what is written.
    pub(crate) fn before_next(&self, operation: &str, job: impl AsyncFnOnce() + Send + 'static) {
        let job = || {
            at_once([job]);
        };
        let mut interruptions = self.interruptions.lock().unwrap();
        interruptions.push((operation.to_owned(), Box::new(job)));
    }

    /// Takes back all faults that have not come yet.
    pub(crate) fn clear_faults(&self) {
        self.faults.lock().unwrap().clear();
    }

    /// The operations of DynamoDB that were called since [`Engine::forget_calls`], in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    /// Begins to note calls anew.
    pub(crate) fn forget_calls(&self) {
        self.calls.lock().unwrap().clear();
    }

    /// Answers each call of `operation` of a service that is not DynamoDB (`GetSecretValue`,
    /// `PutEvents`) with what `answer` makes of the request.
    pub(crate) fn answer_others(
        &self,
        operation: &str,
        answer: impl FnMut(Value) -> (u16, Value) + Send + 'static,
    ) {
        let mut others = self.others.lock().unwrap();
        others.insert(operation.to_owned(), Box::new(answer));
    }

    fn answer(&self, operation: &str, body: &str) -> (u16, String) {
        if let Some(other) = self.others.lock().unwrap().get_mut(operation) {
            let (status, answer) = other(serde_json::from_str(body).unwrap());
            return (status, answer.to_string());
        }
        self.calls.lock().unwrap().push(operation.to_owned());
        let mut interruptions = self.interruptions.lock().unwrap();
        let at = interruptions
            .iter()
            .position(|(interrupted, _)| interrupted == operation);
        let job = at.map(|at| interruptions.remove(at).1);
        drop(interruptions);
        if let Some(job) = job {
            job();
        }
        let mut faults = self.faults.lock().unwrap();
        let at = faults.iter().position(|(failing, _)| failing == operation);
        let fault = at.map(|at| faults.remove(at).1);
        drop(faults);
        match fault {
            None | Some(Fault::None) => self.call(operation, body),
            Some(Fault::Throttled) => {
                error(400, "ProvisionedThroughputExceededException", json!({}))
            }
            Some(Fault::Conflict) => {
                let reasons = json!({"CancellationReasons": [{"Code": "TransactionConflict"}]});
                error(400, "TransactionCanceledException", reasons)
            }
            Some(Fault::TokenUsed) => error(400, "IdempotentParameterMismatchException", json!({})),
            Some(Fault::Refused) => error(400, "ConditionalCheckFailedException", json!({})),
            Some(Fault::LostAnswer) => {
                self.call(operation, body);
                error(500, "InternalServerError", json!({}))
            }
            Some(Fault::Failed) => error(500, "InternalServerError", json!({})),
            Some(Fault::Unprocessed) => {
                let request: Value = serde_json::from_str(body).unwrap();
                let answer = json!({"Responses": {}, "UnprocessedKeys": request["RequestItems"]});
                (200, answer.to_string())
            }
        }
    }

    pub(super) fn call(&self, operation: &str, body: &str) -> (u16, String) {
        macro_rules! dispatch {
            ($($name:literal => $method:ident,)*) => {
                match operation {
                    $($name => self
                        .database
                        .$method(serde_json::from_str(body).unwrap())
                        .map(|answer| serde_json::to_string(&answer).unwrap()),)*
                    other => panic!("the tests' DynamoDB does not know {other}"),
                }
            };
        }
        let answer = dispatch! {
            "BatchGetItem" => batch_get_item,
            "CreateTable" => create_table,
            "DeleteItem" => delete_item,
            "GetItem" => get_item,
            "PutItem" => put_item,
            "Query" => query,
            "Scan" => scan,
            "TransactWriteItems" => transact_write_items,
            "UpdateItem" => update_item,
        };
        answer.map_or_else(
            |error| (error.status_code(), error.to_json()),
            |answer| (200, answer),
        )
    }

    /// Every item of the table that `setting` names, as plain JSON in no order: what a test looks at.
    pub(crate) fn items(&self, setting: Setting) -> Vec<Value> {
        let mut request = json!({"TableName": setting.name()});
        let mut items = Vec::new();
        loop {
            let answer = self.call("Scan", &request.to_string()).1;
            let answer: Value = serde_json::from_str(&answer).unwrap();
            items.extend(answer["Items"].as_array().unwrap().iter().map(|item| {
                let item: serde_dynamo::Item = serde_json::from_value(item.clone()).unwrap();
                serde_dynamo::from_item::<_, Value>(item).unwrap()
            }));
            match answer.get("LastEvaluatedKey") {
                Some(key) => request["ExclusiveStartKey"] = key.clone(),
                None => return items,
            }
        }
    }
}

fn error(status: u16, code: &str, more: Value) -> (u16, String) {
    let mut body = more;
    body["__type"] = json!(format!("com.amazonaws.dynamodb.v20120810#{code}"));
    body["message"] = json!("made by the test");
    (status, body.to_string())
}

impl HttpConnector for Engine {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body = request
            .body()
            .bytes()
            .map(|body| String::from_utf8_lossy(body).into_owned());
        let (status, answer) = self.answer(&operation, &body.unwrap_or_default());
        let response = http::Response::builder()
            .status(status)
            .body(SdkBody::from(answer))
            .unwrap();
        let response = HttpResponse::try_from(response)
            .map_err(|error| ConnectorError::other(error.into(), None));
        HttpConnectorFuture::ready(response)
    }
}

impl HttpClient for Engine {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
