//! S3 through its port, by requests that AWS's own code signs.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::config::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::task::JoinHandle;

use super::S3;
use crate::access::{Access, Usage};
use crate::arn::Arns;
use crate::bill::Bill;
use crate::buckets::Buckets;
use crate::calls::CallLog;
use crate::clock::Clock;
use crate::endpoint::Endpoint;
use crate::faults::Faults;
use crate::functions::Functions;
use crate::model::{BucketCors, Function, Notification, Queue, Stack, Statement};
use crate::queues::Queues;
use crate::record::Record;

mod cors;
mod events;
mod forms;
mod objects;
mod policies;
mod presigned;
mod uploads;

const BUCKET: &str = "shop-files";

/// A running endpoint with one bucket and two functions: `Import` may do everything with
/// `imports/*` and list the bucket, `Reader` may only read.
pub(super) struct World {
    pub(super) url: String,
    clock: Clock,
    faults: Faults,
    calls: CallLog,
    queues: Queues,
    record: tempfile::NamedTempFile,
    stack: Stack,
    client: reqwest::Client,
    server: JoinHandle<std::io::Result<()>>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A response that was read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    headers: reqwest::header::HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The text of an XML element.
    pub(super) fn element(&self, name: &str) -> String {
        let text = self.text();
        let (_, rest) = text.split_once(&format!("<{name}>")).unwrap_or_default();
        rest.split_once('<').unwrap_or_default().0.to_owned()
    }

    /// The status and S3's code of a refusal.
    pub(super) fn refusal(&self) -> (u16, String) {
        (self.status.as_u16(), self.element("Code"))
    }
}

fn function(binary: &str) -> Function {
    Function {
        name: format!("shop-{binary}"),
        binary: binary.to_owned(),
        environment: BTreeMap::new(),
        timeout: Duration::from_millis(50),
        memory_mib: 128,
        reserved_concurrency: None,
        async_retries: 0,
        async_on_failure: None,
    }
}

fn statement(actions: &[&str], resource: &str) -> Statement {
    Statement {
        actions: actions
            .iter()
            .map(|action| format!("s3:{action}"))
            .collect(),
        resources: vec![resource.to_owned()],
    }
}

fn stack() -> Stack {
    let imports = "arn:aws:s3:::shop-files/imports/*";
    let actions = [
        "AbortMultipartUpload",
        "DeleteObject",
        "GetObject",
        "PutObject",
    ];
    let import = vec![
        statement(&actions, imports),
        statement(&["ListBucket"], "arn:aws:s3:::shop-files"),
    ];
    let reader = vec![statement(&["GetObject"], imports)];
    let queue = Queue {
        name: "shop-uploaded".into(),
        visibility_timeout: Duration::from_secs(30),
        delay: Duration::ZERO,
        retention: Duration::from_hours(96),
        redrive: None,
    };
    let notification = |event: &str, suffix: &str| Notification {
        bucket: "Files".into(),
        id: format!("Files{suffix}"),
        event: event.into(),
        queue: "Uploaded".into(),
        prefix: "imports/".into(),
        suffix: suffix.into(),
    };
    let cors = BucketCors {
        origins: vec!["http://localhost:*".into()],
        methods: vec!["PUT".into(), "POST".into()],
        headers: vec!["Content-*".into()],
        expose: vec!["ETag".into()],
        max_age: Some(600),
    };
    Stack {
        bucket_cors: [("Files".into(), vec![cors])].into(),
        notifications: vec![
            notification("s3:ObjectCreated:*", ".csv"),
            notification("s3:ObjectCreated:CompleteMultipartUpload", ".json"),
        ],
        queues: [("Uploaded".into(), queue)].into(),
        buckets: [("Files".into(), BUCKET.into())].into(),
        functions: [
            ("Import".into(), function("import")),
            ("Reader".into(), function("reader")),
        ]
        .into(),
        policies: [("Import".into(), import), ("Reader".into(), reader)].into(),
        ..Stack::default()
    }
}

