//! The guard of the ports that are for programs on this machine only.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Refuses what a web page in this machine's browser may have sent: it could invoke functions, and read secrets.
pub(crate) async fn only_local(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let local = |name: HeaderName| {
        headers
            .get(name)
            .is_none_or(|value| value.to_str().is_ok_and(is_local))
    };
    if local(header::HOST) && local(header::ORIGIN) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "only for programs on this machine").into_response()
    }
}

/// Whether a host or an origin is this machine.
pub(crate) fn is_local(text: &str) -> bool {
    let host = text.split_once("://").map_or(text, |(_, host)| host);
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.parse::<SocketAddr>()
        .is_ok_and(|address| address.ip().is_loopback())
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
        || host
            .split(':')
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case("localhost"))
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn only_this_machine_is_local() {
        for local in [
            "127.0.0.1:3001",
            "localhost",
            "http://localhost:3000",
            "Localhost:3000",
            "[::1]:3001",
            "[::1]",
            "http://[::1]",
        ] {
            assert!(is_local(local), "{local}");
        }
        for foreign in [
            "https://shop.example",
            "evil.example:3001",
            "localhost.evil.example",
            "10.0.0.1:3001",
            "null",
        ] {
            assert!(!is_local(foreign), "{foreign}");
        }
    }
}
