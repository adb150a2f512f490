//! Pages that use a bucket.

use super::*;

impl World {
    async fn preflight(&self, origin: &str, method: &str, headers: &str) -> Answer {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", method),
            ("access-control-request-headers", headers),
        ];
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let url = format!("{}/shop-files/imports/a", self.url);
        let headers = headers.map(owned);
        self.send(Method::OPTIONS, &url, &headers, Vec::new())
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn a_browser_learns_whether_a_page_may_send() {
    let world = World::new().await;
    let page = "http://localhost:3000";
    let allowed = world
        .preflight(page, "PUT", "content-type, content-md5")
        .await;
    assert_eq!(allowed.status, 200, "{}", allowed.text());
    assert_eq!(allowed.header("access-control-allow-origin"), page);
    assert_eq!(allowed.header("access-control-allow-methods"), "PUT, POST");
    assert_eq!(
        allowed.header("access-control-allow-headers"),
        "content-type, content-md5"
    );
    assert_eq!(allowed.header("access-control-max-age"), "600");
    for (origin, method, headers) in [
        ("http://127.0.0.1:3000", "PUT", ""),
        (page, "GET", ""),
        (page, "PUT", "x-amz-meta-rows"),
    ] {
        let refused = world.preflight(origin, method, headers).await;
        assert_eq!(
            refused.refusal(),
            (403, "AccessForbidden".into()),
            "{origin} {method}"
        );
        assert_eq!(refused.header("access-control-allow-origin"), "");
    }
    let foreign = world.preflight("https://evil.example", "PUT", "").await;
    assert_eq!(
        (
            foreign.status.as_u16(),
            foreign.header("access-control-allow-origin")
        ),
        (403, "")
    );
}

#[tokio::test]
async fn a_page_may_read_the_response_even_if_it_is_a_refusal() {
    let world = World::new().await;
    for (path, status) in [("/shop-files/imports/a", 200), ("/shop-files/other", 403)] {
        for (origin, allowed) in [
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://127.0.0.1:3000", ""),
        ] {
            let call = world.request("PUT", path).header("origin", origin);
            let answer = call.send().await;
            assert_eq!(answer.status, status);
            assert_eq!(answer.header("access-control-allow-origin"), allowed);
            let exposed = if allowed.is_empty() { "" } else { "ETag" };
            assert_eq!(answer.header("access-control-expose-headers"), exposed);
        }
    }
}
