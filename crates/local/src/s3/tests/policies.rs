//! Who may do what, what is recorded of it, and what goes wrong.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

#[tokio::test]
async fn a_function_may_do_what_its_policy_says() {
    let world = World::new().await;
    let denied = (403, "AccessDenied".to_owned());
    world.put("/shop-files/imports/a", b"1").await;
    let read = world.request("GET", "/shop-files/imports/a").by("Reader");
    assert_eq!(read.send().await.status, 200);
    for (method, path) in [
        ("PUT", "/shop-files/imports/a"),
        ("DELETE", "/shop-files/imports/a"),
        ("GET", "/shop-files/other"),
        ("GET", "/shop-files?list-type=2"),
        ("POST", "/shop-files/imports/a?uploads"),
    ] {
        let refused = world.request(method, path).by("Reader").send().await;
        assert_eq!(refused.refusal(), denied, "{method} {path}");
        assert!(
            refused.text().contains("is not authorized to perform: s3:"),
            "{}",
            refused.text()
        );
    }
    let outside = world.request("PUT", "/shop-files/other").send().await;
    assert_eq!(outside.refusal(), denied);
    let operator = world.request("PUT", "/shop-files/other").by("operator");
    assert_eq!(operator.send().await.status, 200);
}

#[tokio::test]
async fn who_may_not_list_does_not_learn_what_is_missing() {
    let world = World::new().await;
    let path = "/shop-files/imports/missing";
    for (method, key, status) in [
        ("GET", "Import", 404),
        ("HEAD", "Import", 404),
        ("GET", "Reader", 403),
        ("HEAD", "Reader", 403),
    ] {
        let answer = world.request(method, path).by(key).send().await;
        assert_eq!(answer.status, status, "{method} by {key}");
        assert_eq!(answer.body.is_empty(), method == "HEAD");
    }
}

#[tokio::test]
async fn what_is_not_signed_is_denied() {
    let world = World::new().await;
    world.put("/shop-files/imports/a", b"1").await;
    let url = format!("{}/shop-files/imports/a", world.url);
    for method in [Method::GET, Method::PUT] {
        let answer = world.send(method, &url, &[], Vec::new()).await.unwrap();
        assert_eq!(answer.refusal(), (403, "AccessDenied".into()));
    }
}

#[tokio::test]
async fn who_sends_a_large_body_first_and_reads_afterwards_is_told_why_it_is_refused() {
    let world = World::new().await;
    let address = world.url.strip_prefix("http://").unwrap();
    let length = 15 * 1024 * 1024;
    let head = format!(
        "PUT /shop-files/imports/a HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-length: {length}\r\n\r\n"
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![0; length]).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    assert!(response.contains("<Code>AccessDenied</Code>"), "{response}");
}

#[tokio::test]
async fn what_was_used_is_recorded_and_timed() {
    let world = World::new().await;
    world.put("/shop-files/imports/a", b"1").await;
    world.get("/shop-files/imports/a").await;
    world.get("/shop-files/imports/missing").await;
    let recorded = world.recorded();
    let expected = [
        ("s3:PutObject", "PutObject"),
        ("s3:GetObject", "GetObject"),
        ("s3:GetObject", "GetObject"),
        ("s3:ListBucket", "ListObjectsV2"),
    ];
    let expected = expected.map(|(action, operation)| (action.to_owned(), operation.to_owned()));
    assert_eq!(recorded, expected);
    let mut usage = Usage::new(&world.stack);
    usage
        .add(&std::fs::read_to_string(world.record.path()).unwrap())
        .unwrap();
    assert_eq!(usage.missing(), []);
    let unused: Vec<_> = usage
        .unused()
        .into_iter()
        .map(|need| need.permission.action)
        .collect();
    assert_eq!(
        unused,
        ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject"]
    );
    let timed: Vec<_> = world
        .calls
        .take()
        .into_iter()
        .map(|call| call.action)
        .collect();
    assert_eq!(timed, ["s3:PutObject", "s3:GetObject", "s3:GetObject"]);
}

#[tokio::test]
async fn faults_happen_to_calls() {
    let world = World::new().await;
    let path = "/shop-files/imports/a";
    let fault = |mode: &str| {
        world
            .faults
            .set_text(&[&format!("s3:PutObject@import={mode}")])
            .unwrap();
    };
    let put = |body: &'static [u8]| {
        let call = world
            .request("PUT", path)
            .body(body)
            .header("if-none-match", "*");
        async move { call.try_send().await }
    };
    fault("throttle");
    assert_eq!(put(b"1").await.unwrap().refusal(), (503, "SlowDown".into()));
    fault("error");
    assert_eq!(
        put(b"1").await.unwrap().refusal(),
        (500, "InternalError".into())
    );
    fault("timeout-before");
    assert!(put(b"1").await.is_err());
    fault("kill-before");
    assert!(put(b"1").await.is_err());
    assert_eq!(world.get(path).await.status, 404);
    fault("lost-answer");
    assert!(put(b"1").await.is_err());
    assert_eq!(world.get(path).await.body, b"1");
    let clear = world.request("DELETE", path).send().await;
    assert_eq!(clear.status, 204);
    // The second of the two finds what the first has put.
    fault("duplicate");
    assert_eq!(
        put(b"2").await.unwrap().refusal(),
        (412, "PreconditionFailed".into())
    );
    assert_eq!(world.get(path).await.body, b"2");
}
