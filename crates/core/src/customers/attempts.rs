//! Counts wrong passwords, so that guessing becomes slow.
//!
//! There are two counters in the sessions table: `attempts#account#<hash of the email address>` and
//! `attempts#source#<hash of the client's IP address>`. An unknown email address is counted like a known one.
//! A counter expires an hour after the last failure; DynamoDB's time to live deletes it later.
//!
//! Attempts that arrive at the same moment are all let through and all counted: the limit on requests bounds
//! such a burst, and the next attempt has to wait for all of its failures. A write that the SDK retries may
//! count twice, which only makes the wait longer.

use std::net::IpAddr;
use std::time::Duration;

use serde::Deserialize;

use super::model::{CustomerError, Email};
use crate::aws::Aws;
use crate::aws::dynamo::{self, Key, StoreError, Table, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::values::clock::Time;
use crate::values::digest::sha256_hex;

/// The number of failures on one account that cause no wait.
const FREE_ON_ACCOUNT: u32 = 5;

/// The number of failures from one IP address that cause no wait: offices and mobile networks share addresses.
const FREE_FROM_SOURCE: u32 = 500;

/// The longest wait for an account, in seconds.
const LONGEST_ON_ACCOUNT_SECONDS: u64 = 900;

/// The longest wait for an IP address, in seconds: one guesser must not lock out a whole office.
const LONGEST_FROM_SOURCE_SECONDS: u64 = 60;

/// How long after its last failure a counter expires. It is longer than the longest wait.
const COUNTER_LIFETIME: Duration = Duration::from_hours(1);

/// The store of the counters.
#[derive(Clone, Debug)]
pub struct Attempts {
    table: Table,
}

/// An attempt to prove a password, by the counters that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    account_pk: String,
    source_pk: String,
}

impl Attempt {
    /// Returns an attempt on the account with the address `email`, from the IP address `source_ip`.
    #[must_use]
    pub fn new(email: &Email, source_ip: &str) -> Self {
        Self {
            account_pk: format!("attempts#account#{}", hashed(&email.lowercase())),
            source_pk: format!("attempts#source#{}", hashed(&network(source_ip))),
        }
    }
}

/// What is known about an attempt before it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether the account has failures that a success would clear.
    pub account_has_failures: bool,
}

impl Attempts {
    /// Opens the counters in the table that the setting `SESSIONS_TABLE` names.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let table = Table::new(aws, Setting::SessionsTable)?;
        Ok(Self { table })
    }

    /// Permits `attempt` at `now`. The number of reads is the same for every attempt.
    ///
    /// # Errors
    /// [`CustomerError::TooManyAttempts`] if it has to wait.
    pub async fn permit(&self, attempt: &Attempt, now: Time) -> Result<Standing, CustomerError> {
        let keys = vec![key(&attempt.account_pk), key(&attempt.source_pk)];
        let counters: Vec<CounterItem> = self.table.get_many(keys, true).await?;
        let counters = counters.iter().filter(|counter| counter.counts(now));
        let waits = counters.clone().map(|counter| {
            let (free, longest) = if counter.pk == attempt.account_pk {
                (FREE_ON_ACCOUNT, LONGEST_ON_ACCOUNT_SECONDS)
            } else {
                (FREE_FROM_SOURCE, LONGEST_FROM_SOURCE_SECONDS)
            };
            let beyond = counter.failures.checked_sub(free);
            beyond.map_or(0, |beyond| {
                seconds_to_wait(beyond, longest, counter.last_at, now)
            })
        });
        match waits.max().unwrap_or(0) {
            0 => Ok(Standing {
                account_has_failures: counters
                    .into_iter()
                    .any(|counter| counter.pk == attempt.account_pk),
            }),
            seconds => Err(CustomerError::TooManyAttempts {
                retry_after_seconds: seconds,
            }),
        }
    }

    /// Counts a failed attempt.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record_failure(&self, attempt: &Attempt, now: Time) -> Result<(), StoreError> {
        let account = self.count(&attempt.account_pk, now);
        let source = self.count(&attempt.source_pk, now);
        futures::future::try_join(account, source).await.map(drop)
    }

    /// Clears the failures on the account: the caller knew the password.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clear_failures(&self, attempt: &Attempt) -> Result<(), StoreError> {
        let write = self.table.delete(key(&attempt.account_pk));
        self.table.write(write).await.map(drop)
    }

    /// Adds one to a counter. Takes one conditional write, or two if the counter has expired and is still
    /// stored.
    async fn count(&self, pk: &str, now: Time) -> Result<(), StoreError> {
        let until = now.plus(COUNTER_LIFETIME).as_seconds();
        dynamo::change("a counter", || async {
            let add = self
                .table
                .update(
                    key(pk),
                    "SET failures = if_not_exists(failures, :zero) + :one, last_at = :now, \
                     expires_at = :until",
                )
                .when("attribute_not_exists(pk) OR expires_at > :seconds")
                .value(":zero", &0)?
                .value(":one", &1)?
                .value(":now", &now)?
                .value(":until", &until)?
                .value(":seconds", &now.as_seconds())?;
            if self.table.write(add).await? == Written::Done {
                return Ok(dynamo::Attempt::Done(()));
            }
            let renew = self
                .table
                .update(
                    key(pk),
                    "SET failures = :one, last_at = :now, expires_at = :until",
                )
                .when("attribute_not_exists(pk) OR expires_at <= :seconds")
                .value(":one", &1)?
                .value(":now", &now)?
                .value(":until", &until)?
                .value(":seconds", &now.as_seconds())?;
            Ok(match self.table.write(renew).await? {
                Written::Done => dynamo::Attempt::Done(()),
                Written::Refused(_) => dynamo::Attempt::Overtaken,
            })
        })
        .await
    }
}

