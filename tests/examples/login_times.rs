//! Do failed sign-ins take as long whether the account exists or not? Asks a running shop many times,
//! in a random order, and compares:
//!
//! ```sh
//! cargo run --release -- --quiet                                 # in one terminal
//! cargo run --release -p oxcart-tests --example login_times      # in another
//! ```
//!
//! The release build is what is deployed; without optimisation, reading an account that exists takes a
//! millisecond longer than finding that there is none.
//!
//! Prints the quartiles of each kind in microseconds, and how often a random split of the same times
//! differs as much in its medians as each kind does from a wrong password (a permutation test). A share
//! of less than 1 % hints at a difference that a stranger could measure; the program fails then.
//! The runner has to be fresh: five hundred failures from one address make it slow.

use std::error::Error;
use std::time::Instant;

use rand::seq::SliceRandom;
use reqwest::{Client, Method};
use serde_json::{Value, json};

const SHOP: &str = "http://127.0.0.1:3000";
const CONTROL: &str = "http://127.0.0.1:3001";

/// Attempts of each kind: all together stay below what slows an address down.
const ATTEMPTS: usize = 150;

/// Random splits of the times.
const SPLITS: usize = 10_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    WrongPassword,
    UnknownAddress,
    DisabledAccount,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = Client::new();
    let mut attempts = Vec::new();
    let admin = admin(&client).await?;
    for number in 0..ATTEMPTS {
        attempts.push((
            Kind::WrongPassword,
            account(&client, "known", number).await?.0,
        ));
        attempts.push((
            Kind::UnknownAddress,
            format!("unknown-{number}@example.com"),
        ));
        let (email, id) = account(&client, "disabled", number).await?;
        let disable = client.post(format!("{SHOP}/customers/{id}/disable"));
        disable
            .bearer_auth(&admin)
            .send()
            .await?
            .error_for_status()?;
        attempts.push((Kind::DisabledAccount, email));
    }
    attempts.shuffle(&mut rand::rng());
    let mut times = Vec::new();
    for (kind, email) in attempts {
        let credentials = json!({"email": email, "password": "not the password"});
        let started = Instant::now();
        let answer = send(&client, Method::POST, "/auth/login", &credentials).await?;
        let status = answer.status();
        answer.bytes().await?;
        times.push((kind, started.elapsed().as_micros()));
        if status != 401 {
            return Err(format!("a failed sign-in is answered {status}").into());
        }
    }
    report(&times)
}

/// The access token of the demo's admin.
async fn admin(client: &Client) -> Result<String, Box<dyn Error>> {
    let ready: Value = client
        .get(format!("{CONTROL}/_local/ready"))
        .send()
        .await?
        .json()
        .await?;
    let users = ready["users"].as_array().ok_or("no demo users")?;
    let admin = users
        .iter()
        .find(|user| user["role"] == "admin")
        .ok_or("no admin")?;
    let credentials = json!({"email": admin["email"], "password": admin["password"]});
    let answer = send(client, Method::POST, "/auth/login", &credentials).await?;
    let answer: Value = answer.error_for_status()?.json().await?;
    Ok(answer["access_token"]
        .as_str()
        .ok_or("no token")?
        .to_owned())
}

/// Opens an account: its address and its id.
async fn account(
    client: &Client,
    kind: &str,
    number: usize,
) -> Result<(String, String), Box<dyn Error>> {
    let email = format!("{kind}-{number}@example.com");
    let body =
        json!({"email": email, "password": "correct horse battery", "name": "Ana", "locale": "en"});
    let answer = send(client, Method::POST, "/customers", &body).await?;
    let made: Value = answer.error_for_status()?.json().await?;
    Ok((email, made["id"].as_str().ok_or("no id")?.to_owned()))
}

async fn send(
    client: &Client,
    method: Method,
    path: &str,
    body: &Value,
) -> reqwest::Result<reqwest::Response> {
    client
        .request(method, format!("{SHOP}{path}"))
        .json(body)
        .send()
        .await
}

fn report(times: &[(Kind, u128)]) -> Result<(), Box<dyn Error>> {
    let of = |wanted: Kind| -> Vec<u128> {
        let mine = times.iter().filter(|(kind, _)| *kind == wanted);
        mine.map(|(_, micros)| *micros).collect()
    };
    let known = of(Kind::WrongPassword);
    print_quartiles("wrong password", &known);
    let mut differs = false;
    for (name, kind) in [
        ("unknown address", Kind::UnknownAddress),
        ("disabled account", Kind::DisabledAccount),
    ] {
        let other = of(kind);
        print_quartiles(name, &other);
        let (difference, as_far) = compare(&known, &other);
        let share = as_far * 1000 / SPLITS;
        println!(
            "  median {difference} µs away; {}.{} % of random splits are as far apart",
            share / 10,
            share % 10
        );
        differs |= as_far * 100 < SPLITS;
    }
    if differs {
        Err("the times differ".into())
    } else {
        Ok(())
    }
}

/// How far the medians are apart, and how many random splits of all times are at least so far apart.
fn compare(one: &[u128], other: &[u128]) -> (u128, usize) {
    let apart = |one: &[u128], other: &[u128]| quartile(one, 2).abs_diff(quartile(other, 2));
    let found = apart(one, other);
    let mut all = [one, other].concat();
    let mut rng = rand::rng();
    let as_far = (0..SPLITS)
        .filter(|_| {
            all.shuffle(&mut rng);
            let (left, right) = all.split_at(one.len());
            apart(left, right) >= found
        })
        .count();
    (found, as_far)
}

fn print_quartiles(name: &str, times: &[u128]) {
    let [low, median, high] = [1, 2, 3].map(|which| quartile(times, which));
    println!("{name}: {low} {median} {high} µs ({} times)", times.len());
}

fn quartile(times: &[u128], which: usize) -> u128 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() * which / 4).copied().unwrap_or(0)
}
