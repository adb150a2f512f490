//! Requests as events.

use super::*;

#[tokio::test]
async fn a_request_becomes_an_event_in_format_two() {
    let shop = shop().await;
    let response = shop
        .request("PUT", "/echo/a%20b?q=x+y&tag=1&tag=2&empty=")
        .header("x-two", "a")
        .header("x-two", "b")
        .header("cookie", "one=1; two=2")
        .header("user-agent", "tests")
        .header("content-type", "application/json; charset=utf-8")
        .body("{\"ä\":1}")
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    let id = response.headers()["apigw-requestid"]
        .to_str()
        .unwrap()
        .to_owned();
    let mut event = json_of(&response.bytes().await.unwrap());
    let host = shop.url.strip_prefix("http://").unwrap();
    let (_, port) = host.split_once(':').unwrap();
    let trace = event["headers"]["x-amzn-trace-id"].take();
    assert!(
        trace.as_str().unwrap().starts_with("Root=1-69b30e1e-"),
        "{trace}"
    );
    assert_eq!(
        event,
        json!({
            "version": "2.0",
            "routeKey": "ANY /echo/{id}",
            "rawPath": "/echo/a b",
            "rawQueryString": "q=x+y&tag=1&tag=2&empty=",
            "cookies": ["one=1", "two=2"],
            "headers": {
                "accept": "*/*",
                "content-length": "8",
                "content-type": "application/json; charset=utf-8",
                "host": host,
                "user-agent": "tests",
                "x-amzn-trace-id": null,
                "x-forwarded-for": "127.0.0.1",
                "x-forwarded-port": port,
                "x-forwarded-proto": "http",
                "x-two": "a,b",
            },
            "queryStringParameters": {"empty": "", "q": "x y", "tag": "1,2"},
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "local",
                "domainName": host,
                "domainPrefix": "local",
                "http": {
                    "method": "PUT",
                    "path": "/echo/a b",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1",
                    "userAgent": "tests",
                },
                "requestId": id,
                "routeKey": "ANY /echo/{id}",
                "stage": "$default",
                "time": "12/Mar/2026:19:03:58 +0000",
                "timeEpoch": 1_773_342_238_390_i64,
            },
            "pathParameters": {"id": "a b"},
            "body": "{\"ä\":1}",
            "isBase64Encoded": false,
        })
    );
}

#[tokio::test]
async fn what_is_empty_is_left_out_of_the_event() {
    let shop = shop().await;
    let response = shop.request("GET", "/echo/1").send().await.unwrap();
    let event = json_of(&response.bytes().await.unwrap());
    for absent in ["body", "cookies", "queryStringParameters"] {
        assert_eq!(event.get(absent), None, "{absent}");
    }
    assert_eq!(event["isBase64Encoded"], false);
}

#[tokio::test]
async fn forms_and_binary_bodies_are_encoded() {
    let shop = shop().await;
    let cases: [(&str, &[u8]); 3] = [
        ("application/octet-stream", b"abc"),
        ("application/x-www-form-urlencoded", b"a=b"),
        ("text/plain", b"\xff\xfe"),
    ];
    for (content_type, body) in cases {
        let request = shop
            .request("POST", "/echo/1")
            .header("content-type", content_type);
        let response = request.body(body.to_vec()).send().await.unwrap();
        let event = json_of(&response.bytes().await.unwrap());
        assert_eq!(event["isBase64Encoded"], true, "{content_type}");
        assert_eq!(
            event["body"],
            BASE64_STANDARD.encode(body),
            "{content_type}"
        );
    }
}
