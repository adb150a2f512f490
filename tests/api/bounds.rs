//! The bounds that the OpenAPI document gives for bodies and parameters are those of the shop: what is at a bound passes
//! it, and what is one beyond it is refused by its pointer. The document is walked, so that no bound can be forgotten.

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::authorisation::{Scene, operations};
use crate::support::contract::{Operation, contract};
use crate::support::people::unique;
use crate::support::shop::Setup;
use crate::support::{run_in_euros, run_local};

/// Texts that most patterns do not allow.
const STRANGE: [&str; 6] = ["", " ", "!", "a b", "é", "-1"];

/// A value at a bound of its schema, or one beyond it.
struct Probe {
    pointer: String,
    /// The whole that has the value at `pointer`.
    body: Value,
    fits: bool,
}

/// Finds the probes of the schemas in a whole.
#[derive(Default)]
struct Probes(Vec<Probe>);

impl Probes {
    /// Finds the bounds of `schema`, whose value is at `pointer` of `body`. What the body does not have is put there as
    /// far as it is needed: the shop reports every fault at once, so other faults do not matter.
    fn of(&mut self, schema: &Value, body: &Value, pointer: &str) {
        if let Some(reference) = schema["$ref"].as_str() {
            let place = reference.trim_start_matches('#');
            let target = contract().document.pointer(place).unwrap();
            return self.of(target, body, pointer);
        }
        for kind in ["oneOf", "allOf"] {
            for part in schema[kind].as_array().into_iter().flatten() {
                self.of(part, body, pointer);
            }
        }
        self.of_scalar(schema, body, pointer);
        self.of_list(schema, body, pointer);
        self.of_object(schema, body, pointer);
    }

    fn add(&mut self, body: &Value, pointer: &str, value: Value, fits: bool) {
        self.0.push(Probe {
            pointer: pointer.to_owned(),
            body: with(body, pointer, value),
            fits,
        });
    }

    fn of_scalar(&mut self, schema: &Value, body: &Value, pointer: &str) {
        let mut add = |value: Value, fits| self.add(body, pointer, value, fits);
        if let Some(most) = schema["maxLength"].as_u64() {
            if schema["pattern"].is_null() {
                add(text("a", most), true);
            }
            add(text("a", most + 1), false);
        }
        if let Some(least @ 1..) = schema["minLength"].as_u64() {
            add(text("a", least - 1), false);
        }
        if let Some(most) = schema["maximum"].as_i64() {
            add(most.into(), true);
            add((most + 1).into(), false);
        }
        if let Some(least) = schema["minimum"].as_i64() {
            add(least.into(), true);
            add((least - 1).into(), false);
        }
        if let Some(pattern) = schema["pattern"].as_str() {
            let strange = STRANGE.map(Value::from).into_iter();
            let matching = json!({"pattern": pattern});
            let strange = strange.filter(|text| !jsonschema::is_valid(&matching, text));
            strange.for_each(|text| add(text, false));
            if let Some(most) = schema["maxLength"].as_u64() {
                let long = too_long(body.pointer(pointer), most).map(Value::from);
                let long = long.into_iter();
                let long = long.filter(|text| jsonschema::is_valid(&matching, text));
                long.for_each(|text| add(text, false));
            }
            if let Some((character, most)) = most_of(pattern) {
                add(text(character, most), true);
                add(text(character, most + 1), false);
            }
        }
        if schema["enum"].is_array() {
            add("no such value".into(), false);
        }
        if schema["format"] == "uuid" {
            add("no identifier".into(), false);
        }
    }

    fn of_list(&mut self, schema: &Value, body: &Value, pointer: &str) {
        let mut nulls = |count: u64, fits| {
            let nulls = vec![Value::Null; usize::try_from(count).unwrap()];
            self.add(body, pointer, nulls.into(), fits);
        };
        if let Some(most) = schema["maxItems"].as_u64() {
            nulls(most, true);
            nulls(most + 1, false);
        }
        if let Some(least @ 1..) = schema["minItems"].as_u64() {
            nulls(least, true);
            nulls(least - 1, false);
        }
        if schema["items"].is_object() {
            let entry = format!("{pointer}/0");
            let body = match body.pointer(&entry) {
                Some(_) => body.clone(),
                None => with(body, pointer, json!([null])),
            };
            self.of(&schema["items"], &body, &entry);
        }
    }

