//! `cargo run -- --demo large`: the program itself, with fewer products.

use std::io::{BufRead as _, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::support::prices::CURRENCY;
use crate::support::{build, root, run_local};

/// How many products the demo has here.
const PRODUCTS: usize = 150;

/// The running program.
struct Program {
    child: Child,
    /// The shop's address.
    url: String,
    /// What it has printed until the shop was open.
    printed: Vec<String>,
    /// What it prints after that, which has to go somewhere.
    rest: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// Starts it with the large demo and its tables in `data`, and waits until the shop is open.
    fn start(data: &Path) -> Self {
        let mut program = Command::new(build::program());
        program.current_dir(root()).args(["--quiet", "--no-build"]);
        program.args(["--port", "0", "--control-port", "0", "--aws-port", "0"]);
        program.args(["--demo", "large", "--demo-products", &PRODUCTS.to_string()]);
        program.args(["--parameter", &format!("ShopCurrency={}", CURRENCY.code())]);
        program.arg("--data").arg(data);
        program.env("AWS_EC2_METADATA_DISABLED", "true");
        let mut child = program.stdout(Stdio::piped()).spawn().unwrap();
        let rest = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut program = Self {
            child,
            url: String::new(),
            printed: Vec::new(),
            rest,
        };
        while let Some(Ok(line)) = program.rest.next() {
            if let Some(open) = line.strip_prefix("The shop is open at ") {
                open.split(' ').next().unwrap().clone_into(&mut program.url);
                return program;
            }
            program.printed.push(line);
        }
        panic!("the shop does not open: {:#?}", program.printed);
    }

    async fn get(&self, path: &str) -> Value {
        let response = reqwest::get(format!("{}{path}", self.url)).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }
}

impl Drop for Program {
    /// Ends it as Ctrl-C does, so that it ends its functions.
    fn drop(&mut self) {
        let mut interrupt = Command::new("kill");
        let interrupt = interrupt.args(["-INT", &self.child.id().to_string()]);
        // If the shop did not open, the program has ended by itself.
        interrupt.status().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn the_large_demo_is_loaded_once() {
    run_local(async {
        let data = tempfile::tempdir().unwrap();
        for files in [2, 0] {
            let program = Program::start(data.path());
            let reports = program
                .printed
                .iter()
                .filter(|line| line.contains(" rows, "));
            assert_eq!(reports.count(), files, "{:#?}", program.printed);
            let categories = program.get("/categories").await;
            assert_eq!(categories["items"].as_array().unwrap().len(), 119);
            let page = program
                .get("/products?category=food&limit=100&locale=de")
                .await;
            assert!(page["items"].as_array().unwrap().len() > 10, "{page:#}");
            // Its products are chosen within minutes, as those of every rule.
            let collections = program.get("/collections").await;
            assert_eq!(collections["items"][0]["id"], "organic", "{collections:#}");
        }
    });
}
