//! What is refused before the gateway looks for a route.

use std::net::Ipv6Addr;

use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, Version, header};

use crate::loopback;

/// The largest request line and header values together, in bytes.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const LIMIT: usize = 10_240;

/// Why a request goes no further, if it does not: 400 for a request without one valid host (RFC 9112, section 3.2), 431
/// for one that is too large. AWS documents the limit, but not the status; 431 is what callers report
/// (<https://backbencher.dev/solved-431-status-code-with-request-header-fields-too-large>).
pub(super) fn refusal(parts: &Parts) -> Option<StatusCode> {
    if !has_one_host(parts) {
        return Some(StatusCode::BAD_REQUEST);
    }
    (size(parts) > LIMIT).then_some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
}

fn has_one_host(parts: &Parts) -> bool {
    let hosts: Vec<&HeaderValue> = parts.headers.get_all(header::HOST).iter().collect();
    match hosts.as_slice() {
        [host] => host.to_str().is_ok_and(is_host),
        // HTTP/2 has its own field for it.
        [] => parts.version == Version::HTTP_2,
        _ => false,
    }
}

/// Whether the host of a request is this machine. Another one is refused, which API Gateway would not do: a web page
/// whose name resolves to this machine (DNS rebinding) would otherwise read the shop's responses, whatever CORS
/// allows.
pub(super) fn is_for_this_machine(parts: &Parts) -> bool {
    let host = parts.headers.get(header::HOST);
    host.is_none_or(|host| host.to_str().is_ok_and(loopback::is_local))
}

/// Whether a text is a name or an address, perhaps with a port.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let address = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let named = |c: char| c.is_ascii_alphanumeric() || ['-', '.', '_'].contains(&c);
    let right = match address {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(named),
    };
    right && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

fn size(parts: &Parts) -> usize {
    let target = parts.uri.path_and_query();
    let target = target.map_or(0, |target| target.as_str().len());
    let line = parts.method.as_str().len() + target + "  HTTP/1.1".len();
    line + parts.headers.values().map(HeaderValue::len).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::is_host;

    #[test]
    fn a_host_is_a_name_or_an_address() {
        for host in [
            "shop.example",
            "127.0.0.1:3000",
            "[::1]",
            "[::1]:3000",
            "a_b-c",
        ] {
            assert!(is_host(host), "{host}");
        }
        for other in [
            "", ":80", "a:b", "a:", "a:65536", "[::1", "::1", "a b", "a/b", "u@a", "a\"", "[x]",
        ] {
            assert!(!is_host(other), "{other}");
        }
    }
}
