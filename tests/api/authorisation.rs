//! Every operation of the OpenAPI document, tried by every kind of caller: a caller who may not use it is refused,
//! changes nothing, and does not learn that a resource of another customer exists. And every body, with fields that
//! clients may not set.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::client::{Answer, Call};
use crate::support::contract::{Contract, Operation, contract};
use crate::support::people::{Person, order_of, unique};
use crate::support::prices::percentage;
use crate::support::run_local;
use crate::support::shop::{Setup, Shop};
use crate::support::tokens::Forger;

/// A kind of caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// The customer whose resources the requests are about.
    Owner,
    /// Another customer.
    Other,
    Admin,
    Nobody,
    /// The owner, with a token that has expired.
    Expired,
    /// The owner, with a token for another API.
    WrongAudience,
    /// The owner, with a token signed with another key.
    WrongKey,
    /// The owner, with a token that says that it needs no signature.
    Unsigned,
    /// The owner, with a refresh token instead of an access token.
    RefreshToken,
    /// A customer whose account was disabled after the sign-in.
    Disabled,
}

const EVERYBODY: &[Who] = &[
    Who::Nobody,
    Who::Expired,
    Who::WrongAudience,
    Who::WrongKey,
    Who::Unsigned,
    Who::RefreshToken,
    Who::Disabled,
    Who::Other,
    Who::Owner,
    Who::Admin,
];

/// How a request is received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The handler gets the request.
    Admitted,
    /// API Gateway refuses it with 401 or 403, without a problem document.
    Gateway(u16),
    /// The function refuses it with 401, 403 or 404.
    Problem(u16),
}

/// Returns how `operation` receives a request of `who` according to the document.
fn expected_fate(operation: Operation<'_>, who: Who) -> Fate {
    let access = operation.value["x-oxcart-access"].as_str().unwrap();
    let owned = operation.path.contains('{');
    match (access, who) {
        ("anyone", _) | ("customer" | "owner_or_admin", Who::Owner) | (_, Who::Admin)
            if access != "customer" || who != Who::Admin || !owned =>
        {
            Fate::Admitted
        }
        (_, Who::Nobody) => Fate::Gateway(401),
        (
            _,
            Who::WrongAudience | Who::WrongKey | Who::Unsigned | Who::RefreshToken | Who::Disabled,
        ) => Fate::Gateway(403),
        (_, Who::Expired) => Fate::Problem(401),
        ("admin", Who::Owner | Who::Other) => Fate::Problem(403),
        (_, Who::Other | Who::Admin) if owned => Fate::Problem(404),
        ("customer", Who::Other) => Fate::Admitted,
        other => panic!("{}: {other:?} is not expected", operation.path),
    }
}

/// Returns how a request was received.
fn actual_fate(answer: &Answer) -> Fate {
    let problem = answer.header("content-type") == Some("application/problem+json");
    match answer.status {
        status @ (401 | 403) if !problem => Fate::Gateway(status),
        status @ (401 | 403 | 404) => Fate::Problem(status),
        _ => Fate::Admitted,
    }
}

/// A shop with resources of the owner.
pub(super) struct Scene {
    pub(super) shop: Shop,
    pub(super) owner: Person,
    other: Person,
    admin: Person,
    pub(super) subject: Person,
    disabled: Person,
    pub(super) product: String,
    order: String,
    payment: String,
    session: String,
    address: String,
    discount: String,
    gift_card: Value,
    rule: String,
    category: String,
    collection: String,
    pub(super) import: String,
    pub(super) export: String,
    image: String,
    refresh_token: String,
    forger: Forger,
}