impl World {
    pub(super) async fn new() -> Self {
        let clock = Clock::manual("2026-03-12T19:03:58.7Z".parse::<Timestamp>().unwrap());
        let stack = stack();
        let arns = Arns::for_stack("eu-central-1", &stack);
        let faults = Faults::new(&stack, 1);
        let file = tempfile::NamedTempFile::new().unwrap();
        let record = Record::to_file(file.path(), &stack, &arns).unwrap();
        let functions = Functions::in_process(BTreeMap::new(), clock.clone());
        let buckets = Buckets::open(&stack, &clock, None).unwrap();
        let queues = Queues::new(
            &stack,
            clock.clone(),
            Bill::new(&stack),
            arns.clone(),
            "http://queues",
        );
        let (listener, url) = Endpoint::bind(0).await.unwrap();
        let calls = CallLog::default();
        let endpoint = Endpoint::new(&stack, &faults, &record, &functions)
            .guarded(Access::enforcing(&stack, &arns))
            .timed(Some(calls.clone()))
            .with_s3(S3::new(&stack, buckets, queues.clone(), arns));
        let server = tokio::spawn(endpoint.serve(listener));
        Self {
            url,
            clock,
            faults,
            calls,
            queues,
            record: file,
            stack,
            client: reqwest::Client::new(),
            server,
        }
    }

    /// A request of `Import`.
    pub(super) fn request(&self, method: &str, path: &str) -> Call<'_> {
        Call {
            world: self,
            method: method.parse().unwrap(),
            path: path.to_owned(),
            key: "Import",
            secret: "local",
            region: "eu-central-1",
            headers: Vec::new(),
            body: Vec::new(),
            unsigned_payload: false,
        }
    }

    pub(super) async fn put(&self, path: &str, body: &[u8]) -> Answer {
        let answer = self.request("PUT", path).body(body).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.request("GET", path).send().await
    }

    pub(super) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(String, String)],
        body: Vec<u8>,
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.client.request(method, url).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let response = request.send().await?;
        Ok(Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.bytes().await?.to_vec(),
        })
    }

    fn recorded(&self) -> Vec<(String, String)> {
        let record = std::fs::read_to_string(self.record.path()).unwrap();
        let lines = record.lines().map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
            (text("action"), text("operation"))
        });
        lines.collect()
    }
}

/// A request that is about to be signed.
pub(super) struct Call<'a> {
    world: &'a World,
    method: Method,
    path: String,
    key: &'static str,
    secret: &'static str,
    region: &'static str,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    unsigned_payload: bool,
}

impl Call<'_> {
    pub(super) fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn by(mut self, key: &'static str) -> Self {
        self.key = key;
        self
    }

    fn streaming(mut self) -> Self {
        self.unsigned_payload = true;
        self
    }

    pub(super) async fn send(self) -> Answer {
        self.try_send().await.unwrap()
    }

    pub(super) async fn try_send(self) -> Result<Answer, reqwest::Error> {
        let url = format!("{}{}", self.world.url, self.path);
        let mut headers = self.headers;
        let body = if self.unsigned_payload {
            SignableBody::StreamingUnsignedPayloadTrailer
        } else {
            SignableBody::Bytes(&self.body)
        };
        let mut settings = settings();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let signed = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let request = SignableRequest::new(self.method.as_str(), &url, signed, body).unwrap();
        let identity = credentials(self.key, self.secret).into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name("s3")
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .unwrap();
        let (instructions, _) = sign(request, &parameters.into()).unwrap().into_parts();
        let signature = instructions.headers();
        headers.extend(signature.map(|(name, value)| (name.to_owned(), value.to_owned())));
        self.world
            .send(self.method, &url, &headers, self.body)
            .await
    }
}

/// How S3's requests are signed, as opposed to those of other services.
pub(super) fn settings() -> SigningSettings {
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings
}

pub(super) fn credentials(key: &str, secret: &str) -> Credentials {
    Credentials::new(key, secret, Some(format!("{key}-1")), None, "test")
}

pub(super) fn crc32(body: &[u8]) -> String {
    STANDARD.encode(crc32fast::hash(body).to_be_bytes())
}
