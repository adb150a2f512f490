//! A cache that many clients share, such as that of `infra/edge.yaml`: how much of what shoppers look at reaches functions.
//!
//! What may be kept, and for how long, is what the responses say, read as RFC 9111 has it by `http-cache-semantics`. That a
//! cache may serve what it has while it asks for what is there now makes no difference here: it asks.

use std::collections::HashMap;
use std::time::SystemTime;

use http_cache_semantics::{BeforeRequest, CachePolicy};
use jiff::Timestamp;
use serde::Serialize;

use crate::Error;

/// The cache, and what it was asked.
#[derive(Debug, Default)]
pub(super) struct Edge {
    kept: HashMap<String, CachePolicy>,
    figures: Figures,
}

/// What shoppers looked at.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Figures {
    /// How many lists and products they asked for.
    pub(super) requests: u64,
    /// How many of these requests reached a function.
    pub(super) reached: u64,
}

fn request(path: &str) -> Result<http::Request<()>, Error> {
    Ok(http::Request::get(path).body(())?)
}

impl Edge {
    /// Counts a stranger's request for `path` with its query at `now`, and returns whether it reaches a function.
    ///
    /// # Errors
    /// If `path` is not one.
    pub(super) fn ask(&mut self, path: &str, now: Timestamp) -> Result<bool, Error> {
        let request = request(path)?;
        let kept = self.kept.get(path);
        let kept = kept.map(|kept| kept.before_request(&request, SystemTime::from(now)));
        let is_fresh = matches!(kept, Some(BeforeRequest::Fresh(_)));
        self.figures.requests += 1;
        self.figures.reached += u64::from(!is_fresh);
        Ok(!is_fresh)
    }

    /// Keeps the response of `status` to the request for `path` at `now`, if its `headers` allow that.
    ///
    /// # Errors
    /// If `path` or a header is not one.
    pub(super) fn keep(
        &mut self,
        path: &str,
        status: u64,
        headers: &HashMap<String, String>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut response = http::Response::builder().status(u16::try_from(status)?);
        for (name, value) in headers {
            response = response.header(name, value);
        }
        let (request, response) = (request(path)?, response.body(())?);
        let options = http_cache_semantics::CacheOptions {
            shared: true,
            ..http_cache_semantics::CacheOptions::default()
        };
        let policy = CachePolicy::new_options(&request, &response, SystemTime::from(now), options);
        if policy.is_storable() {
            self.kept.insert(path.to_owned(), policy);
        }
        Ok(())
    }

    pub(super) fn figures(&self) -> Figures {
        self.figures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_kept_is_asked_for_again_when_it_is_old() {
        let mut edge = Edge::default();
        let at = |second: i64| Timestamp::from_second(1_772_357_400 + second).unwrap();
        let path = "/products?category=category-1";
        let headers = |control: &str| {
            let control = ("cache-control".to_owned(), control.to_owned());
            let vary = ("vary".to_owned(), "Authorization, Origin".to_owned());
            HashMap::from([control, vary])
        };
        let kept = "public, max-age=0, s-maxage=60, stale-while-revalidate=60";
        assert!(edge.ask(path, at(0)).unwrap());
        edge.keep(path, 200, &headers(kept), at(0)).unwrap();
        let reached = [1, 59, 61].map(|second| edge.ask(path, at(second)).unwrap());
        assert_eq!(reached, [false, false, true]);
        edge.keep(path, 200, &headers("no-cache"), at(61)).unwrap();
        assert!(edge.ask(path, at(62)).unwrap());
        let Figures { requests, reached } = edge.figures();
        assert_eq!((requests, reached), (5, 3));
    }
}
