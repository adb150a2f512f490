//! The order in which CloudFormation makes resources. What `DependsOn` names has to be there, and no resource may need
//! itself: both are refused when the template is deployed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::error::Refused;
use super::globals;
use super::resolve::{Location, Resolver, intrinsic};

/// What each resource needs, by logical id. The role that SAM makes of `Policies` is a resource of its own.
type Needs = BTreeMap<String, BTreeSet<String>>;

/// Checks the resources whose conditions hold.
///
/// # Errors
/// The `DependsOn` that names nothing, or the first resource that needs itself.
pub(super) fn check(
    resolver: &Resolver<'_>,
    globals: &Map<String, Value>,
    active: &[(&str, &str)],
) -> Result<(), Refused> {
    let mut needs = Needs::new();
    for (id, resource_type) in active {
        add(resolver, globals, id, resource_type, &mut needs)?;
    }
    let mut done = BTreeSet::new();
    for id in needs.keys() {
        walk(&needs, id, &mut Vec::new(), &mut done)?;
    }
    Ok(())
}

/// Adds what one resource needs, and what others need because of it.
fn add(
    resolver: &Resolver<'_>,
    globals: &Map<String, Value>,
    id: &str,
    resource_type: &str,
    needs: &mut Needs,
) -> Result<(), Refused> {
    let path = format!("Resources.{id}");
    let at = Location::new(&path);
    let resource = &resolver.resources[id];
    let mut own = depends_on(resolver, resource, at)?;
    names(resolver, &resource["Metadata"], at, &mut own)?;
    let properties = globals::with_globals(resolver, globals, id, resource_type);
    let made_by_sam =
        ["AWS::Serverless::Function", "AWS::Serverless::StateMachine"].contains(&resource_type);
    for (name, value) in properties.as_object().into_iter().flatten() {
        match name.as_str() {
            "Policies" if made_by_sam => {
                let role = format!("{id}Role");
                names(resolver, value, at, needs.entry(role.clone()).or_default())?;
                own.insert(role);
            }
            // The API is made of its routes. SAM makes resources of their own of other events, which nothing needs.
            "Events" if made_by_sam => {
                for event in value.as_object().into_iter().flat_map(Map::values) {
                    let mut apis = BTreeSet::new();
                    names(resolver, &event["Properties"]["ApiId"], at, &mut apis)?;
                    for api in apis {
                        needs.entry(api).or_default().insert(id.to_owned());
                    }
                }
            }
            "EventInvokeConfig" if made_by_sam => {}
            _ => names(resolver, value, at, &mut own)?,
        }
    }
    needs.entry(id.to_owned()).or_default().append(&mut own);
    Ok(())
}

fn depends_on(
    resolver: &Resolver<'_>,
    resource: &Value,
    at: Location<'_>,
) -> Result<BTreeSet<String>, Refused> {
    let one = resource.get("DependsOn").map(std::slice::from_ref);
    let all = one.map(|one| one[0].as_array().map_or(one, Vec::as_slice));
    let named = all.unwrap_or_default().iter().map(|name| {
        let known = |name: &&str| {
            resolver.resources.contains_key(*name) || resolver.implied_role(name).is_some()
        };
        let problem = || at.refuse(format!("DependsOn: there is no resource {name}"));
        let name = name.as_str().filter(known);
        name.map(str::to_owned).ok_or_else(problem)
    });
    named.collect()
}

/// Adds the names that a value refers to, of parameters, too.
fn names(
    resolver: &Resolver<'_>,
    value: &Value,
    at: Location<'_>,
    found: &mut BTreeSet<String>,
) -> Result<(), Refused> {
    let call = value.as_object().and_then(intrinsic);
    match (call, value) {
        (Some(("Ref", Value::String(name))), _) => {
            found.insert(name.clone());
        }
        (Some(("Fn::GetAtt", Value::String(path))), _) => found.extend(first_part(path)),
        (Some(("Fn::GetAtt", Value::Array(path))), _) => {
            found.extend(path.first().and_then(Value::as_str).map(str::to_owned));
        }
        (Some(("Fn::Sub", template)), _) => {
            let (text, own) = match template.as_array().map(Vec::as_slice) {
                Some([text, own]) => (text, own),
                _ => (template, &Value::Null),
            };
            let variables = text.as_str().unwrap_or_default().split("${").skip(1);
            let variables = variables.filter_map(|rest| Some(rest.split_once('}')?.0));
            let others = variables.filter(|name| own.get(name).is_none());
            found.extend(others.filter_map(first_part));
            names(resolver, own, at, found)?;
        }
        (Some(("Fn::If", Value::Array(parts))), _) => {
            if let [Value::String(condition), yes, no] = parts.as_slice() {
                let holds = resolver.condition(condition, at)?;
                names(resolver, if holds { yes } else { no }, at, found)?;
            }
        }
        (_, Value::Array(items)) => {
            for item in items {
                names(resolver, item, at, found)?;
            }
        }
        (_, Value::Object(map)) => {
            for value in map.values() {
                names(resolver, value, at, found)?;
            }
        }
        (_, Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {}
    }
    Ok(())
}

/// The resource in `Resource.Attribute`.
fn first_part(path: &str) -> Option<String> {
    path.split('.').next().map(str::to_owned)
}

/// Follows what `id` needs. `path` is how it was reached.
fn walk<'a>(
    needs: &'a Needs,
    id: &'a str,
    path: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
) -> Result<(), Refused> {
    if let Some(begun) = path.iter().position(|before| *before == id) {
        let circle = path[begun..].join(", ");
        let problem = format!("circular dependency: {circle}");
        return Err(Refused::new(&format!("Resources.{id}"), problem));
    }
    if done.contains(id) {
        return Ok(());
    }
    path.push(id);
    for needed in needs.get(id).into_iter().flatten() {
        walk(needs, needed, path, done)?;
    }
    path.pop();
    done.insert(id);
    Ok(())
}
