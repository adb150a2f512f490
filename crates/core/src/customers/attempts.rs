//! Counts wrong passwords, so that guessing becomes slow.
//!
//! There are three counters in the sessions table, named by hashes: `attempts#pair#` counts failures on an account
//! from one network, `attempts#account#` those on an account from everywhere, and `attempts#source#` those of a
//! network on all accounts. An unknown email address is counted like a known one. A counter expires an hour after the
//! last failure; DynamoDB's time to live deletes it later.
//!
//! A network from which the account's owner has signed in is known for ninety days (`known#`). Failures from
//! elsewhere do not keep it waiting, so a stranger cannot lock out the owner's device.
//!
//! Attempts that arrive at the same moment are all let through and all counted: the limit on requests bounds
//! such a burst, and the next attempt has to wait for all of its failures. A write that the SDK retries may
//! count twice, which only makes the wait longer.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::model::{CustomerError, Email};
use crate::aws::Aws;
use crate::aws::dynamo::{self, Key, StoreError, Table, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::values::clock::Time;
use crate::values::digest::sha256_hex;

/// The number of failures on one account from one network that cause no wait.
const FREE_FROM_PAIR: u32 = 5;

/// The number of failures on one account from all networks together that cause no wait.
const FREE_ON_ACCOUNT: u32 = 100;

/// The number of failures from one network that cause no wait: offices and mobile networks share addresses.
const FREE_FROM_SOURCE: u32 = 500;

/// The longest wait for an account, in seconds.
const LONGEST_ON_ACCOUNT_SECONDS: u64 = 900;

/// The longest wait for a network, in seconds: one guesser must not lock out a whole office.
const LONGEST_FROM_SOURCE_SECONDS: u64 = 60;

/// How long after its last failure a counter expires. It is longer than the longest wait.
const COUNTER_LIFETIME: Duration = Duration::from_hours(1);

/// How long a network is known after a sign-in from it.
const KNOWN_LIFETIME: Duration = Duration::from_hours(90 * 24);

/// The store of the counters.
#[derive(Clone, Debug)]
pub struct Attempts {
    table: Table,
}

/// An attempt to prove a password, by the keys of the items that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    account: String,
    source: String,
    pair: String,
    known: String,
}

impl Attempt {
    /// Returns an attempt on the account with the address `email`, from the IP address `source_ip`.
    #[must_use]
    pub fn new(email: &Email, source_ip: &str) -> Self {
        let (email, network) = (email.lowercase(), network(source_ip));
        let pair = sha256_hex(format!("{email}\n{network}"));
        Self {
            account: format!("attempts#account#{}", sha256_hex(email)),
            source: format!("attempts#source#{}", sha256_hex(network)),
            pair: format!("attempts#pair#{pair}"),
            known: format!("known#{pair}"),
        }
    }
}

/// What is known about an attempt before it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether the account has failures that a success would clear.
    pub account_has_failures: bool,
    /// Whether the account's owner has signed in from the same network.
    pub is_known: bool,
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
        let pks = [
            &attempt.pair,
            &attempt.account,
            &attempt.source,
            &attempt.known,
        ];
        let keys = pks.map(|pk| key(pk)).to_vec();
        let mut found: Vec<AttemptItem> = self.table.get_many(keys, true).await?;
        found.retain(|item| item.counts(now));
        let item = |pk: &str| found.iter().find(|item| item.pk == pk);
        let (pair, account) = (item(&attempt.pair), item(&attempt.account));
        let is_known = item(&attempt.known).is_some();
        let waits = [
            (pair, FREE_FROM_PAIR, LONGEST_ON_ACCOUNT_SECONDS),
            (
                account.filter(|_| !is_known),
                FREE_ON_ACCOUNT,
                LONGEST_ON_ACCOUNT_SECONDS,
            ),
            (
                item(&attempt.source),
                FREE_FROM_SOURCE,
                LONGEST_FROM_SOURCE_SECONDS,
            ),
        ];
        let waits = waits.into_iter().map(|(counter, free, longest)| {
            counter.map_or(0, |counter| counter.seconds_to_wait(free, longest, now))
        });
        match waits.max().unwrap_or(0) {
            0 => Ok(Standing {
                account_has_failures: pair.or(account).is_some(),
                is_known,
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
        let pair = self.count(&attempt.pair, now);
        let account = self.count(&attempt.account, now);
        let source = self.count(&attempt.source, now);
        let counted = futures::future::try_join3(pair, account, source);
        counted.await.map(drop)
    }

    /// Clears the failures on the account, those from the attempt's network and those from everywhere: the caller
    /// has proved the identity.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clear_failures(&self, attempt: &Attempt) -> Result<(), StoreError> {
        let clear = |pk: &str| self.table.write(self.table.delete(key(pk)));
        let (pair, account) = (clear(&attempt.pair), clear(&attempt.account));
        futures::future::try_join(pair, account).await.map(drop)
    }

    /// Remembers the attempt's network as one from which the account's owner signs in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remember(&self, attempt: &Attempt, now: Time) -> Result<(), StoreError> {
        let known = KnownNetworkItem {
            pk: attempt.known.clone(),
            sk: SK.to_owned(),
            expires_at: now.plus(KNOWN_LIFETIME).as_seconds(),
        };
        self.table.write(self.table.put(&known)?).await.map(drop)
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
pub(super) fn network(source_ip: &str) -> String {
    match source_ip.parse() {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Ok(IpAddr::V4(_)) | Err(_) => source_ip.to_owned(),
    }
}

const SK: &str = "attempts";

fn key(pk: &str) -> Key {
    Key::new("pk", pk).and("sk", SK)
}

/// A counter or a known network as it is stored, without its sort key.
#[derive(Deserialize)]
struct AttemptItem {
    pk: String,
    #[serde(default)]
    failures: u32,
    #[serde(default)]
    last_at: Option<Time>,
    /// In seconds since 1970.
    expires_at: i64,
}

impl AttemptItem {
    /// Returns whether the item has not expired at `now`.
    fn counts(&self, now: Time) -> bool {
        self.expires_at > now.as_seconds()
    }

    /// Returns how long an attempt at `now` has to wait if `free` failures cause no wait.
    fn seconds_to_wait(&self, free: u32, longest: u64, now: Time) -> u64 {
        match (self.failures.checked_sub(free), self.last_at) {
            (Some(beyond), Some(last_at)) => seconds_to_wait(beyond, longest, last_at, now),
            (None, _) | (_, None) => 0,
        }
    }
}

/// A known network as it is stored.
#[derive(Serialize)]
struct KnownNetworkItem {
    pk: String,
    sk: String,
    /// In seconds since 1970.
    expires_at: i64,
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
