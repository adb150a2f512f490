//! What a bucket tells queues of the objects that are put.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::uri;
use crate::arn::Arns;
use crate::model::{Notification, Stack};
use crate::queues::Queues;

/// How an object was made, as events name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Put,
    Parts,
    Post,
}

/// An object that was just made.
#[derive(Clone, Debug)]
pub(super) struct Created {
    pub(super) how: How,
    /// In bytes.
    pub(super) size: u64,
    /// Without quotes.
    pub(super) etag: String,
}

/// Sends events. Clones share the order of what happens.
#[derive(Clone, Debug)]
pub(super) struct Events {
    arns: Arns,
    queues: Queues,
    /// With the physical names of their buckets.
    notifications: Arc<Vec<(String, Notification)>>,
    /// What the next sequencer is made of.
    sequence: Arc<AtomicU64>,
}

impl How {
    fn name(self) -> &'static str {
        match self {
            Self::Put => "ObjectCreated:Put",
            Self::Post => "ObjectCreated:Post",
            Self::Parts => "ObjectCreated:CompleteMultipartUpload",
        }
    }
}

impl Events {
    pub(super) fn new(stack: &Stack, queues: Queues, arns: Arns, now: Timestamp) -> Self {
        let notifications = stack.notifications.iter();
        let notifications = notifications.filter_map(|notification| {
            let bucket = stack.buckets.get(&notification.bucket)?;
            Some((bucket.clone(), notification.clone()))
        });
        Self {
            arns,
            queues,
            notifications: Arc::new(notifications.collect()),
            // Greater than those of an earlier run.
            sequence: Arc::new(AtomicU64::new(now.as_microsecond().unsigned_abs())),
        }
    }

    /// Tells the queues that an object was made.
    pub(super) fn created(
        &self,
        bucket: &str,
        key: &str,
        who: &str,
        created: &Created,
        now: Timestamp,
    ) {
        let sequencer = self.sequence.fetch_add(1, Ordering::Relaxed);
        for (of, notification) in &*self.notifications {
            let about = of == bucket && notification.is_about(key);
            if about && notification.has(created.how.name()) {
                let mut record = self.record(bucket, key, created, now);
                record["userIdentity"]["principalId"] = format!("AWS:AROALOCAL:{who}").into();
                record["s3"]["configurationId"] = notification.id.clone().into();
                record["s3"]["object"]["sequencer"] = format!("{sequencer:016X}").into();
                let message = json!({ "Records": [record] }).to_string();
                self.queues
                    .send(&notification.queue, message, Value::Null, None);
            }
        }
    }

    fn record(&self, bucket: &str, key: &str, created: &Created, now: Timestamp) -> Value {
        json!({
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": self.arns.region(),
            "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
            "eventName": created.how.name(),
            "userIdentity": {},
            "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {
                "x-amz-request-id": Uuid::new_v4().to_string(),
                "x-amz-id-2": Uuid::new_v4().simple().to_string(),
            },
            "s3": {
                "s3SchemaVersion": "1.0",
                "bucket": {
                    "name": bucket,
                    "ownerIdentity": {"principalId": "LOCAL"},
                    "arn": self.arns.bucket(bucket),
                },
                "object": {
                    // As a form has it: a space is a plus.
                    "key": uri::encode(key, "/").replace("%20", "+"),
                    "size": created.size,
                    "eTag": created.etag,
                },
            },
        })
    }
}

impl Notification {
    /// Whether a key has its prefix and its suffix.
    fn is_about(&self, key: &str) -> bool {
        key.starts_with(&self.prefix) && key.ends_with(&self.suffix)
    }

    /// Whether it is about this event: its own, or all of a kind.
    fn has(&self, name: &str) -> bool {
        let event = self.event.strip_prefix("s3:").unwrap_or(&self.event);
        event
            .strip_suffix('*')
            .map_or(event == name, |kind| name.starts_with(kind))
    }
}
