//! Requests that go no further, and how the others find their route.

use super::*;

#[tokio::test]
async fn a_chunked_body_that_is_malformed_is_a_bad_request() {
    let shop = shop().await;
    let request = "POST /say HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nnot a size\r\n\r\n";
    assert_eq!(shop.raw(request).await, 400);
}

#[tokio::test]
async fn a_request_has_one_host_that_is_a_host() {
    let shop = shop().await;
    for (hosts, status) in [
        ("host: localhost\r\n", 200),
        ("host: 127.0.0.1:3000\r\n", 200),
        ("host: [::1]:3000\r\n", 200),
        ("", 400),
        ("host: a\r\nhost: a\r\n", 400),
        ("host: a\r\nHOST: b\r\n", 400),
        ("host: a:b\r\n", 400),
        ("host: [::1\r\n", 400),
    ] {
        let request = format!("GET /echo/1 HTTP/1.1\r\n{hosts}\r\n");
        assert_eq!(shop.raw(&request).await, status, "{hosts}");
    }
}

#[tokio::test]
async fn a_host_that_is_another_machine_is_refused_and_a_foreign_origin_is_not() {
    let shop = shop().await;
    for (headers, status) in [
        ("host: shop.example\r\n", 403),
        ("host: 10.0.0.1:3000\r\n", 403),
        ("host: localhost.shop.example\r\n", 403),
        (
            "host: localhost:3000\r\norigin: https://other.example\r\n",
            200,
        ),
    ] {
        let request = format!("GET /echo/1 HTTP/1.1\r\n{headers}\r\n");
        assert_eq!(shop.raw(&request).await, status, "{headers}");
    }
}

#[tokio::test]
async fn request_line_and_header_values_have_10240_bytes_at_most() {
    let shop = shop().await;
    let host = shop.url.len() - "http://".len();
    // What is beside the part of which the length is tried: the host's value, and `accept: */*`.
    let line = |path: &str| "GET  HTTP/1.1".len() + path.len() + host + "*/*".len();
    for (more, status) in [(0, 200), (1, 431)] {
        let value = "x".repeat(10_240 - line("/echo/1") + more);
        let large = shop.request("GET", "/echo/1").header("x-large", value);
        assert_eq!(large.send().await.unwrap().status(), status);
        let query = "x".repeat(10_240 - line("/echo/1?") + more);
        let long = shop.request("GET", &format!("/echo/1?{query}"));
        let response = long.send().await.unwrap();
        assert_eq!(response.status(), status);
        if status == 431 {
            let body = r#"{"message":"Request Header Fields Too Large"}"#;
            assert_eq!(response.text().await.unwrap(), body);
        }
    }
}

#[tokio::test]
async fn a_path_is_decoded_before_it_finds_its_route() {
    let shop = shop().await;
    for (path, status) in [
        ("/echo/1%252F0", 200),
        ("/echo/1%2F0", 404),
        ("/%65cho/1", 200),
    ] {
        let response = shop.request("GET", path).send().await.unwrap();
        assert_eq!(response.status(), status, "{path}");
    }
}
