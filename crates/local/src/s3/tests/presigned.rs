//! Presigned URLs, and signatures that are wrong.

use super::*;

const PATH: &str = "/shop-files/imports/a%20b";

/// A URL that is to be presigned.
struct Presigned<'a> {
    world: &'a World,
    method: Method,
    path: &'a str,
    key: &'a str,
    secret: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    expires: u64,
}

impl<'a> Presigned<'a> {
    fn new(world: &'a World, method: Method) -> Self {
        Self {
            world,
            method,
            path: PATH,
            key: "Import",
            secret: "local",
            headers: Vec::new(),
            expires: 600,
        }
    }

    /// The URL, signed by AWS's own code at the runner's time.
    fn url(&self) -> String {
        let url = format!("{}{}", self.world.url, self.path);
        let mut settings = settings();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(self.expires));
        let body = SignableBody::UnsignedPayload;
        let headers = self.headers.iter().copied();
        let request = SignableRequest::new(self.method.as_str(), &url, headers, body).unwrap();
        let identity = credentials(self.key, self.secret).into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region("eu-central-1")
            .name("s3")
            .time(SystemTime::from(self.world.clock.now()))
            .settings(settings)
            .build()
            .unwrap();
        let (instructions, _) = sign(request, &parameters.into()).unwrap().into_parts();
        let mut request = http::Request::builder().uri(url).body(()).unwrap();
        instructions.apply_to_request_http1x(&mut request);
        request.uri().to_string()
    }
}

impl World {
    async fn use_url(&self, method: Method, url: &str, headers: &[(&str, &str)]) -> Answer {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let headers: Vec<_> = headers.iter().map(owned).collect();
        let body = if method == Method::PUT { "body" } else { "" };
        self.send(method, url, &headers, body.into()).await.unwrap()
    }
}

#[tokio::test]
async fn everyone_with_the_url_may_use_it() {
    let world = World::new().await;
    let put = Presigned::new(&world, Method::PUT).url();
    let answer = world
        .use_url(Method::PUT, &put, &[("content-type", "text/csv")])
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let get = Presigned::new(&world, Method::GET).url();
    let got = world.use_url(Method::GET, &get, &[]).await;
    assert_eq!(
        (got.text().as_str(), got.header("content-type")),
        ("body", "text/csv")
    );
    let expected = [
        ("s3:PutObject".to_owned(), "PutObject".to_owned()),
        ("s3:GetObject".to_owned(), "GetObject".to_owned()),
    ];
    assert_eq!(world.recorded(), expected);
}

#[tokio::test]
async fn a_url_expires_by_the_runners_clock() {
    let world = World::new().await;
    let url = Presigned::new(&world, Method::PUT).url();
    let _ = world.clock.advance(Duration::from_secs(599));
    assert_eq!(world.use_url(Method::PUT, &url, &[]).await.status, 200);
    let _ = world.clock.advance(Duration::from_secs(2));
    let expired = world.use_url(Method::PUT, &url, &[]).await;
    assert_eq!(expired.refusal(), (403, "AccessDenied".into()));
    assert_eq!(expired.element("Message"), "Request has expired");
    assert_eq!(expired.element("Expires"), "2026-03-12T19:13:58Z");
    let _ = world.clock.advance(Duration::from_hours(1));
    let later = Presigned::new(&world, Method::PUT).url();
    assert_eq!(world.use_url(Method::PUT, &later, &[]).await.status, 200);
    let early = World::new().await;
    let from_other_host = later.replace(&world.url, &early.url);
    let refused = early.use_url(Method::PUT, &from_other_host, &[]).await;
    assert_eq!(refused.element("Message"), "Request is not yet valid");
    let too_long = Presigned {
        expires: 604_801,
        ..Presigned::new(&world, Method::PUT)
    };
    let refused = world.use_url(Method::PUT, &too_long.url(), &[]).await;
    assert_eq!(
        refused.refusal(),
        (400, "AuthorizationQueryParametersError".into())
    );
}

