//! How much one caller may send: a token bucket for each caller and class of routes.
//!
//! The bucket is kept as the generic cell rate algorithm keeps it: one number, the moment at which it will
//! be full again. How many tokens it has now follows from the time. So a bucket is one small item that a
//! conditional update changes, and a missing item is a full bucket. A process may take several tokens at
//! once and spend them itself, so that they cost one write together.
//! `docs/decisions/0011-rate-limits.md` gives the reasons.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use serde::Deserialize;

use crate::aws::Aws;
use crate::aws::dynamo::{Key, Outcome, StoreError, Table};
use crate::aws::settings::{Setting, SettingError};
use crate::http::exchange::Request;
use crate::http::routes::Class;
use crate::values::clock::Time;

/// How long the table may take, by the machine's clock, before a request is admitted uncounted.
const PATIENCE: Duration = Duration::from_millis(500);

/// How long a process may spend the tokens that it took at once.
const LEASE: Duration = Duration::from_mins(1);

/// How many callers a process remembers.
const MOST_REMEMBERED: usize = 1000;

/// How often a bucket that others change at the same time is retried.
const TRIES: u32 = 5;

const MICROS_PER_SECOND: u64 = 1_000_000;

/// How many requests of a class one caller may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The class's name, as the `RateLimit` headers and the table's keys give it.
    pub name: &'static str,
    /// Sustained requests per minute.
    pub per_minute: u32,
    /// Requests at once, after a pause.
    pub burst: u32,
    /// Tokens that a process takes from the bucket in one write.
    pub lease: u32,
    /// Whether callers who are signed in are counted by account. All others are counted by address.
    pub by_account: bool,
    /// Whether each process counts callers who are not signed in for itself, in memory.
    pub strangers_here: bool,
}

/// Returns the limit of `class`, or `None` if it is not counted.
#[must_use]
pub fn limit(class: Class) -> Option<Limit> {
    let (name, per_minute, burst, lease, by_account) = match class {
        Class::Free => return None,
        Class::Read => ("read", 6000, 6000, 20, true),
        Class::Write => ("write", 3000, 3000, 1, true),
        Class::Order => ("order", 600, 600, 1, true),
        Class::SignIn => ("sign_in", 1200, 1200, 1, false),
    };
    Some(Limit {
        name,
        per_minute,
        burst,
        lease,
        by_account,
        strangers_here: class == Class::Read,
    })
}

/// A request over the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The limit that was exceeded.
    pub limit: Limit,
    /// Seconds until there is a token again; at least 1.
    pub retry_after_seconds: u64,
}

impl Refused {
    /// Returns `RateLimit-Policy` and `RateLimit` as draft-ietf-httpapi-ratelimit-headers-10 defines them:
    /// the policy's quota and window in seconds; the remaining tokens, and when there are more.
    #[must_use]
    pub fn headers(&self) -> [(&'static str, String); 2] {
        let Limit { name, burst, .. } = self.limit;
        let window = self.limit.window_micros() / MICROS_PER_SECOND;
        let again = self.retry_after_seconds;
        [
            (
                "RateLimit-Policy",
                format!("\"{name}\";q={burst};w={window}"),
            ),
            ("RateLimit", format!("\"{name}\";r=0;t={again}")),
        ]
    }
}

impl Limit {
    /// Returns how long an empty bucket takes to fill.
    fn window_micros(&self) -> u64 {
        60 * MICROS_PER_SECOND * u64::from(self.burst) / u64::from(self.per_minute.max(1))
    }
}

/// Counts the requests of one class.
#[derive(Clone, Debug)]
pub struct Limiter {
    table: Table,
    limit: Limit,
    /// How long one token takes to come back.
    interval_micros: u64,
    leases: Arc<Mutex<HashMap<String, Lease>>>,
}

/// A request as it is counted.
#[derive(Clone, Debug)]
pub struct Counted {
    /// Whose bucket it is.
    key: String,
    now: Time,
    /// Whether this process counts it for itself.
    here: bool,
}

/// The tokens that this process took from a caller's bucket.
#[derive(Clone, Copy, Debug)]
struct Lease {
    left: u64,
    until: Time,
    /// When the bucket was to be full again.
    full_at_micros: u64,
}

/// A bucket, as stored.
#[derive(Debug, Deserialize)]
struct BucketItem {
    full_at_micros: u64,
}

/// What the bucket gave.
enum Taken {
    /// This many tokens, and when the bucket will be full again.
    Granted { tokens: u64, full_at_micros: u64 },
    /// Nothing, and how long until there is a token.
    Empty { wait_micros: u64 },
}

impl Limiter {
    /// Returns the limiter of `class`, or `None` if it is not counted or nothing is (`RATE_LIMIT_PERCENT` = 0).
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing or not valid.
    pub fn new(aws: &Aws, class: Class) -> Result<Option<Self>, SettingError> {
        let Some(limit) = limit(class) else {
            return Ok(None);
        };
        let percent: u32 = aws.settings().read(Setting::RateLimitPercent)?;
        let tokens_per_window = u64::from(limit.burst) * u64::from(percent) / 100;
        if tokens_per_window == 0 {
            return Ok(None);
        }
        let interval_micros = (limit.window_micros() / tokens_per_window).max(1);
        Ok(Some(Self {
            table: Table::new(aws, Setting::LimitsTable)?,
            limit,
            interval_micros,
            leases: Arc::default(),
        }))
    }

