//! Signatures, version 4: in the header `Authorization`, or in the query of a presigned URL.
//!
//! What a function has signed is verified with the secret that it was started with. Everyone who has a
//! presigned URL acts as the function that made it, until it expires by the runner's clock. The
//! header of anybody else is not verified, as little as for the other services: an operator's
//! credentials are their own.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html>

use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::checksum::hex;
use super::error::S3Error;
use super::uri;

/// The one algorithm.
pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The longest time that a presigned URL may be valid, in seconds: seven days.
const MAX_EXPIRES: u64 = 7 * 24 * 60 * 60;

/// How far in the future a presigned URL may begin: clocks differ.
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(15);

/// Who has signed a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signer {
    /// The access key.
    pub(crate) key: String,
    /// The session token, if the signer itself makes the request.
    pub(crate) token: Option<String>,
}

/// What signatures are verified with.
#[derive(Clone, Copy)]
pub(crate) struct Verifier<'a> {
    pub(crate) region: &'a str,
    /// The secret of every function.
    pub(crate) secret: &'a str,
    pub(crate) now: Timestamp,
    /// Whether an access key is a function's.
    pub(crate) is_function: &'a dyn Fn(&str) -> bool,
}

/// Access key and scope, as in `key/20260312/eu-central-1/s3/aws4_request`.
#[derive(Clone, Debug)]
pub(super) struct Credential {
    pub(super) key: String,
    date: String,
    region: String,
}

/// A signature, wherever it was.
struct Signature {
    credential: Credential,
    /// When it was made, as `20260312T190358Z`.
    date: String,
    signed_headers: String,
    /// In hexadecimal digits.
    digits: String,
    token: Option<String>,
    /// In seconds, of a presigned URL.
    expires: Option<u64>,
}

impl Credential {
    /// Reads a credential for S3.
    pub(super) fn parse(text: &str) -> Option<Self> {
        // A key may have slashes, in principle.
        let mut parts = text.rsplitn(5, '/');
        let (terminator, service) = (parts.next()?, parts.next()?);
        let (region, date) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let key = parts.next()?.to_owned();
        (terminator == "aws4_request" && service == "s3").then_some(Self { key, date, region })
    }

    /// Refuses a scope that cannot be: S3 wants its own region, and the day of the signature.
    pub(super) fn check(&self, region: &str, date: &str) -> Result<(), S3Error> {
        if self.region != region {
            let message = format!(
                "the region '{}' is wrong; expecting '{region}'",
                self.region
            );
            return Err(
                S3Error::client("AuthorizationHeaderMalformed", message).with("Region", region)
            );
        }
        if !date.starts_with(&self.date) || self.date.len() != 8 {
            return Err(malformed(
                "the date of the credential is not that of the signature",
            ));
        }
        Ok(())
    }

    /// The MAC of a text under the key that is derived for this scope.
    pub(super) fn mac(&self, secret: &str, text: &str) -> Result<Hmac<Sha256>, S3Error> {
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in [&self.date, &self.region, "s3", "aws4_request"] {
            key = mac(&key, part)?.finalize().into_bytes().to_vec();
        }
        mac(&key, text)
    }
}

