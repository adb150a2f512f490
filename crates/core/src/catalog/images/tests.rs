use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use expect_test::expect;
use serde_json::{Value, json};

use super::api::{create_image, get_image};
use super::model::{ImageName, ImageType};
use crate::aws::bucket::Bucket;
use crate::aws::form::FormSigner;
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::testing;
use crate::values::clock::Time;

/// 2026-03-01T09:30:00Z.
const NOW: i64 = 1_772_357_400_000;

fn request(body: &Value) -> Request {
    testing::request(Time::from_millis(NOW), body)
}

async fn create(request: Request) -> Result<Response, Problem> {
    let (aws, _) = testing::aws();
    let forms = FormSigner::of_images(&aws).unwrap();
    create_image(&forms, request).await
}

async fn get(name: &str) -> Result<Response, Problem> {
    let (aws, _) = testing::aws();
    let bucket = Bucket::of_images(&aws).unwrap();
    get_image(&bucket, request(&json!({})).at("image_name", name)).await
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    let mut headers = response.headers.iter();
    let found = headers.find(|(given, _)| *given == name);
    found.map_or("", |(_, value)| value)
}

#[tokio::test]
async fn a_form_is_for_one_file_of_one_type_and_a_bounded_length() {
    let body = json!({"content_type": "image/png"});
    let response = create(request(&body)).await.unwrap();
    let made: Value = serde_json::from_slice(&response.body).unwrap();
    let id = made["image_id"].as_str().unwrap();
    assert_eq!(made["url"], format!("/images/{id}.png"));
    assert_eq!(header(&response, "Location"), made["url"]);
    assert_eq!(made["expires_at"], "2026-03-01T09:45:00.000Z");
    assert_eq!(made["max_bytes"], 10 * 1024 * 1024);

    let fields = &made["upload"]["fields"];
    let policy = STANDARD.decode(fields["policy"].as_str().unwrap()).unwrap();
    let policy = String::from_utf8(policy).unwrap().replace(id, "<id>");
    expect![[r#"{"expiration":"2026-03-01T09:45:00.000Z","conditions":[{"bucket":"IMAGES_BUCKET"},["content-length-range",1,10485760],{"Cache-Control":"public, max-age=31536000, immutable"},{"Content-Disposition":"inline"},{"Content-Type":"image/png"},{"key":"images/<id>.png"},{"x-amz-algorithm":"AWS4-HMAC-SHA256"},{"x-amz-credential":"test/20260301/eu-central-1/s3/aws4_request"},{"x-amz-date":"20260301T093000Z"}]}"#]]
        .assert_eq(&policy);
    // What the policy says is in the form, and nothing else.
    let policy: Value = serde_json::from_str(&policy.replace("<id>", id)).unwrap();
    let mut conditions = policy["conditions"].as_array().unwrap().clone();
    conditions.retain(|condition| condition.is_object() && condition["bucket"].is_null());
    for condition in &conditions {
        for (name, value) in condition.as_object().unwrap() {
            assert_eq!(&fields[name], value, "{name}");
        }
    }
    assert_eq!(fields.as_object().unwrap().len(), conditions.len() + 2);
}

#[tokio::test]
async fn what_is_no_image_gets_no_form() {
    for given in [
        json!("image/svg+xml"),
        json!("image/jpg"),
        json!("IMAGE/PNG"),
        json!("text/html"),
        json!(null),
    ] {
        let refused = create(request(&json!({"content_type": given}))).await;
        let Err(Problem::InvalidBody(faults)) = refused else {
            panic!("{given}: {refused:?}");
        };
        assert_eq!(faults[0].pointer, "/content_type");
    }
    let refused = create(request(&json!({"content_type": "image/svg+xml"}))).await;
    let Err(Problem::InvalidBody(faults)) = refused else {
        panic!("{refused:?}");
    };
    expect!["this must be one of: image/avif, image/gif, image/jpeg, image/png, image/webp. SVG is not taken, because it can hold scripts"]
        .assert_eq(&faults[0].detail);
    let refused = create(request(&json!({"content_type": "image/png"})).of_customer()).await;
    assert!(matches!(refused, Err(Problem::Forbidden)));
}

#[tokio::test]
async fn an_image_is_led_to_for_longer_than_the_lead_is_kept() {
    let name = "0195a1c3-2b00-7c11-8d3e-5a6b7c8d9e02.avif";
    let response = get(name).await.unwrap();
    assert_eq!(response.status, 307);
    let location: http::Uri = header(&response, "Location").parse().unwrap();
    assert!(location.path().ends_with(&format!("/images/{name}")));
    let query = location.query().unwrap();
    let signed = |name: &str| {
        let mut parameters = form_urlencoded::parse(query.as_bytes());
        let found = parameters.find(|(given, _)| given == name);
        found.unwrap().1.into_owned()
    };
    assert_eq!(signed("X-Amz-Date"), "20260301T093000Z");
    let lifetime: u64 = signed("X-Amz-Expires").parse().unwrap();
    let kept = header(&response, "Cache-Control");
    let kept = kept.strip_prefix("public, max-age=").unwrap();
    let kept: u64 = kept.parse().unwrap();
    assert!((1..lifetime).contains(&kept), "{kept} of {lifetime}");
}

/// Texts that are near the name of an image.
const WRONG: [&str; 9] = [
    "",
    "a.jpg",
    "0195a1c3-2b00-7c11-8d3e-5a6b7c8d9e02",
    "0195a1c3-2b00-7c11-8d3e-5a6b7c8d9e02.",
    "0195a1c3-2b00-7c11-8d3e-5a6b7c8d9e02.svg",
    "0195a1c3-2b00-7c11-8d3e-5a6b7c8d9e02.jpeg",
    "0195A1C3-2B00-7C11-8D3E-5A6B7C8D9E02.jpg",
    "0195a1c3-2b00-7c11-8d3e-5a6b7c8d9e02.jpg.jpg",
    "../0195a1c3-2b00-7c11-8d3e-5a6b7c8d9e02.jpg",
];

#[tokio::test]
async fn a_name_that_no_image_can_have_is_not_found() {
    for name in WRONG {
        let refused = get(name).await;
        assert!(matches!(refused, Err(Problem::NotFound("image"))), "{name}");
        assert_eq!(ImageName::at(&format!("/images/{name}")), None, "{name}");
    }
}

#[test]
fn an_address_is_that_of_one_image() {
    for image_type in ImageType::ALL {
        let name = ImageName {
            id: "0195a1c3-2b00-7c11-8d3e-5a6b7c8d9e02".parse().unwrap(),
            image_type,
        };
        assert_eq!(ImageName::at(&name.address()), Some(name));
        assert_eq!(format!("/{}", name.key()), name.address());
        for other in ["/", "https://example.com", "/image"] {
            assert_eq!(ImageName::at(&format!("{other}{}", name.address())), None);
        }
        assert_eq!(ImageName::at(&format!("{}?a=b", name.address())), None);
    }
}
