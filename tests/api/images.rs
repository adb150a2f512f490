//! Images of products, uploaded to the bucket with the form that the shop signs.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::support::client::Call;
use crate::support::people::product;
use crate::support::run_local;
use crate::support::shop::{Setup, Shop};

const MOST_BYTES: usize = 10 * 1024 * 1024;

/// The first bytes of a JPEG file, some of which are no text.
const FILE: &[u8] = b"\xff\xd8\xff\xe0\x00\x10JFIF\r\n--\r\n\x00";

impl Shop {
    /// Names an image of `content_type`, and returns it with its form.
    async fn image(&self, content_type: &str) -> Value {
        let admin = self.admin().await;
        let call = self.post("/images").bearer(&admin.token);
        let call = call.json(&json!({"content_type": content_type}));
        call.send().await.expect(201).json()
    }

    /// Names an image of `content_type`, uploads `file` for it, and returns its address.
    async fn uploaded(&self, content_type: &str, file: &[u8]) -> String {
        let image = self.image(content_type).await;
        assert_eq!(send(&image["upload"], file).await, (204, String::new()));
        image["url"].as_str().unwrap().to_owned()
    }

    /// Returns what is at the address `url` of an image, through the redirect.
    async fn shown(&self, url: &str) -> Response {
        let found = self.get(url).send().await.expect(307);
        assert_eq!(found.header("cache-control"), Some("public, max-age=1800"));
        reqwest::get(found.header("location").unwrap())
            .await
            .unwrap()
    }
}

/// Sends `file` with `form` as a browser does. Returns the status of the response and the code of the error in it.
async fn send(form: &Value, file: &[u8]) -> (u16, String) {
    let mut body = Vec::new();
    let fields = form["fields"].as_object().unwrap();
    for (name, value) in fields {
        let value = value.as_str().unwrap();
        let field =
            format!("--xyz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(field.as_bytes());
    }
    let head = "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"cup.html\"\r\n\
                Content-Type: text/html\r\n\r\n";
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--xyz--\r\n");
    let post = reqwest::Client::new().post(form["url"].as_str().unwrap());
    let post = post.header("content-type", "multipart/form-data; boundary=xyz");
    let response = post.body(body).send().await.unwrap();
    let (status, text) = (response.status().as_u16(), response.text().await.unwrap());
    let code = text
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"));
    (
        status,
        code.map(|(code, _)| code.to_owned()).unwrap_or_default(),
    )
}

#[test]
fn an_uploaded_image_is_served_as_it_was_sent() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        for content_type in [
            "image/avif",
            "image/gif",
            "image/jpeg",
            "image/png",
            "image/webp",
        ] {
            let url = shop.uploaded(content_type, FILE).await;
            let shown = shop.shown(&url).await;
            assert_eq!(shown.status(), StatusCode::OK);
            let header = |name: &str| shown.headers()[name].to_str().unwrap().to_owned();
            // The type that was signed, not that of the part of the form.
            assert_eq!(header("content-type"), content_type);
            assert_eq!(header("content-disposition"), "inline");
            assert_eq!(
                header("cache-control"),
                "public, max-age=31536000, immutable"
            );
            assert_eq!(shown.bytes().await.unwrap(), FILE);
        }
        let largest = vec![7; MOST_BYTES];
        let url = shop.uploaded("image/png", &largest).await;
        assert_eq!(shop.shown(&url).await.bytes().await.unwrap(), largest);
    });
}

#[test]
fn a_product_shows_its_images_in_their_order() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let admin = shop.admin().await;
        let (first, last) = (
            shop.uploaded("image/webp", FILE).await,
            // This one is uploaded later, or never.
            shop.image("image/gif").await["url"].clone(),
        );
        let images = json!([
            {"url": last, "alt": "From above"},
            {"url": "https://example.com/cup.jpg", "alt": "A cup"},
            {"url": first, "alt": ""},
        ]);
        let made = shop.post("/products").bearer(&admin.token);
        let made = made.json(&product("Cup", "12.00")).send().await.expect(201);
        let path = made.header("location").unwrap().to_owned();
        let change = async |images: &Value| {
            let call = shop.patch(&path).bearer(&admin.token);
            let call = call.header("if-match", "*");
            call.json(&json!({"images": images})).send().await
        };
        change(&images).await.expect(200);
        let shown = shop.get(&path).send().await.expect(200).json();
        assert_eq!(shown["images"], images);

        let elsewhere = [
            "/images/cup.jpg",
            "/other/0195a1c3-2b00-7c11-8d3e-5a6b7c8d9e02.jpg",
            "//example.com/images/0195a1c3-2b00-7c11-8d3e-5a6b7c8d9e02.jpg",
            "/images/0195a1c3-2b00-7c11-8d3e-5a6b7c8d9e02.svg",
        ];
        let elsewhere = elsewhere.map(|url| json!({"url": url}));
        let refused = change(&json!(elsewhere)).await.expect(422).json();
        let faults = refused["errors"].as_array().unwrap();
        assert_eq!(faults.len(), elsewhere.len(), "{refused}");
        assert_eq!(faults[3]["pointer"], "/images/3/url");
        let shown = shop.get(&path).send().await.expect(200).json();
        assert_eq!(shown["images"], images);
    });
}