impl Verifier<'_> {
    /// Finds out who has signed a request.
    ///
    /// # Errors
    /// As S3's own, for a request that is not signed, or not as it was sent, or too late.
    pub(crate) fn signer(self, parts: &Parts) -> Result<Signer, S3Error> {
        let query = uri::parameters(parts.uri.query().unwrap_or_default()).unwrap_or_default();
        let of_query = query.iter().any(|(name, _)| name == "X-Amz-Algorithm");
        let found = match (parts.headers.get(header::AUTHORIZATION), of_query) {
            (Some(_), true) => {
                let message = "Only one auth mechanism allowed; only the X-Amz-Algorithm query \
                               parameter, Signature query string parameter or the Authorization \
                               header should be specified";
                return Err(S3Error::client("InvalidArgument", message));
            }
            (Some(header), false) => {
                let header = header.to_str().unwrap_or_default();
                of_header(header, parts).ok_or_else(|| {
                    malformed("The authorization header that you provided is not valid.")
                })?
            }
            (None, true) => of_parameters(&query).ok_or_else(|| {
                let message = "Query-string authentication version 4 requires the X-Amz-Algorithm, \
                               X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, \
                               and X-Amz-Expires parameters.";
                S3Error::client("AuthorizationQueryParametersError", message)
            })?,
            (None, false) => return Err(S3Error::denied("Access Denied")),
        };
        let is_function = (self.is_function)(&found.credential.key);
        if found.expires.is_some() || is_function {
            found.credential.check(self.region, &found.date)?;
            self.check_time(&found)?;
            check_signed(&found, parts)?;
            if is_function && found.token.is_none() {
                // The keys of functions are temporary, and unknown without their token.
                return Err(unknown_key());
            }
            self.check_signature(&found, parts, &query)?;
        }
        Ok(Signer {
            key: found.credential.key,
            token: found.token.filter(|_| found.expires.is_none()),
        })
    }

    fn check_time(self, found: &Signature) -> Result<(), S3Error> {
        let Some(seconds) = found.expires else {
            // A function signs its own requests by the machine's clock.
            return Ok(());
        };
        if !(1..=MAX_EXPIRES).contains(&seconds) {
            let message =
                "X-Amz-Expires must be at least one second and less than a week (in seconds)";
            return Err(S3Error::client(
                "AuthorizationQueryParametersError",
                message,
            ));
        }
        let begins = time(&found.date).ok_or_else(|| {
            let message = "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"";
            S3Error::client("AuthorizationQueryParametersError", message)
        })?;
        let ends = begins.saturating_add(Duration::from_secs(seconds));
        let ends = ends.unwrap_or(Timestamp::MAX);
        let text = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        if self.now > ends {
            return Err(S3Error::denied("Request has expired")
                .with("X-Amz-Expires", seconds.to_string())
                .with("Expires", text(ends))
                .with("ServerTime", text(self.now)));
        }
        if begins.duration_since(self.now) > MAX_SKEW {
            return Err(
                S3Error::denied("Request is not yet valid").with("ServerTime", text(self.now))
            );
        }
        Ok(())
    }

    fn check_signature(
        self,
        found: &Signature,
        parts: &Parts,
        query: &[(String, String)],
    ) -> Result<(), S3Error> {
        let canonical = canonical(found, parts, query);
        let hash = hex(&Sha256::digest(canonical.as_bytes()));
        let Credential { date, region, .. } = &found.credential;
        let scope = format!("{date}/{region}/s3/aws4_request");
        let text = format!("{ALGORITHM}\n{}\n{scope}\n{hash}", found.date);
        if verifies(&found.credential, self.secret, &text, &found.digits)? {
            return Ok(());
        }
        Err(does_not_match(&found.credential.key)
            .with("StringToSign", text)
            .with("CanonicalRequest", canonical))
    }
}

/// Whether `signature`, in hexadecimal digits, is that of `text`.
pub(super) fn verifies(
    credential: &Credential,
    secret: &str,
    text: &str,
    signature: &str,
) -> Result<bool, S3Error> {
    let digits = signature.as_bytes().chunks(2);
    let bytes = digits.map(|two| u8::from_str_radix(str::from_utf8(two).ok()?, 16).ok());
    let bytes: Option<Vec<u8>> = bytes.collect();
    let mac = credential.mac(secret, text)?;
    Ok(bytes.is_some_and(|bytes| mac.verify_slice(&bytes).is_ok()))
}

pub(super) fn does_not_match(key: &str) -> S3Error {
    let message = "The request signature we calculated does not match the signature you provided. \
                   Check your key and signing method.";
    S3Error::new(StatusCode::FORBIDDEN, "SignatureDoesNotMatch", message)
        .with("AWSAccessKeyId", key)
}

pub(super) fn unknown_key() -> S3Error {
    let message = "The AWS Access Key Id you provided does not exist in our records.";
    S3Error::new(StatusCode::FORBIDDEN, "InvalidAccessKeyId", message)
}