#[tokio::test]
async fn what_was_changed_after_it_was_signed_is_refused() {
    let world = World::new().await;
    world.put("/shop-files/imports/other", b"other").await;
    let does_not_match = (403, "SignatureDoesNotMatch".to_owned());
    let url = Presigned::new(&world, Method::PUT).url();
    for changed in [
        url.replace("imports/a%20b", "imports/other"),
        url.replace("X-Amz-Expires=600", "X-Amz-Expires=6000"),
        url.replace("X-Amz-Signature=", "X-Amz-Signature=0"),
        url.replace("Import-1", "Import-2"),
        url.replace("127.0.0.1", "localhost"),
        format!("{url}&x-id=PutObject"),
    ] {
        assert_ne!(changed, url);
        let refused = world.use_url(Method::PUT, &changed, &[]).await;
        assert_eq!(refused.refusal(), does_not_match, "{changed}");
    }
    let get = world.use_url(Method::GET, &url, &[]).await;
    assert_eq!(get.refusal(), does_not_match);
    let signed = ("content-length", "4");
    let with_length = Presigned {
        headers: vec![signed],
        ..Presigned::new(&world, Method::PUT)
    };
    let with_length = with_length.url();
    assert_eq!(
        world.use_url(Method::PUT, &with_length, &[]).await.status,
        200
    );
    let longer = world
        .send(Method::PUT, &with_length, &[], b"longer".to_vec())
        .await
        .unwrap();
    assert_eq!(longer.refusal(), does_not_match);
    let header = [("x-amz-meta-rows", "1")];
    let unsigned = world.use_url(Method::PUT, &url, &header).await;
    assert_eq!(unsigned.refusal(), (403, "AccessDenied".into()));
    assert_eq!(unsigned.element("HeadersNotSigned"), "x-amz-meta-rows");
}

#[tokio::test]
async fn a_url_allows_what_its_signer_may() {
    let world = World::new().await;
    let denied = (403, "AccessDenied".to_owned());
    let by_reader = Presigned {
        key: "Reader",
        ..Presigned::new(&world, Method::PUT)
    };
    let refused = world.use_url(Method::PUT, &by_reader.url(), &[]).await;
    assert_eq!(refused.refusal(), denied);
    let outside = Presigned {
        path: "/shop-files/other",
        ..Presigned::new(&world, Method::PUT)
    };
    let refused = world.use_url(Method::PUT, &outside.url(), &[]).await;
    assert_eq!(refused.refusal(), denied);
    for (key, secret) in [("Import", "guessed"), ("nobody", "guessed")] {
        let forged = Presigned {
            key,
            secret,
            ..Presigned::new(&world, Method::PUT)
        };
        let refused = world.use_url(Method::PUT, &forged.url(), &[]).await;
        assert_eq!(
            refused.refusal(),
            (403, "SignatureDoesNotMatch".into()),
            "{key}"
        );
    }
}

#[tokio::test]
async fn the_signature_of_a_function_is_verified_in_the_header_too() {
    let world = World::new().await;
    let call = |secret, region| Call {
        secret,
        region,
        ..world.request("PUT", PATH).body(b"1")
    };
    assert_eq!(call("local", "eu-central-1").send().await.status, 200);
    let forged = call("guessed", "eu-central-1").send().await;
    assert_eq!(forged.refusal(), (403, "SignatureDoesNotMatch".into()));
    let elsewhere = call("local", "us-east-1").send().await;
    assert_eq!(
        elsewhere.refusal(),
        (400, "AuthorizationHeaderMalformed".into())
    );
    let operator = call("own", "us-east-1").by("operator");
    assert_eq!(operator.send().await.status, 200);
    let url = Presigned::new(&world, Method::PUT).url();
    let both = call("local", "eu-central-1");
    let both = Call {
        path: url.replace(&world.url, ""),
        ..both
    };
    assert_eq!(both.send().await.refusal(), (400, "InvalidArgument".into()));
}

#[tokio::test]
async fn a_temporary_key_needs_its_token() {
    let world = World::new().await;
    let url = Presigned::new(&world, Method::PUT).url();
    let url = url.replace("X-Amz-Security-Token", "X-Amz-Other");
    let refused = world.use_url(Method::PUT, &url, &[]).await;
    assert_eq!(refused.refusal(), (403, "InvalidAccessKeyId".into()));
}
