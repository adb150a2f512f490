//! Functions log facts and no personal data.

use serde_json::json;

use crate::support::people::{PASSWORD, order_of, unique};
use crate::support::run_local;
use crate::support::shop::{Setup, Shop, physical};

const WRONG_PASSWORD: &str = "a password that is not the right one";

/// Texts that no log may contain, each with its name.
type Private = Vec<(&'static str, String)>;

/// Signs in, rightly and wrongly, and returns the private texts of that.
async fn signing_in(shop: &Shop) -> Private {
    let email = format!("{}@example.com", unique("private"));
    let person = shop.register(&email).await;
    let login = |email: &str, password: &str| {
        let body = json!({"email": email, "password": password});
        shop.post("/auth/login").json(&body)
    };
    let signed_in = login(&email, PASSWORD).send().await.expect(200).json();
    let wrong = login(&email, WRONG_PASSWORD).send().await;
    wrong.expect(401);
    let unknown = format!("{}@example.com", unique("unknown"));
    login(&unknown, PASSWORD).send().await.expect(401);
    let forged = format!("{}x", person.token);
    shop.get("/orders").bearer(&forged).send().await.expect(403);
    // A body that is refused.
    let again = json!({"email": email, "password": "short", "name": 7, "colour": "red"});
    shop.post("/customers").json(&again).send().await;
    let mut private = vec![
        ("password", PASSWORD.to_owned()),
        ("wrong password", WRONG_PASSWORD.to_owned()),
        ("email", email),
        ("unknown email", unknown),
        ("access token", person.token),
    ];
    let tokens = signed_in.as_object().unwrap().iter();
    let tokens =
        tokens.filter(|(name, _)| matches!(name.as_str(), "access_token" | "refresh_token"));
    private.extend(tokens.filter_map(|(_, token)| Some(("token", token.as_str()?.to_owned()))));
    private
}

/// Places orders with every outcome while a mail cannot be sent at first, and returns the private texts of that.
async fn ordering(shop: &Shop) -> Private {
    let product = shop.product("18.50", 20).await;
    let customer = shop.customer().await;
    shop.fault("ses:SendEmail@send-messages=error*1").await;
    for token in ["tok_ok", "tok_declined", "tok_unknown"] {
        let order = shop.order(&customer, &product, token).await;
        if token != "tok_unknown" {
            shop.until_settled(&order).await;
        }
        if token == "tok_ok" {
            shop.cancel(&customer, &order).await.expect(200);
        }
    }
    // An internal failure.
    shop.fault("dynamodb:*@place-order=error").await;
    let order = order_of(&[(&product, 1)], "tok_ok");
    let failed = shop.place(&customer, &order).await.expect(500);
    let id = failed.header("x-request-id").unwrap();
    assert_eq!(failed.header("apigw-requestid"), Some(id));
    assert_eq!(
        failed.json()["instance"],
        format!("urn:oxcart:request:{id}")
    );
    let logs = shop.logs();
    let mut failures = logs.lines().filter(|line| line.contains("request failed"));
    assert!(
        failures.any(|line| line.contains(&format!(r#""request.id":"{id}""#))),
        "{logs}"
    );
    let address = &order["shipping_address"];
    let line = |name: &str| address[name].as_str().unwrap().to_owned();
    vec![
        ("email", customer.email),
        ("access token", customer.token),
        ("recipient", line("recipient")),
        ("street", line("line1")),
        ("city", line("city")),
        ("payment token", "tok_ok".to_owned()),
        ("payment token", "tok_declined".to_owned()),
    ]
}

#[test]
fn no_personal_data_is_logged_at_any_level() {
    run_local(async {
        for level in ["info", "trace"] {
            let setup = Setup {
                log_level: Some(level),
                ..Setup::default()
            };
            let shop = Shop::start(setup).await;
            let mut private = signing_in(&shop).await;
            private.extend(ordering(&shop).await);
            shop.quiet().await;
            let logs = shop.logs();
            let failure = logs.contains(r#""level":"ERROR""#);
            assert!(failure, "{level}: the failure is not logged");
            for (what, text) in private {
                let line = logs.lines().find(|line| line.contains(&text));
                assert_eq!(line, None, "{level}: the {what} is logged");
            }
        }
    });
}

/// The tables in which personal data may be, with what SECURITY.md says of each.
const WITH_PERSONAL_DATA: [&str; 3] = ["CustomersTable", "OrdersTable", "SessionsTable"];

#[test]
fn personal_data_is_nowhere_but_in_its_tables() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let mut private = signing_in(&shop).await;
        private.extend(ordering(&shop).await);
        shop.no_faults().await;
        shop.quiet().await;
        let tables = shop.dynamodb("ListTables", &json!({})).await;
        let names = tables["TableNames"].as_array().unwrap();
        let names: Vec<&str> = names.iter().map(|name| name.as_str().unwrap()).collect();
        for personal in WITH_PERSONAL_DATA.map(physical) {
            assert!(names.contains(&personal.as_str()), "{personal}");
        }
        for table in names {
            if WITH_PERSONAL_DATA
                .map(physical)
                .iter()
                .any(|name| name == table)
            {
                continue;
            }
            let items = shop
                .dynamodb("Scan", &json!({"TableName": table}))
                .await
                .to_string();
            for (what, text) in &private {
                assert!(!items.contains(text.as_str()), "{table} has the {what}");
            }
        }
    });
}