#[test]
fn the_bucket_takes_only_what_the_form_is_for() {
    run_local(async {
        let shop = Shop::start(Setup {
            manual_clock: true,
            ..Setup::default()
        })
        .await;
        let image = shop.image("image/jpeg").await;
        let form = &image["upload"];
        let with = |name: &str, value: &str| {
            let mut changed = form.clone();
            changed["fields"][name] = json!(value);
            changed
        };
        let (denied, other) = ("AccessDenied", shop.image("image/jpeg").await);
        let key = other["upload"]["fields"]["key"].as_str().unwrap();
        for changed in [
            with("key", key),
            with("key", "images/index.html"),
            with("Content-Type", "text/html"),
            with("Content-Disposition", "attachment"),
            with("Cache-Control", "no-store"),
            with("x-amz-meta-more", "1"),
        ] {
            assert_eq!(
                send(&changed, FILE).await,
                (403, denied.to_owned()),
                "{changed}"
            );
        }
        let policy = form["fields"]["policy"].as_str().unwrap();
        let policy = String::from_utf8(STANDARD.decode(policy).unwrap()).unwrap();
        let longer = policy.replace("10485760", "10485761");
        assert_ne!(longer, policy);
        let forged = with("policy", &STANDARD.encode(longer));
        assert_eq!(
            send(&forged, FILE).await,
            (403, "SignatureDoesNotMatch".to_owned())
        );
        let larger = vec![7; MOST_BYTES + 1];
        assert_eq!(
            send(form, &larger).await,
            (400, "EntityTooLarge".to_owned())
        );
        assert_eq!(send(form, b"").await, (400, "EntityTooSmall".to_owned()));
        let url = image["url"].as_str().unwrap();
        // None of this has made a file. What is not there is not told apart from what may not be read.
        assert_eq!(shop.shown(url).await.status(), StatusCode::FORBIDDEN);

        shop.advance(899).await;
        assert_eq!(send(form, FILE).await.0, 204);
        shop.advance(2).await;
        assert_eq!(send(form, FILE).await, (403, denied.to_owned()));
        assert_eq!(shop.shown(url).await.status(), StatusCode::OK);
        let found = shop.get(url).send().await.expect(307);
        let location = found.header("location").unwrap();
        shop.advance(3601).await;
        let late = reqwest::get(location).await.unwrap();
        assert_eq!(late.status(), StatusCode::FORBIDDEN);
    });
}

#[test]
fn only_admins_name_images_and_anybody_sees_them() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let customer = shop.customer().await;
        let body = json!({"content_type": "image/jpeg"});
        let create = || shop.post("/images").json(&body);
        create().send().await.expect(401);
        create().bearer(&customer.token).send().await.expect(403);
        let admin = shop.admin().await;
        let drawing = shop.post("/images").bearer(&admin.token);
        let drawing = drawing.json(&json!({"content_type": "image/svg+xml"}));
        let refused = drawing.send().await.expect(422).json();
        let detail = refused["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.contains("image/webp. SVG is not taken"), "{detail}");

        let url = shop.uploaded("image/jpeg", FILE).await;
        shop.call(Method::HEAD, &url).send().await.expect(307);
        for wrong in ["/images/cup.jpg".to_owned(), url.replace("jpg", "svg")] {
            let missing = shop.get(&wrong).send().await.expect(404);
            assert_eq!(missing.json()["type"], "urn:oxcart:problem:not-found");
        }
    });
}

#[test]
fn pages_of_the_shop_may_upload_and_others_may_not() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let image = shop.image("image/jpeg").await;
        let url = image["upload"]["url"].as_str().unwrap();
        let client = reqwest::Client::new();
        let asked = async |origin: &str, method: &str| {
            let call = Call::new(&client, Method::OPTIONS, url).header("origin", origin);
            call.header("access-control-request-method", method)
                .send()
                .await
        };
        let allowed = asked("http://localhost:5173", "POST").await.expect(200);
        let origin = allowed.header("access-control-allow-origin");
        assert_eq!(origin, Some("http://localhost:5173"));
        asked("http://localhost:5173", "PUT").await.expect(403);
        asked("http://localhost:4444", "POST").await.expect(403);
    });
}
