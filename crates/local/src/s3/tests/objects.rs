//! Objects, through the port.

use super::*;

#[tokio::test]
async fn an_object_is_got_as_it_was_put() {
    let world = World::new().await;
    let path = "/shop-files/imports/Gr%C3%B6%C3%9Fe%20%2B%26%25.csv";
    let put = world
        .request("PUT", path)
        .header("content-type", "text/csv")
        .header("x-amz-meta-rows", "2")
        .header("x-amz-checksum-crc32", &crc32(b"a,b\n1,2\n"))
        .header(
            "content-md5",
            &STANDARD.encode(md5::compute("a,b\n1,2\n").0),
        )
        .body(b"a,b\n1,2\n")
        .send()
        .await;
    assert_eq!(put.status, 200, "{}", put.text());
    let etag = format!("\"{:x}\"", md5::compute("a,b\n1,2\n"));
    assert_eq!(put.header("etag"), etag);
    for method in ["GET", "HEAD"] {
        let call = world
            .request(method, path)
            .header("x-amz-checksum-mode", "ENABLED");
        let got = call.send().await;
        assert_eq!(got.status, 200);
        assert_eq!(got.header("etag"), etag);
        assert_eq!(got.header("content-type"), "text/csv");
        assert_eq!(got.header("content-length"), "8");
        assert_eq!(got.header("x-amz-meta-rows"), "2");
        assert_eq!(got.header("x-amz-checksum-crc32"), crc32(b"a,b\n1,2\n"));
        assert_eq!(got.header("last-modified"), "Thu, 12 Mar 2026 19:03:58 GMT");
        let expected: &[u8] = if method == "GET" { b"a,b\n1,2\n" } else { b"" };
        assert_eq!(got.body, expected);
    }
    world.put(path, b"").await;
    assert_eq!(world.get(path).await.body, b"");
    let deleted = world.request("DELETE", path).send().await;
    assert_eq!(deleted.status, 204);
    assert_eq!(world.get(path).await.refusal(), (404, "NoSuchKey".into()));
    let again = world.request("DELETE", path).send().await;
    assert_eq!(again.status, 204);
}

#[tokio::test]
async fn a_key_may_be_a_folder_of_another() {
    let world = World::new().await;
    let paths = [
        "/shop-files/imports/a",
        "/shop-files/imports/a/b",
        "/shop-files/imports/a/",
        "/shop-files/imports//",
    ];
    for path in paths {
        world.put(path, path.as_bytes()).await;
    }
    for path in paths {
        assert_eq!(world.get(path).await.text(), path);
    }
}

#[tokio::test]
async fn a_range_is_a_part_of_an_object() {
    let world = World::new().await;
    let path = "/shop-files/imports/digits";
    world.put(path, b"0123456789").await;
    for (range, status, body, content_range) in [
        ("bytes=0-0", 206, "0", "bytes 0-0/10"),
        ("bytes=2-4", 206, "234", "bytes 2-4/10"),
        ("bytes=7-", 206, "789", "bytes 7-9/10"),
        ("bytes=7-100", 206, "789", "bytes 7-9/10"),
        ("bytes=-3", 206, "789", "bytes 7-9/10"),
        ("bytes=-100", 206, "0123456789", "bytes 0-9/10"),
        ("bytes=4-2", 200, "0123456789", ""),
        ("lines=1-2", 200, "0123456789", ""),
    ] {
        let got = world
            .request("GET", path)
            .header("range", range)
            .send()
            .await;
        assert_eq!(got.status, status, "{range}");
        assert_eq!(got.text(), body, "{range}");
        assert_eq!(got.header("content-range"), content_range, "{range}");
    }
    for range in ["bytes=10-", "bytes=-0"] {
        let got = world
            .request("GET", path)
            .header("range", range)
            .send()
            .await;
        assert_eq!(got.refusal(), (416, "InvalidRange".into()), "{range}");
    }
}

