//! Uploads by forms.

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use serde_json::json;

use super::*;

/// A form that `Import` has signed, for files of 2 to 10 bytes under `imports/`.
struct Form<'a> {
    key: &'a str,
    secret: &'a str,
    fields: Vec<(&'a str, String)>,
    conditions: Vec<Value>,
    expiration: &'a str,
    file: &'a [u8],
}

impl Form<'_> {
    fn new() -> Self {
        Self {
            key: "Import",
            secret: "local",
            fields: vec![
                ("key", "imports/${filename}".to_owned()),
                ("Content-Type", "text/csv".to_owned()),
                ("x-amz-meta-rows", "2".to_owned()),
            ],
            conditions: vec![
                json!({"bucket": "shop-files"}),
                json!(["starts-with", "$key", "imports/"]),
                json!(["eq", "$content-type", "text/csv"]),
                json!(["starts-with", "$x-amz-meta-rows", ""]),
                json!(["content-length-range", 2, 10]),
            ],
            expiration: "2026-03-12T19:13:58Z",
            file: b"a,b\n",
        }
    }

    /// The fields, with those of the signature, which AWS's own code computes.
    fn signed(mut self) -> Self {
        let token = format!("{}-1", self.key);
        let own = [
            ("x-amz-algorithm", "AWS4-HMAC-SHA256".to_owned()),
            (
                "x-amz-credential",
                format!("{}/20260312/eu-central-1/s3/aws4_request", self.key),
            ),
            ("x-amz-date", "20260312T190358Z".to_owned()),
            ("x-amz-security-token", token),
        ];
        self.conditions
            .extend(own.iter().map(|(name, value)| json!({*name: value})));
        self.fields.extend(own);
        let policy = json!({"expiration": self.expiration, "conditions": self.conditions});
        let policy = STANDARD.encode(policy.to_string());
        let time = "2026-03-12T19:03:58Z".parse::<Timestamp>().unwrap();
        let key = generate_signing_key(self.secret, SystemTime::from(time), "eu-central-1", "s3");
        let signature = calculate_signature(key, policy.as_bytes());
        self.fields.push(("policy", policy));
        self.fields.push(("x-amz-signature", signature));
        self
    }

    /// As a browser sends it.
    async fn send(self, world: &World) -> Answer {
        let mut body = Vec::new();
        for (name, value) in &self.fields {
            let head = format!("--xyz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
            body.extend_from_slice(format!("{head}{value}\r\n").as_bytes());
        }
        let head = "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a b.csv\"\r\n\
                    Content-Type: text/csv\r\n\r\n";
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(self.file);
        body.extend_from_slice(b"\r\n--xyz--\r\n");
        let kind = "multipart/form-data; boundary=xyz".to_owned();
        let headers = [("content-type".to_owned(), kind)];
        let url = format!("{}/shop-files", world.url);
        world
            .send(Method::POST, &url, &headers, body)
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn a_form_that_a_function_has_signed_makes_an_object() {
    let world = World::new().await;
    let answer = Form::new().signed().send(&world).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    let etag = format!("\"{:x}\"", md5::compute("a,b\n"));
    assert_eq!(answer.header("etag"), etag);
    let got = world.get("/shop-files/imports/a%20b.csv").await;
    assert_eq!(got.body, b"a,b\n");
    assert_eq!(got.header("content-type"), "text/csv");
    assert_eq!(got.header("x-amz-meta-rows"), "2");
    assert_eq!(got.header("key"), "");
    let told = &world.told().await[0]["Records"][0];
    assert_eq!(told["eventName"], "ObjectCreated:Post");
    assert_eq!(told["s3"]["object"]["key"], "imports/a+b.csv");
    assert_eq!(
        world.recorded()[0],
        ("s3:PutObject".into(), "PostObject".into())
    );
}

#[tokio::test]
async fn a_form_says_how_it_is_answered() {
    let world = World::new().await;
    let mut form = Form::new();
    form.fields
        .push(("success_action_status", "201".to_owned()));
    form.conditions
        .push(json!({"success_action_status": "201"}));
    let answer = form.signed().send(&world).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.element("Key"), "imports/a b.csv");
    let location = format!("{}/shop-files/imports/a%20b.csv", world.url);
    assert_eq!(answer.element("Location"), location);
}

#[tokio::test]
async fn every_field_is_as_the_policy_says() {
    let world = World::new().await;
    let check = async |change: fn(&mut Form<'_>), code: &str, message: &str| {
        let mut form = Form::new();
        change(&mut form);
        let refused = form.signed().send(&world).await;
        assert_eq!(refused.element("Code"), code, "{}", refused.text());
        assert!(
            refused.element("Message").contains(message),
            "{}",
            refused.text()
        );
        let status = if code == "AccessDenied" {
            403
        } else {
            refused.status.as_u16()
        };
        assert_eq!(refused.status, status);
    };
    let denied = "AccessDenied";
    check(
        |form| form.fields[0].1 = "other/a".into(),
        denied,
        "Policy Condition failed",
    )
    .await;
    check(
        |form| form.fields[1].1 = "text/html".into(),
        denied,
        "Policy Condition failed",
    )
    .await;
    check(
        |form| drop(form.fields.remove(1)),
        denied,
        "Policy Condition failed",
    )
    .await;
    check(
        |form| drop(form.conditions.remove(0)),
        denied,
        "Extra input fields: bucket",
    )
    .await;
    check(
        |form| drop(form.conditions.remove(3)),
        denied,
        "Extra input fields: x-amz-meta-rows",
    )
    .await;
    check(
        |form| form.conditions[0] = json!({"bucket": "other"}),
        denied,
        "Policy Condition failed",
    )
    .await;
    check(
        |form| form.expiration = "2026-03-12T19:03:58Z",
        denied,
        "Policy expired",
    )
    .await;
    check(|form| form.file = b"1", "EntityTooSmall", "smaller").await;
    check(
        |form| form.file = b"12345678901",
        "EntityTooLarge",
        "exceeds",
    )
    .await;
    check(
        |form| drop(form.fields.remove(0)),
        "InvalidArgument",
        "'key'",
    )
    .await;
    check(
        |form| form.fields.push(("acl", "private".into())),
        "NotImplemented",
        "acl",
    )
    .await;
    check(
        |form| form.conditions.push(json!(["ends-with", "$key", ""])),
        "InvalidPolicyDocument",
        "ends-with",
    )
    .await;
    assert_eq!(
        world
            .request("GET", "/shop-files?list-type=2")
            .send()
            .await
            .element("KeyCount"),
        "0"
    );
    let mut ignored = Form::new();
    ignored.fields.push(("x-ignore-this", "1".into()));
    assert_eq!(ignored.signed().send(&world).await.status, 204);
}

#[tokio::test]
async fn a_form_allows_what_its_signer_may() {
    let world = World::new().await;
    let denied = (403, "AccessDenied".to_owned());
    let by_reader = Form {
        key: "Reader",
        ..Form::new()
    };
    assert_eq!(by_reader.signed().send(&world).await.refusal(), denied);
    let forged = Form {
        secret: "guessed",
        ..Form::new()
    };
    let does_not_match = (403, "SignatureDoesNotMatch".to_owned());
    assert_eq!(forged.signed().send(&world).await.refusal(), does_not_match);
    let mut changed = Form::new().signed();
    let policy = changed
        .fields
        .iter_mut()
        .find(|(name, _)| *name == "policy")
        .unwrap();
    policy.1 = STANDARD.encode(r#"{"expiration": "2027-01-01T00:00:00Z", "conditions": []}"#);
    assert_eq!(changed.send(&world).await.refusal(), does_not_match);
    let mut without_token = Form::new().signed();
    without_token
        .fields
        .retain(|(name, _)| *name != "x-amz-security-token");
    assert_eq!(
        without_token.send(&world).await.refusal(),
        (403, "InvalidAccessKeyId".into())
    );
    assert_eq!(Form::new().send(&world).await.refusal(), denied);
    world
        .faults
        .set_text(&["s3:PostObject@import=throttle"])
        .unwrap();
    assert_eq!(
        Form::new().signed().send(&world).await.refusal(),
        (503, "SlowDown".into())
    );
}