impl Scene {
    pub(super) async fn new(setup: Setup) -> Self {
        let shop = Shop::start(setup).await;
        let owner = shop.customer().await;
        let product = shop.product("19.90", 10).await;
        let order = shop.order(&owner, &product, "tok_ok").await;
        shop.until_settled(&order).await;
        let payment = shop.payment_of(&order).await;
        let login = json!({"email": owner.email, "password": crate::support::people::PASSWORD});
        let login = shop.post("/auth/login").json(&login).send().await;
        let login = login.expect(200).json();
        let sessions = shop.get("/customers/me/sessions").bearer(&owner.token);
        let sessions = sessions.send().await.expect(200).json();
        let disabled = shop.customer().await;
        let disable = shop.post(&format!("/customers/{}/disable", disabled.id));
        let disable = disable.bearer(&shop.admin().await.token);
        disable.send().await.expect(200);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let address = order_of(&[], "tok_ok")["shipping_address"].clone();
        let address = shop.post("/customers/me/addresses").json(&address);
        let address = address.bearer(&owner.token).send().await;
        let address = text(&address.expect(201).json()["id"]);
        let discount = shop
            .discount(percentage("A tenth", "0.10"), json!({}))
            .await;
        let discount = discount.rsplit('/').next().unwrap().to_owned();
        let gift_card = shop.gift_card("100.00").await;
        let rule =
            json!({"expression": "size(order.lines) > 0", "message": "no line", "code": "empty"});
        let rule = shop.put("/rules/order_has_a_line").json(&rule);
        rule.bearer(&shop.admin().await.token)
            .send()
            .await
            .expect(201);
        let lists =
            json!({"items": [{"id": "wholesale", "name": "Wholesale", "countries": ["AQ"]}]});
        let lists = shop.put("/price-lists").json(&lists);
        let lists = lists.bearer(&shop.admin().await.token);
        lists.header("if-match", "*").send().await.expect(200);
        let category = shop.put("/categories/tea").json(&json!({"name": "Tea"}));
        let category = category.bearer(&shop.admin().await.token);
        category.send().await.expect(201);
        let by_hand = json!({"name": "Spring", "products": [product]});
        let collection = shop.put("/collections/spring").json(&by_hand);
        let collection = collection.bearer(&shop.admin().await.token);
        collection.send().await.expect(201);
        let mut jobs = Vec::new();
        for path in ["/imports", "/exports"] {
            let job = shop.post(path).json(&json!({}));
            let job = job.bearer(&shop.admin().await.token).send().await;
            jobs.push(text(&job.expect(202).json()["id"]));
        }
        let image = json!({"content_type": "image/jpeg"});
        let image = shop.post("/images").json(&image);
        let image = image.bearer(&shop.admin().await.token).send().await;
        let image = text(&image.expect(201).json()["url"]);
        Self {
            image: image.rsplit('/').next().unwrap().to_owned(),
            import: jobs[0].clone(),
            export: jobs[1].clone(),
            discount,
            gift_card,
            other: shop.customer().await,
            subject: shop.customer().await,
            admin: shop.admin().await.clone(),
            session: text(&sessions["items"][0]["id"]),
            address,
            rule: "order_has_a_line".to_owned(),
            category: "tea".to_owned(),
            collection: "spring".to_owned(),
            refresh_token: text(&login["refresh_token"]),
            forger: Forger::of(&shop, &owner).await,
            disabled,
            shop,
            owner,
            product,
            order,
            payment,
        }
    }

    pub(super) fn token(&self, who: Who) -> Option<String> {
        match who {
            Who::Owner => Some(self.owner.token.clone()),
            Who::Other => Some(self.other.token.clone()),
            Who::Admin => Some(self.admin.token.clone()),
            Who::Nobody => None,
            Who::Expired => Some(self.forger.expired()),
            Who::WrongAudience => Some(self.forger.of_another_audience()),
            Who::WrongKey => Some(self.forger.of_another_key()),
            Who::Unsigned => Some(self.forger.unsigned()),
            Who::RefreshToken => Some(self.refresh_token.clone()),
            Who::Disabled => Some(self.disabled.token.clone()),
        }
    }

    /// Returns the path of `operation` for the owner's resources.
    pub(super) fn path(&self, operation: Operation<'_>) -> String {
        self.with_resources(operation.path)
    }