    /// Returns whose request it is, and where it is counted.
    #[must_use]
    pub fn caller(&self, request: &Request) -> Counted {
        Counted {
            key: self.key(request),
            now: request.now,
            here: self.limit.strangers_here && request.identity.is_none(),
        }
    }

    /// Counts a request. If the table does not respond, the request is admitted and that is logged: a rate
    /// limiter must not close the shop.
    ///
    /// # Errors
    /// Returns [`Refused`] if its caller has sent too many requests.
    #[must_use]
    pub fn count(&self, caller: Counted) -> BoxFuture<'_, Result<(), Refused>> {
        Box::pin(self.spend_or_take(caller))
    }

    async fn spend_or_take(&self, caller: Counted) -> Result<(), Refused> {
        let Counted { key, now, here } = caller;
        let known = match self.spend(&key, now) {
            Ok(()) => return Ok(()),
            Err(known) => known,
        };
        if here {
            return self.count_here(key, known, now);
        }
        let taken = tokio::time::timeout(PATIENCE, self.take(&key, known, now)).await;
        match taken {
            Ok(Ok(Some(Taken::Granted {
                tokens,
                full_at_micros,
            }))) => {
                self.remember(key, tokens - 1, full_at_micros, now);
                Ok(())
            }
            Ok(Ok(Some(Taken::Empty { wait_micros }))) => Err(self.refused(wait_micros)),
            Ok(Ok(None)) => Ok(()),
            Ok(Err(error)) => {
                let error = crate::aws::telemetry::chain(&error);
                tracing::warn!(error, "a request was not counted");
                Ok(())
            }
            Err(_) => {
                tracing::warn!(error = "no answer in time", "a request was not counted");
                Ok(())
            }
        }
    }

    /// Counts a request in the memory of this process.
    fn count_here(&self, key: String, full_at: u64, now: Time) -> Result<(), Refused> {
        let micros = micros(now);
        let full_at = full_at.max(micros) + self.interval_micros;
        let latest = micros + self.limit.window_micros();
        if full_at > latest {
            return Err(self.refused(full_at - latest));
        }
        self.remember(key, 0, full_at, now);
        Ok(())
    }

    fn refused(&self, wait_micros: u64) -> Refused {
        Refused {
            limit: self.limit,
            retry_after_seconds: wait_micros.div_ceil(MICROS_PER_SECOND).max(1),
        }
    }

    /// Returns whose bucket it is: the account's or the address's. Of an IPv6 address it is the first half,
    /// because a client controls the other half.
    fn key(&self, request: &Request) -> String {
        let name = self.limit.name;
        let identity = request.identity.as_ref().filter(|_| self.limit.by_account);
        if let Some(identity) = identity {
            return format!("{name}#{}", identity.caller.customer_id);
        }
        match request.source_ip.parse() {
            Ok(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{name}#{a:x}:{b:x}:{c:x}:{d:x}::")
            }
            Ok(IpAddr::V4(_)) | Err(_) => format!("{name}#{}", request.source_ip),
        }
    }