/// Returns how long an attempt at `now` has to wait: 1, 2, 4, ... seconds, at most `longest`, after the last
/// failure at `last_at`, for so many failures `beyond` the free ones.
fn seconds_to_wait(beyond: u32, longest: u64, last_at: Time, now: Time) -> u64 {
    let wait = 1_u64
        .checked_shl(beyond)
        .map_or(longest, |wait| wait.min(longest));
    let until = last_at.plus(Duration::from_secs(wait));
    let left = until.as_millis().saturating_sub(now.as_millis());
    u64::try_from(left).unwrap_or(0).div_ceil(1000)
}

/// Returns what one customer of a provider has: an IPv4 address, or the first 64 bits of an IPv6 address,
/// because each customer has all addresses that begin with them (RFC 6177).
fn network(source_ip: &str) -> String {
    match source_ip.parse() {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Ok(IpAddr::V4(_)) | Err(_) => source_ip.to_owned(),
    }
}

/// Returns the SHA-256 hash in hexadecimal, so that the table contains no email or IP addresses.
fn hashed(text: &str) -> String {
    sha256_hex(text)
}

const SK: &str = "attempts";

fn key(pk: &str) -> Key {
    Key::new("pk", pk).and("sk", SK)
}

/// A counter as it is stored, without its sort key.
#[derive(Deserialize)]
struct CounterItem {
    pk: String,
    failures: u32,
    last_at: Time,
    /// In seconds since 1970.
    expires_at: i64,
}

impl CounterItem {
    /// Returns whether the counter has not expired at `now`.
    fn counts(&self, now: Time) -> bool {
        self.expires_at > now.as_seconds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_stop_at_the_longest() {
        let at = Time::from_millis(0);
        let waits = |beyond| seconds_to_wait(beyond, 900, at, at);
        assert_eq!([0, 1, 2, 9, 10, 99].map(waits), [1, 2, 4, 512, 900, 900]);
        assert_eq!(waits(u32::MAX), 900);
        let left = |millis| seconds_to_wait(1, 900, at, Time::from_millis(millis));
        assert_eq!(left(1_500), 1, "half a second is left");
        assert_eq!(left(2_000), 0);
    }

    #[test]
    fn an_ipv6_customer_is_one_source() {
        assert_eq!(
            network("2001:db8:1:2:3::1"),
            network("2001:db8:1:2:ffff::9")
        );
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}