    /// Returns `path` with the owner's resources in place of its parameters.
    pub(super) fn with_resources(&self, path: &str) -> String {
        let known = [
            ("{product_id}", &self.product),
            ("{variant_id}", &self.product),
            ("{order_id}", &self.order),
            ("{payment_id}", &self.payment),
            ("{provider}", &"sandbox".to_owned()),
            ("{session_id}", &self.session),
            ("{address_id}", &self.address),
            ("{discount_id}", &self.discount),
            (
                "{gift_card_id}",
                &self.gift_card["id"].as_str().unwrap().to_owned(),
            ),
            ("{customer_id}", &self.subject.id),
            ("{rule_name}", &self.rule),
            ("{category}", &self.category),
            ("{price_list}", &"wholesale".to_owned()),
            ("{collection}", &self.collection),
            ("{import_id}", &self.import),
            ("{export_id}", &self.export),
            ("{image_name}", &self.image),
        ];
        let path = known.iter().fold(path.to_owned(), |path, (name, value)| {
            path.replace(name, value)
        });
        assert!(!path.contains('{'), "no value for a parameter of {path}");
        path
    }

    /// Returns a request that is valid except for its sender.
    pub(super) fn call(&self, operation: Operation<'_>, who: Who) -> Call {
        let method = Method::from_bytes(operation.method.to_uppercase().as_bytes()).unwrap();
        let mut call = self.shop.call(method, &self.path(operation));
        for parameter in operation.value["parameters"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let reference = parameter["$ref"].as_str().unwrap_or_default();
            call = match reference.rsplit('/').next().unwrap_or_default() {
                "IfMatch" => call.header("if-match", "*"),
                "IdempotencyKey" | "IdempotencyKeyNeeded" => call.key(&unique("door")),
                _ => call,
            };
        }
        match self.token(who) {
            Some(token) => call.bearer(&token),
            None => call,
        }
    }

    /// Returns the example of the operation's body, with this shop's resources.
    pub(super) fn body(&self, operation: Operation<'_>) -> Option<Value> {
        let body = &operation.value["requestBody"]["content"]["application/json"]["example"];
        match operation.value["operationId"].as_str() {
            _ if body.is_null() => None,
            // A wrong password changes nothing, so that all resources are still there.
            Some("change_password") => {
                let mut body = body.clone();
                body["current_password"] = json!("let me in");
                Some(body)
            }
            Some("delete_account") => Some(json!({"password": "let me in"})),
            Some("get_gift_card_balance") => Some(json!({"code": self.gift_card["code"]})),
            Some("place_order") => Some(order_of(&[(&self.product, 1)], "tok_ok")),
            Some("place_guest_order") => {
                let mut order = order_of(&[(&self.product, 1)], "tok_ok");
                order["email"] = body["email"].clone();
                Some(order)
            }
            _ => Some(body.clone()),
        }
    }

    /// Returns somebody who may use `operation`.
    pub(super) fn sender(operation: Operation<'_>) -> Who {
        if operation.value["x-oxcart-access"] == "admin" {
            Who::Admin
        } else {
            Who::Owner
        }
    }

    /// Returns the operations that take a body, each with somebody who may send it, and its body.
    pub(super) fn bodies(&self) -> impl Iterator<Item = (Operation<'static>, Who, Value)> {
        operations().into_iter().filter_map(|operation| {
            let body = self.body(operation)?;
            Some((operation, Self::sender(operation), body))
        })
    }

    /// Returns a request of `who` with the operation's example as its body.
    pub(super) fn request(&self, operation: Operation<'_>, who: Who) -> Call {
        let call = self.call(operation, who);
        match self.body(operation) {
            Some(body) => call.json(&body),
            None => call,
        }
    }

    async fn try_as(&self, operation: Operation<'_>, who: Who) -> Answer {
        self.request(operation, who).send().await
    }
}

/// Returns the operations, with those last that remove resources.
pub(super) fn operations() -> Vec<Operation<'static>> {
    let mut operations: Vec<_> = contract().operations().collect();
    operations.sort_by_key(|operation| {
        let deletes = operation.method == "delete";
        (deletes, std::cmp::Reverse(operation.path.len()))
    });
    operations
}