#[tokio::test]
async fn a_write_happens_only_if_its_condition_holds() {
    let world = World::new().await;
    let path = "/shop-files/imports/a";
    let put = |name: &'static str, value: String, body: &'static [u8]| {
        let call = world.request("PUT", path).header(name, &value).body(body);
        async move { call.send().await }
    };
    let none = put("if-match", "\"x\"".into(), b"0").await;
    assert_eq!(none.refusal(), (404, "NoSuchKey".into()));
    let first = put("if-none-match", "*".into(), b"1").await;
    assert_eq!(first.status, 200);
    let failed = (412, "PreconditionFailed".to_owned());
    assert_eq!(
        put("if-none-match", "*".into(), b"2").await.refusal(),
        failed
    );
    assert_eq!(
        put("if-match", "\"x\"".into(), b"2").await.refusal(),
        failed
    );
    assert_eq!(world.get(path).await.body, b"1");
    let etag = first.header("etag").to_owned();
    assert_eq!(put("if-match", etag.clone(), b"3").await.status, 200);
    assert_eq!(put("if-match", etag, b"4").await.refusal(), failed);
    assert_eq!(world.get(path).await.body, b"3");
}

#[tokio::test]
async fn a_read_happens_only_if_its_condition_holds() {
    let world = World::new().await;
    let path = "/shop-files/imports/a";
    let etag = world.put(path, b"1").await.header("etag").to_owned();
    for (name, value, status) in [
        ("if-none-match", etag.as_str(), 304),
        ("if-none-match", "\"x\"", 200),
        ("if-match", etag.as_str(), 200),
        ("if-match", "\"x\"", 412),
    ] {
        for method in ["GET", "HEAD"] {
            let got = world.request(method, path).header(name, value).send().await;
            assert_eq!(got.status, status, "{method} {name}: {value}");
        }
    }
}

#[tokio::test]
async fn a_list_goes_on_where_its_page_ended() {
    let world = World::new().await;
    for key in [
        "imports/a",
        "imports/b",
        "imports/b/c",
        "imports/d",
        "imports/%C3%BC",
    ] {
        world.put(&format!("/shop-files/{key}"), b"1").await;
    }
    let list = |query: String| {
        let call = world.request("GET", &format!("/shop-files?list-type=2{query}"));
        async move { call.send().await }
    };
    let first = list("&prefix=imports%2F&max-keys=2".into()).await;
    assert_eq!(first.element("KeyCount"), "2", "{}", first.text());
    assert_eq!(first.element("IsTruncated"), "true");
    assert_eq!(first.element("Key"), "imports/a");
    assert_eq!(first.element("LastModified"), "2026-03-12T19:03:58.000Z");
    let token = first.element("NextContinuationToken");
    let second = list(format!("&prefix=imports%2F&continuation-token={token}")).await;
    assert_eq!(second.element("IsTruncated"), "false");
    assert_eq!(second.element("Key"), "imports/b/c");
    assert!(second.text().contains("<Key>imports/ü</Key>"));
    let encoded = list("&encoding-type=url&start-after=imports%2Fd".into()).await;
    assert_eq!(encoded.element("Key"), "imports/%C3%BC");
    assert_eq!(
        list("&prefix=imports%2Fb".into()).await.element("KeyCount"),
        "2"
    );
    assert_eq!(list("&prefix=other".into()).await.element("KeyCount"), "0");
    let wrong = list("&continuation-token=%21".into()).await;
    assert_eq!(wrong.refusal(), (400, "InvalidArgument".into()));
}

#[tokio::test]
async fn a_stream_in_chunks_is_decoded_and_its_checksum_verified() {
    let world = World::new().await;
    let send = |checksum: String, length: &'static str| {
        let body = format!("5\r\nhello\r\n1\r\n!\r\n0\r\nx-amz-checksum-crc32:{checksum}\r\n\r\n");
        let call = world
            .request("PUT", "/shop-files/imports/a")
            .header("content-encoding", "gzip,aws-chunked")
            .header("x-amz-decoded-content-length", length)
            .header("x-amz-trailer", "x-amz-checksum-crc32")
            .body(body.as_bytes())
            .streaming();
        async move { call.send().await }
    };
    assert_eq!(
        send(crc32(b"hello"), "6").await.refusal(),
        (400, "BadDigest".into())
    );
    assert_eq!(
        send(crc32(b"hello!"), "7").await.refusal(),
        (400, "IncompleteBody".into())
    );
    assert_eq!(send(crc32(b"hello!"), "6").await.status, 200);
    let got = world.get("/shop-files/imports/a").await;
    assert_eq!(got.body, b"hello!");
    assert_eq!(got.header("content-encoding"), "gzip");
}

