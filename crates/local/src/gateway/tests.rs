//! The gateway over HTTP, in front of functions that run in this process.

use std::collections::BTreeMap;
use std::sync::{Mutex, mpsc};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use reqwest::Client;
use serde_json::{Value, json};

use super::*;
use crate::functions::Handler;
use crate::model::{Authorizer, Cors, Route};

mod event;
mod head;

/// A gateway with routes to `Echo`, which returns its event, and `Say`, which returns its body.
struct Shop {
    url: String,
    clock: Clock,
    client: Client,
    /// The events that the authoriser was asked about.
    asked: Arc<Mutex<Vec<Value>>>,
    /// Lets an authoriser end that takes too long.
    end: mpsc::Sender<()>,
}

fn json_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// `slow` ends when the other end of the channel is dropped.
fn handlers(asked: &Arc<Mutex<Vec<Value>>>, slow: mpsc::Receiver<()>) -> BTreeMap<String, Handler> {
    let (asked, slow) = (Arc::clone(asked), Mutex::new(slow));
    let echo: Handler = Arc::new(Ok);
    let say: Handler = Arc::new(|event| {
        let body = json_of(&event)["body"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        Ok(body.into())
    });
    let fail: Handler = Arc::new(|_| {
        Err(InvokeError::Exited {
            status: "1".to_owned(),
        })
    });
    let busy: Handler = Arc::new(|_| Err(InvokeError::Throttled));
    let authorise: Handler = Arc::new(move |event| {
        let event = json_of(&event);
        let token = event["identitySource"][0]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        asked.lock().unwrap().push(event);
        match token.as_str() {
            "broken" => Err(InvokeError::Exited {
                status: "1".to_owned(),
            }),
            "odd" => Ok("{}".into()),
            "slow" => {
                let _ = slow.lock().unwrap().recv();
                Ok(json!({"isAuthorized": true}).to_string().into())
            }
            token => {
                let allowed = token != "forged";
                let answer =
                    json!({"isAuthorized": allowed, "context": {"sub": token, "roles": ["a"]}});
                Ok(answer.to_string().into())
            }
        }
    });
    [
        ("Echo", echo),
        ("Say", say),
        ("Fail", fail),
        ("Busy", busy),
        ("Authorise", authorise),
    ]
    .into_iter()
    .map(|(id, handler)| (id.to_owned(), handler))
    .collect()
}

fn api() -> Api {
    let route = |method: &str, path: &str, function: &str, authorizer: Option<&str>| Route {
        method: method.to_owned(),
        path: path.to_owned(),
        function: function.to_owned(),
        authorizer: authorizer.map(str::to_owned),
    };
    let authorizer = Authorizer {
        function: "Authorise".to_owned(),
        identity_headers: vec!["Authorization".to_owned()],
        ttl: Duration::from_mins(1),
    };
    Api {
        routes: vec![
            route("ANY", "/echo/{id}", "Echo", None),
            route("POST", "/say", "Say", None),
            route("GET", "/fail", "Fail", None),
            route("GET", "/busy", "Busy", None),
            route("GET", "/mine", "Echo", Some("Token")),
        ],
        authorizers: BTreeMap::from([("Token".to_owned(), authorizer)]),
        cors: Some(Cors {
            origins: vec!["https://shop.example".to_owned()],
            methods: vec!["GET".to_owned(), "POST".to_owned()],
            headers: vec!["content-type".to_owned()],
            expose: vec!["etag".to_owned()],
            credentials: true,
            max_age: Some(Duration::from_mins(5)),
        }),
    }
}

async fn shop() -> Shop {
    shop_with_timeouts(TIMEOUTS).await
}

async fn shop_with_timeouts(timeouts: Timeouts) -> Shop {
    let asked = Arc::default();
    let (end, slow) = mpsc::channel();
    let clock = Clock::manual("2026-03-12T19:03:58.390Z".parse::<Timestamp>().unwrap());
    let functions = Functions::in_process(handlers(&asked, slow), clock.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let arns = Arns::new("eu-central-1");
    let gateway = Gateway::with_timeouts(api(), functions, clock.clone(), arns, timeouts);
    tokio::spawn(gateway.serve(listener));
    Shop {
        url,
        clock,
        client: Client::new(),
        asked,
        end,
    }
}

impl Shop {
    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().unwrap();
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// Sends the text of a request, and returns the status of the response.
    async fn raw(&self, request: &str) -> u16 {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let address = self.url.strip_prefix("http://").unwrap();
        let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut status = [0; 12];
        connection.read_exact(&mut status).await.unwrap();
        let status = std::str::from_utf8(&status).unwrap();
        status.strip_prefix("HTTP/1.1 ").unwrap().parse().unwrap()
    }

    /// Asks for something of one's own.
    async fn mine(&self, token: &str) -> (u16, Value) {
        let request = self.request("GET", "/mine").header("authorization", token);
        let response = request.send().await.unwrap();
        (
            response.status().as_u16(),
            json_of(&response.bytes().await.unwrap()),
        )
    }

    /// What the function says, and the response to it.
    async fn say(&self, answer: &Value) -> reqwest::Response {
        let request = self.request("POST", "/say").body(answer.to_string());
        request
            .header("content-type", "application/json")
            .send()
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn a_structured_answer_becomes_the_response() {
    let shop = shop().await;
    let response = shop
        .say(&json!({
            "statusCode": 201,
            "headers": {"Location": "/orders/1", "X-Count": 3},
            "cookies": ["a=1; Secure", "b=2"],
            "body": BASE64_STANDARD.encode("hello"),
            "isBase64Encoded": true,
        }))
        .await;
    assert_eq!(response.status(), 201);
    assert_eq!(response.headers()["location"], "/orders/1");
    assert_eq!(response.headers()["x-count"], "3");
    assert_eq!(
        response.headers()["content-type"],
        "text/plain;charset=UTF-8"
    );
    let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1; Secure", "b=2"]);
    assert_eq!(response.text().await.unwrap(), "hello");
}

#[tokio::test]
async fn an_answer_without_status_is_the_body() {
    let shop = shop().await;
    for (answer, body) in [(json!({"a": 1}), "{\"a\":1}"), (json!("hello"), "hello")] {
        let response = shop.say(&answer).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.text().await.unwrap(), body);
    }
}

#[tokio::test]
async fn failures_are_told_in_the_gateways_own_words() {
    let shop = shop().await;
    for (path, status, body) in [
        ("/nowhere", 404, r#"{"message":"Not Found"}"#),
        ("/say", 404, r#"{"message":"Not Found"}"#),
        ("/fail", 500, r#"{"message":"Internal Server Error"}"#),
        ("/busy", 503, r#"{"message":"Service Unavailable"}"#),
    ] {
        let response = shop.request("GET", path).send().await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.text().await.unwrap(), body);
    }
    let response = shop.say(&json!({"statusCode": "no status"})).await;
    assert_eq!(response.status(), 500);
}

#[tokio::test]
async fn a_request_that_is_too_large_is_refused() {
    let shop = shop().await;
    for size in [7, 11] {
        let body = "x".repeat(size * 1024 * 1024);
        let response = shop
            .request("POST", "/say")
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 413, "{size} MB");
        assert_eq!(
            response.text().await.unwrap(),
            r#"{"message":"Request Entity Too Large"}"#
        );
    }
}

#[tokio::test]
async fn an_authoriser_decides_and_its_words_go_on() {
    let shop = shop().await;
    let (status, event) = shop.mine("ada").await;
    assert_eq!(status, 200);
    let context = json!({"lambda": {"sub": "ada", "roles": ["a"]}});
    assert_eq!(event["requestContext"]["authorizer"], context);
    let asked = shop.asked.lock().unwrap()[0].clone();
    assert_eq!(asked["type"], "REQUEST");
    assert_eq!(asked["identitySource"], json!(["ada"]));
    assert_eq!(asked["routeKey"], "GET /mine");
    let arn = "arn:aws:execute-api:eu-central-1:000000000000:local/$default/GET/mine";
    assert_eq!(asked["routeArn"], arn);
    assert_eq!(asked.get("isBase64Encoded"), None);

    assert_eq!(
        shop.mine("forged").await,
        (403, json!({"message": "Forbidden"}))
    );
    for token in ["broken", "odd"] {
        assert_eq!(
            shop.mine(token).await,
            (500, json!({"message": "Internal Server Error"}))
        );
    }
    let response = shop.request("GET", "/mine").send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(
        response.text().await.unwrap(),
        r#"{"message":"Unauthorized"}"#
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authoriser_that_takes_too_long_has_failed() {
    assert_eq!(TIMEOUTS.authorizer, Duration::from_secs(10));
    let shop = shop_with_timeouts(Timeouts {
        authorizer: Duration::from_millis(1),
        ..TIMEOUTS
    })
    .await;
    let deadline = Duration::from_secs(9);
    let answer = tokio::time::timeout(deadline, shop.mine("slow")).await;
    drop(shop.end);
    let failed = (500, json!({"message": "Internal Server Error"}));
    assert_eq!(answer.ok(), Some(failed));
}

#[tokio::test]
async fn an_authorisers_answer_is_kept_for_its_time() {
    let shop = shop().await;
    let asked = || shop.asked.lock().unwrap().len();
    shop.mine("ada").await;
    shop.mine("ada").await;
    assert_eq!(asked(), 1);
    shop.mine("eve").await;
    shop.mine("forged").await;
    assert_eq!(shop.mine("forged").await.0, 403);
    assert_eq!(asked(), 3);
    let _ = shop.clock.advance(Duration::from_mins(1));
    shop.mine("ada").await;
    assert_eq!(asked(), 4);
}

#[tokio::test]
async fn a_preflight_is_answered_by_the_gateway() {
    let shop = shop().await;
    let preflight = |origin: &'static str| {
        let request = shop.request("OPTIONS", "/mine").header("origin", origin);
        request
            .header("access-control-request-method", "GET")
            .send()
    };
    let response = preflight("https://shop.example").await.unwrap();
    assert_eq!(response.status(), 204);
    let headers = response.headers();
    assert_eq!(
        headers["access-control-allow-origin"],
        "https://shop.example"
    );
    assert_eq!(headers["access-control-allow-methods"], "GET,POST");
    assert_eq!(headers["access-control-allow-headers"], "content-type");
    assert_eq!(headers["access-control-allow-credentials"], "true");
    assert_eq!(headers["access-control-max-age"], "300");
    let response = preflight("https://evil.example").await.unwrap();
    assert_eq!(response.headers().get("access-control-allow-origin"), None);
    assert_eq!(response.headers().get("access-control-allow-methods"), None);
}

#[tokio::test]
async fn options_that_no_route_takes_is_answered_without_a_body() {
    let shop = shop().await;
    for path in ["/mine", "/nowhere"] {
        let request = shop.request("OPTIONS", path);
        let request = request.header("origin", "https://shop.example");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 204, "{path}");
        let headers = response.headers();
        assert!(headers.contains_key("apigw-requestid"));
        assert!(!headers.contains_key("access-control-allow-origin"));
        assert_eq!(response.text().await.unwrap(), "");
    }
    // A route that takes every method takes this one, too.
    let preflight = shop.request("OPTIONS", "/echo/1");
    let preflight = preflight
        .header("origin", "https://shop.example")
        .header("access-control-request-method", "GET");
    let response = preflight.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.text().await.unwrap().contains("OPTIONS"));
}

#[tokio::test]
async fn every_response_is_completed_for_its_origin() {
    let shop = shop().await;
    let answer = json!({"statusCode": 200, "headers": {"access-control-allow-origin": "*"}});
    for (path, origin, expected) in [
        ("/say", "https://shop.example", Some("https://shop.example")),
        ("/say", "https://evil.example", None),
        (
            "/nowhere",
            "https://shop.example",
            Some("https://shop.example"),
        ),
    ] {
        let request = shop.request("POST", path).header("origin", origin);
        let response = request.body(answer.to_string()).send().await.unwrap();
        let allowed = response.headers().get("access-control-allow-origin");
        assert_eq!(
            allowed.map(|value| value.to_str().unwrap()),
            expected,
            "{path} {origin}"
        );
        let exposed = response.headers().get("access-control-expose-headers");
        assert_eq!(exposed.is_some(), expected.is_some());
    }
    assert_eq!(
        shop.say(&answer)
            .await
            .headers()
            .get("access-control-allow-origin"),
        None
    );
}
