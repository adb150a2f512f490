//! The routes of `/rules`, for admins. The route that tries a rule is in `orders::trial`.

use serde::Serialize;

use super::cel::{Expression, SOURCE_CHARACTERS};
use super::changes::{self, Edit, Next};
use super::model::{Draft, Rule, RuleError, RuleName, Severity};
use super::store::RuleStore;
use crate::aws::dynamo::{self, Attempt};
use crate::http::body::{Body, Json, currency};
use crate::http::exchange::{IfMatch, Request, Response};
use crate::http::page::{Page, PageRequest};
use crate::http::problem::Problem;
use crate::http::routes;
use crate::values::clock::Time;
use crate::values::id::CustomerId;
use crate::values::money::Currency;

/// A rule on the wire.
#[derive(Debug, Serialize)]
struct RuleBody {
    name: RuleName,
    expression: String,
    currency: Option<Currency>,
    message: String,
    code: String,
    severity: Severity,
    enabled: bool,
    version: u64,
    author: CustomerId,
    created_at: Time,
    updated_at: Time,
}

impl From<Rule> for RuleBody {
    fn from(rule: Rule) -> Self {
        Self {
            name: rule.name,
            expression: rule.draft.expression,
            currency: rule.draft.currency,
            message: rule.draft.message,
            code: rule.draft.code,
            severity: rule.draft.severity,
            enabled: rule.draft.enabled,
            version: rule.version,
            author: rule.author,
            created_at: rule.created_at,
            updated_at: rule.updated_at,
        }
    }
}

/// `GET /rules?limit=&cursor=`: lists the rules in the order of their creation, in which they are
/// also evaluated.
///
/// # Errors
/// For a caller who is not an admin; [`Problem::InvalidParameters`].
pub async fn list_rules(rules: &RuleStore, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    let query = request.query(routes::LIST_RULES.query)?;
    let page = PageRequest::read(&request, &query)?;
    let mut listed = rules.all().await?;
    if let Some(after) = &page.after {
        listed.retain(|rule| rule.position() > *after);
    }
    let page = Page::cut(listed, page.limit, Rule::position);
    page.map(RuleBody::from).answer(&request)
}

/// `GET /rules/{rule_name}`: returns the rule.
///
/// # Errors
/// For a caller who is not an admin; [`Problem::NotFound`].
pub async fn get_rule(rules: &RuleStore, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    let name = rule_name(&request)?;
    rule_response(rules.get(&name).await?.ok_or(RuleError::NotFound)?)
}

/// `PUT /rules/{rule_name}`: responds 201 with a new rule, or 200 with a changed one.
///
/// # Errors
/// For a caller who is not an admin, and for bad input, such as an expression that does not compile.
/// If the rule exists, also without `If-Match` or with a stale one.
pub async fn put_rule(
    rules: &RuleStore,
    currency: Currency,
    request: Request,
) -> Result<Response, Problem> {
    let author = request.admin()?.customer_id;
    let name = rule_name(&request)?;
    let expected = request.if_match_or_none()?;
    let draft = request.json(|body| draft(body, currency))?;
    let edit = Edit {
        author,
        now: request.now,
    };
    dynamo::change("the rule", || async {
        let stored = rules.get(&name).await?;
        let removed = match &stored {
            Some(_) => 0,
            None => rules.removed_version(&name).await?,
        };
        let next = changes::set(
            name.clone(),
            stored.as_ref(),
            removed,
            draft.clone(),
            expected.as_ref(),
            edit,
        )?;
        let written = match next {
            Next::Unchanged => {
                return rule_response(stored.ok_or(RuleError::NotFound)?).map(Attempt::Done);
            }
            Next::Made(mut rule) => {
                rule.event.traceparent = request.traceparent();
                rules.create(&rule).await.map(|()| created(rule))
            }
            Next::Changed(mut rule) => {
                rule.event.traceparent = request.traceparent();
                rules.replace(&rule).await.map(|()| rule_response(rule))
            }
        };
        match written {
            Err(RuleError::Stale) if !matches!(expected, Some(IfMatch::Tags(_))) => {
                Ok(Attempt::Overtaken)
            }
            response => response?.map(Attempt::Done),
        }
    })
    .await
}

/// `DELETE /rules/{rule_name}`: removes the rule and responds 204.
///
/// # Errors
/// For a caller who is not an admin; without `If-Match` or with a stale one;
/// [`Problem::NotFound`], also if the rule was removed before.
pub async fn remove_rule(rules: &RuleStore, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    let name = rule_name(&request)?;
    let expected = request.if_match()?;
    dynamo::change("the rule", || async {
        let rule = rules.get(&name).await?.ok_or(RuleError::NotFound)?;
        let mut event = changes::remove(&rule, &expected, request.now)?;
        event.traceparent = request.traceparent();
        match rules.remove(&rule, event).await {
            Err(RuleError::Stale) if expected == IfMatch::Any => Ok(Attempt::Overtaken),
            removed => Ok(Attempt::Done(removed.map(|()| Response::no_content())?)),
        }
    })
    .await
}

/// Returns the rule name in the request's path.
///
/// # Errors
/// [`Problem::NotFound`] if it is not a valid name.
pub fn rule_name(request: &Request) -> Result<RuleName, Problem> {
    request.id("rule_name", "rule")
}

fn created(rule: Rule) -> Result<Response, Problem> {
    let tag = changes::tag(&rule);
    let location = format!("/rules/{}", rule.name);
    Ok(Response::created(location, &RuleBody::from(rule))?.etag(&tag))
}

fn rule_response(rule: Rule) -> Result<Response, Problem> {
    let tag = changes::tag(&rule);
    Ok(Response::ok(&RuleBody::from(rule))?.etag(&tag))
}

fn draft(body: &mut Body<'_>, shop_currency: Currency) -> Option<Draft> {
    let own_currency = body.optional("currency", currency);
    let currency = own_currency.flatten().unwrap_or(shop_currency);
    let expression = body.required("expression", |json| expression(json, currency));
    let message = body.required("message", |json| json.line(1..=200));
    let code = body.required("code", |json| {
        json.parsed(
            "this must be 1 to 50 of the characters a to z, 0 to 9 and _",
            code,
        )
    });
    let severity = body.optional("severity", |json| {
        json.parsed("this must be reject or review", |text| match text {
            "reject" => Ok(Severity::Reject),
            "review" => Ok(Severity::Review),
            _ => Err(()),
        })
    });
    let enabled = body.optional("enabled", |json: Json<'_>| json.boolean());
    Some(Draft {
        expression: expression?,
        currency: own_currency?,
        message: message?,
        code: code?,
        severity: severity?.unwrap_or_default(),
        enabled: enabled?.unwrap_or(true),
    })
}

/// Reads an expression whose amounts are in `currency`. One that does not compile is a fault that says where.
pub(crate) fn expression(json: Json<'_>, currency: Currency) -> Option<String> {
    let place = json.clone();
    let source = json.text(1..=SOURCE_CHARACTERS)?;
    match Expression::compile(&source, currency) {
        Ok(_) => Some(source),
        Err(error) => place.fault("expression", error.to_string()),
    }
}

fn code(text: &str) -> Result<String, ()> {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    if (1..=50).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err(())
    }
}