#[test]
fn callers_get_in_only_where_the_document_says_so() {
    run_local(async {
        let scene = Scene::new(Setup::default()).await;
        let genuine = scene.shop.get("/orders").bearer(&scene.forger.genuine());
        genuine.send().await.expect(200);
        let mut wrong = Vec::new();
        let before = scene.shop.first_hand().await;
        let mut admitted = Vec::new();
        for operation in operations() {
            for who in EVERYBODY {
                let expected = expected_fate(operation, *who);
                if expected == Fate::Admitted {
                    admitted.push((operation, *who));
                    continue;
                }
                let answer = scene.try_as(operation, *who).await;
                if actual_fate(&answer) != expected {
                    wrong.push(format!("{who:?}: {expected:?} is not {answer:?}"));
                }
                let hints = [&scene.owner.email, &scene.owner.id];
                if hints.iter().any(|hint| answer.text.contains(*hint)) {
                    wrong.push(format!("{who:?} learns of the owner: {answer:?}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        let after = scene.shop.first_hand().await;
        assert_eq!(
            after, before,
            "a request that was refused has changed something"
        );
        for (operation, who) in admitted {
            let answer = scene.try_as(operation, who).await;
            let open = operation.value["x-oxcart-access"] == "anyone";
            let in_order = match actual_fate(&answer) {
                Fate::Admitted => answer.status < 500,
                // Wrong credentials, or a resource that the caller before has removed.
                Fate::Problem(401 | 404) => open,
                Fate::Problem(_) | Fate::Gateway(_) => false,
            };
            if !in_order {
                wrong.push(format!("{who:?} is not admitted: {answer:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

/// Fields that no client may set.
const NOT_FOR_CLIENTS: &[&str] = &[
    "id",
    "customer_id",
    "role",
    "roles",
    "price",
    "unit_price",
    "total_amount",
    "status",
    "payment_status",
    "disabled",
    "email_confirmed",
    "version",
    "created_at",
];

/// Finds each object in `value` whose fields `schema` lists: its place, and the names of the fields.
fn objects(
    contract: &Contract,
    schema: &Value,
    value: &Value,
    place: &str,
    found: &mut Vec<(String, Vec<String>)>,
) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = contract.document.pointer(reference.trim_start_matches('#'));
        return objects(contract, target.unwrap(), value, place, found);
    }
    match value {
        Value::Object(fields) => {
            let Some(known) = schema["properties"].as_object() else {
                return;
            };
            found.push((place.to_owned(), known.keys().cloned().collect()));
            for (name, value) in fields {
                objects(
                    contract,
                    &known[name],
                    value,
                    &format!("{place}/{name}"),
                    found,
                );
            }
        }
        Value::Array(entries) => {
            for (at, value) in entries.iter().enumerate() {
                objects(
                    contract,
                    &schema["items"],
                    value,
                    &format!("{place}/{at}"),
                    found,
                );
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn no_body_sets_what_is_not_the_clients_to_set() {
    run_local(async {
        let scene = Scene::new(Setup::default()).await;
        let mut wrong = Vec::new();
        let mut tried = 0;
        let before = scene.shop.first_hand().await;
        for (operation, who, body) in scene.bodies() {
            let content = &operation.value["requestBody"]["content"]["application/json"];
            let mut places = Vec::new();
            objects(contract(), &content["schema"], &body, "", &mut places);
            for (place, known) in places {
                let strange = NOT_FOR_CLIENTS
                    .iter()
                    .filter(|name| !known.iter().any(|known| known == *name));
                for name in strange {
                    let mut body = body.clone();
                    body.pointer_mut(&place).unwrap()[*name] = json!("1");
                    let answer = scene.call(operation, who).json(&body).send().await;
                    let fault = json!(format!("{place}/{name}"));
                    let refused = answer.status == 422
                        && answer.json()["errors"]
                            .as_array()
                            .unwrap()
                            .iter()
                            .any(|error| {
                                error["pointer"] == fault && error["code"] == "unknown_field"
                            });
                    if !refused {
                        wrong.push(format!("{place}/{name}: {answer:?}"));
                    }
                    tried += 1;
                }
            }
        }
        assert!(tried > 100, "only {tried} fields were tried");
        let after = scene.shop.first_hand().await;
        assert_eq!(
            after, before,
            "a body that was refused has changed something"
        );
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}