    fn of_object(&mut self, schema: &Value, body: &Value, pointer: &str) {
        if let Some(properties) = schema["properties"].as_object() {
            let body = with_object(body, pointer, properties);
            for (name, schema) in properties {
                self.of(schema, &body, &format!("{pointer}/{name}"));
            }
        }
        if let Some(most) = schema["maxProperties"].as_u64() {
            for (count, fits) in [(most, true), (most + 1, false)] {
                let fields = (0..count).map(|at| (format!("a{at}"), json!("a")));
                let fields: Map<String, Value> = fields.collect();
                self.add(body, pointer, fields.into(), fits);
            }
        }
        if let Some(longest) = schema["propertyNames"]["maxLength"].as_u64() {
            for (length, fits) in [(0, false), (longest, true), (longest + 1, false)] {
                let name = "a".repeat(usize::try_from(length).unwrap());
                self.add(body, pointer, json!({name: "a"}), fits);
            }
        }
        if schema["additionalProperties"].is_object() {
            let body = with(body, pointer, json!({}));
            let pointer = format!("{pointer}/a");
            self.of(&schema["additionalProperties"], &body, &pointer);
        }
    }
}

/// Returns what `sample` becomes if it grows beyond `most` characters in different ways.
fn too_long(sample: Option<&Value>, most: u64) -> [String; 3] {
    let sample = sample.and_then(Value::as_str).unwrap_or_default();
    let missing = usize::try_from(most + 1).unwrap() - sample.chars().count();
    [" ", "1", "-a"].map(|more| format!("{sample}{}", more.repeat(missing)))
}

fn text(character: &str, length: u64) -> Value {
    character.repeat(usize::try_from(length).unwrap()).into()
}

/// Returns a character and how many of them there are at most, if `pattern` is a class of characters, `^[a-z]{1,9}$`.
fn most_of(pattern: &str) -> Option<(&str, u64)> {
    let (class, count) = pattern.strip_prefix("^[")?.split_once("]{")?;
    let (_, most) = count.strip_suffix("}$")?.split_once(',')?;
    let character = class.get(..1).filter(|_| !class.contains(']'))?;
    Some((character, most.parse().ok()?))
}

/// Returns `body` with `value` at `pointer`, whose parent exists.
fn with(body: &Value, pointer: &str, value: Value) -> Value {
    let mut body = body.clone();
    let Some((parent, name)) = pointer.rsplit_once('/') else {
        return value;
    };
    let parent = body.pointer_mut(parent).unwrap();
    if parent.is_array() {
        parent[name.parse::<usize>().unwrap()] = value;
    } else {
        parent[name] = value;
    }
    body
}

/// Returns `body` with an object at `pointer` that is of the kind of these `properties`: its constants are theirs.
fn with_object(body: &Value, pointer: &str, properties: &Map<String, Value>) -> Value {
    let constants = properties.iter().filter_map(|(name, schema)| {
        let constant = schema.get("const")?;
        Some((name.clone(), constant.clone()))
    });
    let mut constants: Map<String, Value> = constants.collect();
    // What is possible in an address depends on its country.
    if properties.contains_key("country") && properties.contains_key("line1") {
        constants.insert("country".to_owned(), json!("DE"));
    }
    let there = body.pointer(pointer).and_then(Value::as_object);
    let is_of_this_kind = there.is_some_and(|there| {
        let mut constants = constants.iter();
        constants.all(|(name, constant)| there.get(name) == Some(constant))
    });
    if is_of_this_kind {
        body.clone()
    } else {
        with(body, pointer, constants.into())
    }
}

