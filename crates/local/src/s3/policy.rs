//! The policy of a form: what its fields have to be.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html>

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::S3Error;

/// Fields that no condition has to be about.
const FREE: [&str; 3] = ["file", "policy", "x-amz-signature"];

/// A policy.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    expiration: Timestamp,
    conditions: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Rule {
    /// `{"field": "value"}`.
    Exact(Map<String, Value>),
    /// `["eq" or "starts-with", "$field", "value"]`.
    Field(String, String, String),
    /// `["content-length-range", least, most]`.
    Range(String, u64, u64),
}

impl Policy {
    /// Reads a policy in base64.
    pub(super) fn parse(text: &str) -> Result<Self, S3Error> {
        let malformed = |problem: String| {
            S3Error::client(
                "InvalidPolicyDocument",
                format!("Invalid Policy: {problem}"),
            )
        };
        let json = STANDARD
            .decode(text)
            .map_err(|error| malformed(error.to_string()))?;
        serde_json::from_slice(&json).map_err(|error| malformed(error.to_string()))
    }

    /// Compares the fields, by their names in lower case, with the conditions. Returns how few and
    /// how many bytes the file may have, if the policy says so.
    pub(super) fn check(
        &self,
        fields: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<Option<(u64, u64)>, S3Error> {
        if now > self.expiration {
            return Err(refused("Policy expired."));
        }
        let mut covered = BTreeSet::new();
        let mut range = None;
        for rule in &self.conditions {
            match rule {
                Rule::Exact(pairs) => {
                    for (name, value) in pairs {
                        let value = value.as_str().unwrap_or_default();
                        check_field(fields, &mut covered, "eq", name, value)?;
                    }
                }
                Rule::Field(operator, name, value) => {
                    let name = name.strip_prefix('$').ok_or_else(|| {
                        let message = format!("Invalid Policy: {name} does not begin with $");
                        S3Error::client("InvalidPolicyDocument", message)
                    })?;
                    check_field(fields, &mut covered, operator, name, value)?;
                }
                Rule::Range(name, least, most) if name == "content-length-range" => {
                    let (low, high) = range.unwrap_or((0, u64::MAX));
                    range = Some((low.max(*least), high.min(*most)));
                }
                Rule::Range(name, ..) => return Err(unknown(name)),
            }
        }
        let extra = fields.keys().find(|name| {
            let free = FREE.contains(&name.as_str()) || name.starts_with("x-ignore-");
            !free && !covered.contains(*name)
        });
        match extra {
            Some(name) => Err(refused(&format!("Extra input fields: {name}"))),
            None => Ok(range),
        }
    }
}

fn check_field(
    fields: &BTreeMap<String, String>,
    covered: &mut BTreeSet<String>,
    operator: &str,
    name: &str,
    value: &str,
) -> Result<(), S3Error> {
    let name = name.to_ascii_lowercase();
    let found = fields.get(&name).map_or("", String::as_str);
    let holds = match operator {
        "eq" => found == value,
        // Of a list of types, each has to begin so.
        "starts-with" if name == "content-type" => found
            .split(',')
            .all(|one| one.trim_start().starts_with(value)),
        "starts-with" => found.starts_with(value),
        other => return Err(unknown(other)),
    };
    if !holds {
        let condition = format!("[\"{operator}\", \"${name}\", \"{value}\"]");
        return Err(refused(&format!("Policy Condition failed: {condition}")));
    }
    covered.insert(name);
    Ok(())
}

fn refused(problem: &str) -> S3Error {
    S3Error::denied(format!("Invalid according to Policy: {problem}"))
}

fn unknown(operator: &str) -> S3Error {
    let message = format!("Invalid Policy: {operator} is not a condition");
    S3Error::client("InvalidPolicyDocument", message)
}