#[tokio::test]
async fn a_stream_whose_chunks_are_signed_is_decoded() {
    let world = World::new().await;
    let send = |checksum: String| {
        // As the SDK for Rust sends it where there is no TLS.
        let body = format!(
            "6;chunk-signature=00\r\nhello!\r\n0;chunk-signature=01\r\n\
             x-amz-checksum-crc32:{checksum}\r\nx-amz-trailer-signature:02\r\n\r\n"
        );
        let kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
        let call = world
            .request("PUT", "/shop-files/imports/a")
            .by("operator")
            .header("content-encoding", "aws-chunked")
            .header("x-amz-content-sha256", kind)
            .header("x-amz-decoded-content-length", "6")
            .header("x-amz-trailer", "x-amz-checksum-crc32")
            .body(body.as_bytes());
        async move { call.send().await }
    };
    assert_eq!(
        send(crc32(b"hello")).await.refusal(),
        (400, "BadDigest".into())
    );
    assert_eq!(send(crc32(b"hello!")).await.status, 200);
    assert_eq!(world.get("/shop-files/imports/a").await.body, b"hello!");
}

#[tokio::test]
async fn a_body_that_is_not_what_was_said_is_refused() {
    let world = World::new().await;
    for (name, value, code) in [
        ("content-md5", STANDARD.encode([0; 16]), "BadDigest"),
        ("content-md5", "x".to_owned(), "InvalidDigest"),
        ("x-amz-checksum-crc32", crc32(b"other"), "BadDigest"),
        (
            "x-amz-checksum-sha256",
            STANDARD.encode([0; 32]),
            "BadDigest",
        ),
    ] {
        let call = world
            .request("PUT", "/shop-files/imports/a")
            .header(name, &value);
        let refused = call.body(b"body").send().await;
        assert_eq!(refused.refusal(), (400, code.to_owned()), "{name}");
    }
    assert_eq!(world.get("/shop-files/imports/a").await.status, 404);
}

#[tokio::test]
async fn what_is_not_emulated_is_refused_by_its_name() {
    let world = World::new().await;
    for (method, path, header, named) in [
        ("GET", "/shop-files?acl", "", "acl"),
        (
            "GET",
            "/shop-files?list-type=2&delimiter=%2F",
            "",
            "delimiter",
        ),
        ("PUT", "/shop-files/imports/a?tagging", "", "tagging"),
        ("PUT", "/shop-files/imports/a", "x-amz-acl", "x-amz-acl"),
        (
            "PUT",
            "/shop-files/imports/a",
            "x-amz-copy-source",
            "x-amz-copy-source",
        ),
        (
            "PUT",
            "/shop-files/imports/a",
            "x-amz-checksum-sha1",
            "x-amz-checksum-sha1",
        ),
        (
            "GET",
            "/shop-files/imports/a",
            "if-modified-since",
            "if-modified-since",
        ),
        ("POST", "/shop-files?delete", "", "delete"),
        ("DELETE", "/shop-files", "", "DELETE /shop-files"),
    ] {
        let mut call = world.request(method, path);
        if !header.is_empty() {
            call = call.header(header, "1");
        }
        let refused = call.send().await;
        assert_eq!(
            refused.refusal(),
            (501, "NotImplemented".into()),
            "{method} {path}"
        );
        assert!(
            refused.element("Message").contains(named),
            "{}",
            refused.text()
        );
    }
    let other = world.get("/other/imports/a").await;
    assert_eq!(other.refusal(), (404, "NoSuchBucket".into()));
    let long = "x".repeat(1025);
    let long = world.get(&format!("/shop-files/{long}")).await;
    assert_eq!(long.refusal(), (400, "KeyTooLongError".into()));
}

#[test]
fn a_key_is_no_path() {
    for (path, key) in [
        ("/shop-files/../../etc/passwd", "../../etc/passwd"),
        ("/shop-files/%2e%2e/a%00b", "../a\0b"),
        ("/shop-files/a//b/", "a//b/"),
        ("/shop-files", ""),
    ] {
        let found = super::super::request::bucket_and_key(path).unwrap();
        assert_eq!(found, (BUCKET.to_owned(), key.to_owned()));
        let data = tempfile::tempdir().unwrap();
        let buckets = Buckets::open(&stack(), &Clock::system(), Some(data.path())).unwrap();
        let store = buckets.store(BUCKET).unwrap();
        let file = store.incoming();
        std::fs::write(file.path(), "x").unwrap();
        let (details, condition) = Default::default();
        let now = Timestamp::UNIX_EPOCH;
        let put = store.put(BUCKET, key, &file, 1, now, &details, &condition);
        put.unwrap().unwrap();
        assert!(store.get(BUCKET, key).unwrap().is_some());
        let names = std::fs::read_dir(data.path()).unwrap();
        assert_eq!(names.count(), 1, "{path}");
    }
}
