//! The runner's control port and AWS endpoint, beside the shop's API.

use oxcart_core::customers::keys::SecretBody;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::Call;
use super::shop::{Shop, physical};

/// Returns how many half units these `units` of the bill are: they are whole numbers or halves.
pub(crate) fn halves(units: &Value) -> u64 {
    let units = units.to_string();
    let (whole, half) = units.split_once('.').unwrap_or((&units, "0"));
    2 * whole.parse::<u64>().unwrap() + u64::from(half == "5")
}

impl Shop {
    fn local(&self, method: Method, path: &str) -> Call {
        Call::new(
            &self.http,
            method,
            &format!("{}/_local/{path}", self.runner().urls().control),
        )
    }

    /// Returns the response of `GET /_local/...`.
    pub(crate) async fn control(&self, path: &str) -> Value {
        self.local(Method::GET, path)
            .send()
            .await
            .expect(200)
            .json()
    }

    /// Replaces the faults in force with these.
    pub(crate) async fn fault(&self, faults: &str) {
        self.set_faults(json!([faults])).await;
    }

    /// Ends all faults.
    pub(crate) async fn no_faults(&self) {
        self.set_faults(json!([])).await;
    }

    async fn set_faults(&self, faults: Value) {
        let body = json!({"faults": faults});
        self.local(Method::POST, "faults")
            .json(&body)
            .send()
            .await
            .expect(200);
    }

    /// How many calls the faults in force have hit, the last of them.
    pub(crate) async fn fault_hits(&self) -> u64 {
        let faults = self.control("faults").await;
        faults.as_array().unwrap().last().unwrap()["hit"]
            .as_u64()
            .unwrap()
    }

    /// Returns all mails.
    pub(crate) async fn mail(&self) -> Vec<Value> {
        self.control("mail").await["messages"]
            .as_array()
            .unwrap()
            .clone()
    }

    /// Returns the mails about orders: all but those about accounts.
    pub(crate) async fn order_mail(&self) -> Vec<Value> {
        let mut mail = self.mail().await;
        mail.retain(|message| message["text"].as_str().unwrap().contains("\nOrder "));
        mail
    }

    /// An execution of the workflow; null if there is none of this name.
    pub(crate) async fn execution(&self, name: &str) -> Value {
        let answer = self
            .local(Method::GET, &format!("executions/{name}"))
            .send()
            .await;
        if answer.status == 200 {
            answer.json()
        } else {
            Value::Null
        }
    }

    /// Returns the time in the shop.
    pub(crate) async fn now(&self) -> String {
        let now = self.control("clock").await["now"]
            .as_str()
            .unwrap()
            .to_owned();
        format!("{:.3}", now.parse::<jiff::Timestamp>().unwrap())
    }

    /// Moves a manual clock.
    pub(crate) async fn advance(&self, seconds: u64) {
        let body = json!({"seconds": seconds});
        self.local(Method::POST, "clock/advance")
            .json(&body)
            .send()
            .await
            .expect(200);
    }

    pub(crate) async fn bill(&self) -> Value {
        self.control("bill").await
    }

    pub(crate) async fn reset_bill(&self) {
        self.local(Method::POST, "bill/reset")
            .send()
            .await
            .expect(204);
    }

    /// Invokes a function once and returns its response, or its error's name.
    pub(crate) async fn invoke(&self, function: &str, event: &Value) -> Result<Value, String> {
        let call = self.local(Method::POST, &format!("invoke/{function}"));
        let answer = call.json(event).send().await.expect(200);
        if answer.header("x-amz-function-error").is_none() {
            return Ok(answer.json());
        }
        Err(answer.json()["errorType"].as_str().unwrap().to_owned())
    }

    /// Calls an AWS API as an operator does. Nothing on this machine checks signatures.
    async fn aws(&self, service: &str, target: &str, version: &str, body: &Value) -> Value {
        let credential = format!("operator/20260301/eu-central-1/{service}/aws4_request");
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0");
        Call::new(&self.http, Method::POST, &self.runner().urls().aws)
            .header("x-amz-target", target)
            .header("authorization", &authorization)
            .raw(
                &format!("application/x-amz-json-{version}"),
                body.to_string(),
            )
            .send()
            .await
            .expect(200)
            .json()
    }

    pub(crate) async fn dynamodb(&self, operation: &str, body: &Value) -> Value {
        let target = format!("DynamoDB_20120810.{operation}");
        self.aws("dynamodb", &target, "1.0", body).await
    }

    /// Returns the value of a secret.
    pub(crate) async fn secret(&self, name: &str) -> SecretBody {
        let body = json!({"SecretId": name});
        let target = "secretsmanager.GetSecretValue";
        let answer = self.aws("secretsmanager", target, "1.1", &body).await;
        serde_json::from_str(answer["SecretString"].as_str().unwrap()).unwrap()
    }

    /// Puts `value` into a secret.
    pub(crate) async fn put_secret(&self, name: &str, value: &Value) {
        let body = json!({"SecretId": name, "SecretString": value.to_string()});
        self.aws(
            "secretsmanager",
            "secretsmanager.PutSecretValue",
            "1.1",
            &body,
        )
        .await;
    }

    /// Sends `text` to a queue (logical id).
    pub(crate) async fn send_message(&self, queue: &str, text: &str) {
        let url = self.control("queues").await["queues"][queue]["url"].clone();
        let body = json!({"QueueUrl": url, "MessageBody": text});
        self.aws("sqs", "AmazonSQS.SendMessage", "1.0", &body).await;
    }

    /// Returns what is in queues, those of dead letters too, and in buckets.
    pub(crate) async fn in_queues_and_buckets(&self) -> String {
        let queues = self.control("queues").await["queues"].clone();
        let mut found = queues.to_string();
        for queue in queues.as_object().unwrap().values() {
            // Of dead letters, the bodies are shown. What is on its way is looked at as a consumer does.
            if queue["messages"].is_null() && queue["visible"] != 0 {
                let body = json!({"QueueUrl": queue["url"], "MaxNumberOfMessages": 10});
                let target = "AmazonSQS.ReceiveMessage";
                found += &self.aws("sqs", target, "1.0", &body).await.to_string();
            }
        }
        for bucket in ["FilesBucket", "ImagesBucket", "SearchBucket"] {
            let kept = self.control(&format!("buckets/{bucket}")).await;
            assert_eq!(kept["truncated"], false, "{bucket}");
            for object in kept["objects"].as_array().unwrap() {
                for part in ["key", "body"] {
                    found.push('\n');
                    found.push_str(object[part].as_str().unwrap());
                }
            }
        }
        found
    }

    /// Returns the address of the AWS endpoint.
    pub(crate) fn aws_url(&self) -> &str {
        &self.runner().urls().aws
    }

    /// Starts another run of the order's workflow.
    pub(crate) async fn start_workflow(&self, order: &str, run: &str) {
        let name = physical("OrderWorkflow");
        let body = json!({
            "stateMachineArn": format!("arn:aws:states:eu-central-1:000000000000:stateMachine:{name}"),
            "name": format!("{order}-{run}"),
            "input": json!({"order_id": order}).to_string(),
        });
        self.aws("states", "AWSStepFunctions.StartExecution", "1.0", &body)
            .await;
    }
}
