//! What queues are told of objects.

use serde_json::json;

use super::*;
use crate::aws::Caller;

impl World {
    /// The messages in the queue, which are gone afterwards.
    pub(super) async fn told(&self) -> Vec<Value> {
        let url = "http://queues/000000000000/shop-uploaded";
        let request = json!({"QueueUrl": url, "MaxNumberOfMessages": 10});
        let received = self
            .queues
            .call(&Caller::operator(), "ReceiveMessage", request)
            .await;
        let messages = received.unwrap()["Messages"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        for message in &messages {
            let delete = json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]});
            self.queues
                .call(&Caller::operator(), "DeleteMessage", delete)
                .await
                .unwrap();
        }
        let body =
            |message: &Value| serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
        messages.iter().map(body).collect()
    }
}

#[tokio::test]
async fn a_queue_is_told_of_an_object_as_s3_tells_it() {
    let world = World::new().await;
    world
        .put("/shop-files/imports/a%20%C3%BC%2B.csv", b"a,b\n")
        .await;
    let mut told = world.told().await;
    assert_eq!(told.len(), 1);
    let record = &mut told[0]["Records"][0];
    let sequencer = record["s3"]["object"]["sequencer"].take();
    assert_eq!(sequencer.as_str().unwrap().len(), 16);
    assert!(record["responseElements"].take().is_object());
    let expected = json!({
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "eu-central-1",
        "eventTime": "2026-03-12T19:03:58.700Z",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AROALOCAL:Import"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": null,
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "Files.csv",
            "bucket": {
                "name": "shop-files",
                "ownerIdentity": {"principalId": "LOCAL"},
                "arn": "arn:aws:s3:::shop-files",
            },
            "object": {
                "key": "imports/a+%C3%BC%2B.csv",
                "size": 4,
                "eTag": format!("{:x}", md5::compute("a,b\n")),
                "sequencer": null,
            },
        },
    });
    assert_eq!(*record, expected);
    world.put("/shop-files/imports/b.csv", b"").await;
    let next = &world.told().await[0]["Records"][0]["s3"]["object"]["sequencer"];
    assert!(next.as_str() > sequencer.as_str());
}

#[tokio::test]
async fn a_queue_is_told_only_of_what_it_is_to_know() {
    let world = World::new().await;
    world.put("/shop-files/imports/a.txt", b"1").await;
    world.put("/shop-files/imports/a.json", b"1").await;
    let outside = world.request("PUT", "/shop-files/a.csv").by("operator");
    assert_eq!(outside.send().await.status, 200);
    let refused = world
        .request("PUT", "/shop-files/imports/a.csv")
        .by("Reader");
    assert_eq!(refused.send().await.status, 403);
    world.get("/shop-files/imports/a.txt").await;
    world
        .request("DELETE", "/shop-files/imports/a.csv")
        .send()
        .await;
    assert_eq!(world.told().await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_upload_in_parts_is_told_once_it_is_complete() {
    let world = World::new().await;
    let path = "/shop-files/imports/a.json";
    let created = world
        .request("POST", &format!("{path}?uploads="))
        .send()
        .await;
    let upload = created.element("UploadId");
    let part = format!("{path}?partNumber=1&uploadId={upload}");
    let part = world.request("PUT", &part).body(b"part").send().await;
    assert_eq!(world.told().await, Vec::<Value>::new());
    let etag = part.header("etag");
    let body = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>\
         </CompleteMultipartUpload>"
    );
    let complete = world.request("POST", &format!("{path}?uploadId={upload}"));
    let completed = complete.body(body.as_bytes()).send().await;
    assert_eq!(completed.status, 200, "{}", completed.text());
    let told = world.told().await;
    let record = &told[0]["Records"][0];
    assert_eq!(record["eventName"], "ObjectCreated:CompleteMultipartUpload");
    assert_eq!(record["s3"]["object"]["size"], 4);
    assert_eq!(
        record["userIdentity"]["principalId"],
        "AWS:AROALOCAL:Import"
    );
}