/// The time in `20260312T190358Z`.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

fn malformed(message: &str) -> S3Error {
    S3Error::client("AuthorizationHeaderMalformed", message)
}

/// The signature in the header `Authorization`.
fn of_header(header: &str, parts: &Parts) -> Option<Signature> {
    let fields = header.strip_prefix(ALGORITHM)?;
    let field = |name: &str| {
        let mut fields = fields
            .split([',', ' '])
            .filter_map(|field| field.split_once('='));
        fields
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned())
    };
    let text = |name: &str| Some(parts.headers.get(name)?.to_str().ok()?.to_owned());
    Some(Signature {
        credential: Credential::parse(&field("Credential")?)?,
        date: text("x-amz-date")?,
        signed_headers: field("SignedHeaders")?,
        digits: field("Signature")?,
        token: text("x-amz-security-token"),
        expires: None,
    })
}

/// The signature in a query.
fn of_parameters(query: &[(String, String)]) -> Option<Signature> {
    let text = |name: &str| {
        let (_, value) = query.iter().find(|(key, _)| key == name)?;
        Some(value.clone())
    };
    if text("X-Amz-Algorithm")? != ALGORITHM {
        return None;
    }
    Some(Signature {
        credential: Credential::parse(&text("X-Amz-Credential")?)?,
        date: text("X-Amz-Date")?,
        signed_headers: text("X-Amz-SignedHeaders")?,
        digits: text("X-Amz-Signature")?,
        token: text("X-Amz-Security-Token"),
        expires: Some(text("X-Amz-Expires")?.parse().ok()?),
    })
}

/// Refuses a request that has headers of S3's own beside those that were signed.
fn check_signed(found: &Signature, parts: &Parts) -> Result<(), S3Error> {
    let is_signed = |name: &str| found.signed_headers.split(';').any(|signed| signed == name);
    let mut names = parts.headers.keys().map(header::HeaderName::as_str);
    let unsigned = names.find(|name| name.starts_with("x-amz-") && !is_signed(name));
    let unsigned = unsigned.or_else(|| (!is_signed("host")).then_some("host"));
    match unsigned {
        None => Ok(()),
        Some(name) => {
            let message = "There were headers present in the request which were not signed";
            Err(S3Error::denied(message).with("HeadersNotSigned", name))
        }
    }
}

/// The canonical request. The path is encoded once, unlike that of other services.
fn canonical(found: &Signature, parts: &Parts, query: &[(String, String)]) -> String {
    let path = uri::decode(parts.uri.path(), false).unwrap_or_default();
    let path = uri::encode(&path, "/");
    let pairs = query.iter().filter(|(name, _)| name != "X-Amz-Signature");
    let mut pairs: Vec<_> = pairs
        .map(|(name, value)| (uri::encode(name, ""), uri::encode(value, "")))
        .collect();
    pairs.sort();
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let header = |name: &str| {
        let values = parts.headers.get_all(name).iter();
        let values = values.map(|value| {
            let value = String::from_utf8_lossy(value.as_bytes());
            value.split_whitespace().collect::<Vec<_>>().join(" ")
        });
        values.collect::<Vec<_>>().join(",")
    };
    let names = found.signed_headers.split(';');
    let headers: String = names
        .map(|name| format!("{name}:{}\n", header(name)))
        .collect();
    let payload = header("x-amz-content-sha256");
    let payload = if payload.is_empty() {
        "UNSIGNED-PAYLOAD"
    } else {
        &payload
    };
    let (method, query, signed) = (&parts.method, pairs.join("&"), &found.signed_headers);
    format!("{method}\n{path}\n{query}\n{headers}\n{signed}\n{payload}")
}

fn mac(key: &[u8], text: &str) -> Result<Hmac<Sha256>, S3Error> {
    let mac = Hmac::<Sha256>::new_from_slice(key);
    let mut mac = mac.map_err(|error| S3Error::from(std::io::Error::other(error)))?;
    mac.update(text.as_bytes());
    Ok(mac)
}