    /// Spends a token that was taken before, or returns when the bucket was last known to be full again.
    fn spend(&self, key: &str, now: Time) -> Result<(), u64> {
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        match leases.get_mut(key) {
            Some(lease) if lease.left > 0 && now < lease.until => {
                lease.left -= 1;
                Ok(())
            }
            Some(lease) => Err(lease.full_at_micros),
            None => Err(0),
        }
    }

    fn remember(&self, key: String, left: u64, full_at_micros: u64, now: Time) {
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        if leases.len() >= MOST_REMEMBERED {
            leases.retain(|_, lease| now < lease.until);
        }
        if leases.len() >= MOST_REMEMBERED {
            leases.clear();
        }
        let until = now.plus(LEASE);
        // A concurrent request may have taken some, too.
        let left = left + leases.get(&key).map_or(0, |lease| lease.left);
        let lease = Lease {
            left: left.min(u64::from(self.limit.lease)),
            until,
            full_at_micros,
        };
        leases.insert(key, lease);
    }

    /// Takes as many tokens as there are, at most a lease. `known` is when the bucket was last known to be
    /// full again: it decides which of two writes is tried first. Returns `None` if others kept changing the
    /// bucket.
    async fn take(&self, key: &str, known: u64, now: Time) -> Result<Option<Taken>, StoreError> {
        let now = micros(now);
        let mut full_at = known;
        for _ in 0..TRIES {
            let tokens = self.available(full_at, now);
            if tokens == 0 {
                let latest = now + self.limit.window_micros();
                let wait_micros = (full_at + self.interval_micros).saturating_sub(latest);
                return Ok(Some(Taken::Empty { wait_micros }));
            }
            match self.write(key, full_at, tokens, now).await? {
                Outcome::Done => {
                    let full_at_micros = full_at.max(now) + tokens * self.interval_micros;
                    return Ok(Some(Taken::Granted {
                        tokens,
                        full_at_micros,
                    }));
                }
                Outcome::Refused(stored) => {
                    full_at = stored.map_or(0, |item: BucketItem| item.full_at_micros);
                }
            }
        }
        Ok(None)
    }

    /// Returns how many tokens a bucket has that is full again at `full_at`.
    fn available(&self, full_at: u64, now: u64) -> u64 {
        let missing = full_at.saturating_sub(now);
        let there = self.limit.window_micros().saturating_sub(missing) / self.interval_micros;
        there.min(u64::from(self.limit.lease))
    }

    /// Takes `tokens` from the bucket: from one that has been full since, if `full_at` is past, and otherwise
    /// from one that still has them, even if others take some meanwhile.
    async fn write(
        &self,
        key: &str,
        full_at: u64,
        tokens: u64,
        now: u64,
    ) -> Result<Outcome<BucketItem>, StoreError> {
        let cost = tokens * self.interval_micros;
        let latest = now + self.limit.window_micros();
        let key = Key::new("pk", key);
        let write = if full_at < now {
            self.table
                .update(key, "SET full_at_micros = :next, expires_at = :expires_at")
                .when("attribute_not_exists(full_at_micros) OR full_at_micros < :now")
                .value(":next", &(now + cost))?
                .value(":now", &now)?
        } else {
            self.table
                .update(
                    key,
                    "SET full_at_micros = full_at_micros + :cost, expires_at = :expires_at",
                )
                .when("full_at_micros BETWEEN :now AND :most")
                .value(":cost", &cost)?
                .value(":now", &now)?
                .value(":most", &(latest - cost))?
        };
        // A full bucket need not be kept.
        let expires_at = latest.div_ceil(MICROS_PER_SECOND);
        self.table
            .write_or_tell(write.value(":expires_at", &expires_at)?)
            .await
    }
}

fn micros(now: Time) -> u64 {
    u64::try_from(now.as_millis()).unwrap_or(0) * 1000
}

#[cfg(test)]
mod tests;