#[test]
fn bodies_are_bounded_as_the_document_says() {
    run_local(async {
        let scene = Scene::new(Setup::default()).await;
        let (mut wrong, mut tried) = (Vec::new(), 0);
        for (operation, who, body) in scene.bodies() {
            let content = &operation.value["requestBody"]["content"]["application/json"];
            let mut probes = Probes::default();
            probes.of(&content["schema"], &body, "");
            for probe in probes.0 {
                tried += 1;
                let answer = scene.call(operation, who).json(&probe.body).send().await;
                let faults = if answer.status == 422 {
                    answer.json()["errors"].clone()
                } else {
                    json!([])
                };
                let mut faults = faults.as_array().cloned().unwrap_or_default();
                // The whole of an amount is refused because of its sign.
                let (whole, _) = probe.pointer.rsplit_once('/').unwrap();
                faults.retain(|fault| {
                    fault["pointer"] == probe.pointer.as_str()
                        || !probe.fits && fault["pointer"] == whole
                });
                let is_bounded = faults.iter().any(|fault| {
                    !probe.fits || fault["code"] == "length" || fault["code"] == "range"
                });
                if is_bounded == probe.fits {
                    let value = probe.body.pointer(&probe.pointer).unwrap();
                    let value: String = value.to_string().chars().take(40).collect();
                    wrong.push(format!(
                        "{} {} {value} fits: {}, but {} {}",
                        operation.value["operationId"],
                        probe.pointer,
                        probe.fits,
                        answer.status,
                        answer.text
                    ));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(tried > 1000, "{tried} bounds");
    });
}

/// A parameter of an operation: its name, where it is, its schema.
fn parameters(operation: Operation<'static>) -> impl Iterator<Item = &'static Value> {
    let given = operation.value["parameters"].as_array();
    given.into_iter().flatten().map(|given| {
        let reference = given["$ref"].as_str().map(|at| at.trim_start_matches('#'));
        reference.map_or(given, |at| contract().document.pointer(at).unwrap())
    })
}

/// Returns `text`, percent-encoded.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Returns the query in which the parameter `name` is the object of texts in `json`: `name[key]=value`.
fn of_object(name: &str, json: &str) -> String {
    let object: Map<String, Value> = serde_json::from_str(json).unwrap();
    let fields = object.iter().map(|(key, value)| {
        let value = encoded(value.as_str().unwrap());
        format!("{name}%5B{}%5D={value}", encoded(key))
    });
    fields.collect::<Vec<_>>().join("&")
}

/// Returns the query in which the parameter `name` is the list of texts in `json`: `name=text,text`.
fn of_list(name: &str, json: &str) -> String {
    let list: Vec<Value> = serde_json::from_str(json).unwrap();
    let texts = list
        .iter()
        .map(|text| encoded(text.as_str().unwrap_or("a")));
    format!("{name}={}", texts.collect::<Vec<_>>().join(","))
}

/// Sends `value` as `parameter` and returns whether the response says that it is not valid.
async fn is_refused(
    scene: &Scene,
    operation: Operation<'static>,
    parameter: &Value,
    value: &str,
) -> bool {
    let method = Method::from_bytes(operation.method.to_uppercase().as_bytes()).unwrap();
    let name = parameter["name"].as_str().unwrap();
    let place = parameter["in"].as_str().unwrap();
    let encoded = encoded(value);
    let path = match place {
        "path" => {
            let path = operation.path.replace(&format!("{{{name}}}"), &encoded);
            scene.with_resources(&path)
        }
        _ => scene.path(operation),
    };
    let path = match place {
        "query" if parameter["style"] == "deepObject" => {
            format!("{path}?{}", of_object(name, value))
        }
        "query" if parameter["schema"]["type"] == "array" => {
            format!("{path}?{}", of_list(name, value))
        }
        "query" => format!("{path}?{name}={encoded}"),
        _ => path,
    };
    let who = Scene::sender(operation);
    let mut call = scene.shop.call(method, &path);
    if let Some(token) = scene.token(who) {
        call = call.bearer(&token);
    }
    for other in parameters(operation) {
        call = match other["name"].as_str().unwrap() {
            other if other == name && place == "header" => call.header(name, value),
            "If-Match" => call.header("if-match", "*"),
            "Idempotency-Key" => call.key(&unique("bound")),
            _ => call,
        };
    }
    if let Some(body) = scene.body(operation) {
        call = call.json(&body);
    }
    let answer = call.send().await;
    let problem = answer.header("content-type") == Some("application/problem+json");
    match (place, answer.status) {
        // What cannot be an identifier is not found.
        ("path", status) => status == 404,
        (_, 400) if problem => {
            let problem = answer.json();
            let faults = problem["errors"].as_array().cloned().unwrap_or_default();
            let query = format!("?{name}");
            problem["type"] == "urn:oxcart:problem:idempotency-key-required"
                || faults
                    .iter()
                    .any(|fault| fault["pointer"] == query || fault["pointer"] == name)
        }
        _ => false,
    }
}

#[test]
fn parameters_are_bounded_as_the_document_says() {
    run_in_euros(async {
        let scene = Scene::new(Setup::default()).await;
        let (mut wrong, mut tried) = (Vec::new(), 0);
        for operation in operations() {
            for parameter in parameters(operation) {
                let mut probes = Probes::default();
                probes.of(&parameter["schema"], &Value::Null, "");
                for probe in probes.0 {
                    let text = probe.body.as_str().map(str::to_owned);
                    let value = text.unwrap_or_else(|| probe.body.to_string());
                    let name = parameter["name"].as_str().unwrap();
                    let of_header = parameter["in"] == "header";
                    // Nothing is found under a name that nobody has given, and no cursor can be made up. Some values
                    // cannot be sent at all: an empty part of a path, and a header that is not ASCII.
                    let is_made_up = probe.fits && (parameter["in"] == "path" || name == "cursor");
                    let cannot_be_sent = value.is_empty() && parameter["in"] == "path"
                        || of_header && !value.is_ascii();
                    if is_made_up || cannot_be_sent {
                        continue;
                    }
                    tried += 1;
                    let refused = is_refused(&scene, operation, parameter, &value).await;
                    if refused == probe.fits {
                        let value: String = value.chars().take(40).collect();
                        wrong.push(format!(
                            "{} {name} {value:?} fits: {}",
                            operation.value["operationId"], probe.fits
                        ));
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(tried > 100, "{tried} bounds");
    });
}
