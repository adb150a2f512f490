//! Processes that share a server, against a real one (`redis-server`), which is killed, stopped, filled and lied about.

use std::io::Read as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use tempfile::TempDir;

use super::super::shared::{Patience, SharedCache};
use super::*;

/// A server of this test's own.
struct Server {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns the program: what `OXCART_REDIS_SERVER` names, or one in the path.
fn program() -> Option<PathBuf> {
    if let Some(given) = std::env::var_os("OXCART_REDIS_SERVER") {
        return Some(given.into());
    }
    let path = std::env::var_os("PATH")?;
    let programs = std::env::split_paths(&path).map(|folder| folder.join("redis-server"));
    programs.into_iter().find(|program| program.is_file())
}

impl Server {
    /// Starts a server with these options, or says that the test is skipped.
    async fn start(options: &[&str]) -> Option<Self> {
        let Some(program) = program() else {
            eprintln!("skipped: there is no redis-server, nor does OXCART_REDIS_SERVER name one");
            return None;
        };
        let begun = Instant::now();
        loop {
            let server = Self::try_start(&program, options);
            // Another program may take the port meanwhile.
            if let Some(server) = server.answers().await {
                return Some(server);
            }
            assert!(
                begun.elapsed() < Duration::from_mins(1),
                "redis-server does not start"
            );
        }
    }

    fn try_start(program: &PathBuf, options: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = port.local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        command.current_dir(&folder).stdout(Stdio::null());
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1"]);
        command
            .args(["--save", "", "--appendonly", "no"])
            .args(options);
        Self {
            child: command.spawn().unwrap(),
            port,
            _folder: folder,
        }
    }

    /// Returns the server once it answers.
    async fn answers(mut self) -> Option<Self> {
        while self.child.try_wait().unwrap().is_none() {
            let client = redis::Client::open(self.url()).unwrap();
            if let Ok(mut connection) = client.get_multiplexed_async_connection().await {
                let pong: Result<String, _> = redis::cmd("PING").query_async(&mut connection).await;
                if pong.is_ok() {
                    return Some(self);
                }
            }
            tokio::task::yield_now().await;
        }
        None
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Has the server carry out `command`.
    async fn tell<T: redis::FromRedisValue>(&self, command: &[&str]) -> redis::RedisResult<T> {
        let client = redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut told = redis::cmd(command[0]);
        told.arg(&command[1..]);
        told.query_async(&mut connection).await
    }

    async fn keys(&self) -> Vec<String> {
        self.tell(&["KEYS", "*"]).await.unwrap()
    }
}

fn shared(url: &str) -> SharedCache {
    SharedCache::new(url, "oxcart:1:T:".to_owned()).unwrap()
}

impl Shop {
    /// Returns a process that has just started, and shares the server at `url`.
    fn process(&self, url: &str) -> PublicCatalogue {
        PublicCatalogue::with(&self.aws, LIMITS, Some(shared(url))).unwrap()
    }

    /// Returns what the product `id` is called for a process that has just started.
    async fn name_for_another(&self, url: &str, id: ProductId) -> String {
        let process = self.process(url);
        // The connection is made while something that is not there is read.
        let product = process.product(id, &at_leisure(120)).await;
        product.unwrap().unwrap().name
    }
}

/// As [`at`], for a test that is not about how long a request waits.
fn at_leisure(number: i64) -> Asked {
    Asked {
        patience: Arc::new(Patience::of(Duration::from_secs(20))),
        ..at(number)
    }
}

#[tokio::test]
async fn what_one_process_has_read_another_one_finds() {
    let Some(server) = Server::start(&[]).await else {
        return;
    };
    let mut shop = shop();
    let id = shop.create("Sencha", "tea").await;
    shop.deliver().await;
    // The log has the product, so a process that has just started cannot keep it, and a later one can.
    let process = shop.process(&server.url());
    for _ in 0..2 {
        process.product(id, &at_leisure(120)).await.unwrap();
    }
    assert_eq!(server.keys().await, [format!("oxcart:1:T:product:{id}")]);
    let url = server.url();
    let other = shop.name_for_another(&url, id);
    // One call, of the log.
    assert_eq!(shop.calls(other).await, (1, "Sencha".to_owned()));
    shop.change(id, json!({"name": "Gyokuro"})).await;
    shop.deliver().await;
    let other = shop.name_for_another(&url, id);
    assert_eq!(shop.calls(other).await, (2, "Gyokuro".to_owned()));
    let ttl: i64 = server
        .tell(&["PTTL", &format!("oxcart:1:T:product:{id}")])
        .await
        .unwrap();
    assert!((1..=1_800_000).contains(&ttl), "{ttl}");
}

#[tokio::test]
async fn many_processes_that_read_the_same_read_it_once() {
    let Some(server) = Server::start(&[]).await else {
        return;
    };
    let shop = shop();
    let wanted = Wanted {
        key: "slug:sencha".to_owned(),
        tags: vec![Tag::slug(&"sencha".parse().unwrap())],
        lifetime: LIMITS.product,
        from_index: false,
    };
    let reads = AtomicUsize::new(0);
    let load = async || {
        reads.fetch_add(1, Ordering::Relaxed);
        for _ in 0..500 {
            tokio::task::yield_now().await;
        }
        Ok(Some(ProductId::derived(&["sencha"])))
    };
    let read = async || {
        let log = ChangeLog::new(&shop.aws).unwrap();
        let cache = LocalCache::new(LIMITS, log, Some(shared(&server.url())));
        cache.read(&wanted, &at_leisure(120), load).await.unwrap()
    };
    for found in futures::future::join_all((0..30).map(|_| read())).await {
        assert_eq!(found, Some(ProductId::derived(&["sencha"])));
    }
    assert_eq!(reads.into_inner(), 1);
}

#[tokio::test]
async fn a_server_that_is_killed_changes_no_answer() {
    let Some(mut server) = Server::start(&[]).await else {
        return;
    };
    let shop = shop();
    let id = shop.create("Sencha", "tea").await;
    let process = shop.process(&server.url());
    for number in 0..40 {
        if number == 20 {
            server.kill();
        }
        // Later and later, so that what the process has itself is too old.
        let asked = at(120 + number * 2_000);
        let found = process.product(id, &asked).await.unwrap();
        assert_eq!(found.unwrap().name, "Sencha");
    }
}

#[tokio::test]
async fn a_server_that_is_slow_costs_a_moment_and_then_nothing() {
    let Some(server) = Server::start(&[]).await else {
        return;
    };
    let shop = shop();
    let id = shop.create("Sencha", "tea").await;
    let process = shop.process(&server.url());
    process.product(id, &at_leisure(120)).await.unwrap();
    let paused: String = server
        .tell(&["CLIENT", "PAUSE", "60000", "ALL"])
        .await
        .unwrap();
    assert_eq!(paused, "OK");
    let begun = Instant::now();
    for number in 1..50 {
        let asked = at(120 + number * 2_000);
        let found = process.product(id, &asked).await.unwrap();
        assert_eq!(found.unwrap().name, "Sencha");
    }
    // Each question would take a minute.
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn a_server_that_is_full_changes_no_answer() {
    let options = ["--maxmemory", "1mb", "--maxmemory-policy", "noeviction"];
    let Some(server) = Server::start(&options).await else {
        return;
    };
    let shop = shop();
    let id = shop.create("Sencha", "tea").await;
    let junk = "x".repeat(10_000);
    let mut number = 0;
    let full = loop {
        number += 1;
        let set: redis::RedisResult<()> = server.tell(&["SET", &number.to_string(), &junk]).await;
        if let Err(error) = set {
            break error;
        }
    };
    assert_eq!(full.code(), Some("OOM"));
    for _ in 0..10 {
        assert_eq!(shop.name_for_another(&server.url(), id).await, "Sencha");
    }
    assert!(
        server
            .keys()
            .await
            .iter()
            .all(|key| !key.starts_with("oxcart"))
    );
}

#[tokio::test]
async fn a_server_that_has_nonsense_changes_no_answer_and_loses_it() {
    let Some(server) = Server::start(&[]).await else {
        return;
    };
    let shop = shop();
    let id = shop.create("Sencha", "tea").await;
    let other = shop.create("Assam", "tea").await;
    let key = |id| format!("oxcart:1:T:product:{id}");
    for id in [id, other] {
        shop.name_for_another(&server.url(), id).await;
    }
    let good: Vec<u8> = server.tell(&["GET", &key(id)]).await.unwrap();
    let of_other: Vec<u8> = server.tell(&["GET", &key(other)]).await.unwrap();
    let of_other = String::from_utf8(of_other).unwrap();
    let long = "9".repeat(100_000);
    for nonsense in [
        vec!["SET", "", "nonsense"],
        vec!["SET", "", ""],
        vec!["SET", "", "{}\n{}"],
        vec!["SET", "", &of_other],
        vec!["SET", "", &long],
        vec!["RPUSH", "", "a", "list"],
        vec!["HSET", "", "a", "hash"],
    ] {
        let mut command = nonsense.clone();
        let key = key(id);
        command[1] = &key;
        let _: u8 = server.tell(&["DEL", &key]).await.unwrap();
        let _: redis::Value = server.tell(&command).await.unwrap();
        let name = shop.name_for_another(&server.url(), id).await;
        assert_eq!(name, "Sencha", "{nonsense:?}");
        let now: Vec<u8> = server.tell(&["GET", &key]).await.unwrap();
        assert_eq!(now, good, "{nonsense:?}");
    }
}

#[tokio::test]
async fn what_is_not_such_a_server_changes_no_answer() {
    let shop = shop();
    let id = shop.create("Sencha", "tea").await;
    let answers: [&[u8]; 5] = [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"$99999999999999\r\n",
        b":1\r\n:2\r\n:3\r\n:4\r\n",
        b"\xff\xfe\xfd",
    ];
    for (number, says) in answers.into_iter().enumerate() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            // The first one never says anything, and hangs up only with the client.
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                std::thread::spawn(move || {
                    let _ = std::io::Write::write_all(&mut stream, says);
                    let _ = stream.read_to_end(&mut Vec::new());
                });
            }
        });
        let process = shop.process(&url);
        let begun = Instant::now();
        for number in 0..50 {
            let asked = at(120 + number * 2_000);
            let found = process.product(id, &asked).await.unwrap();
            assert_eq!(found.unwrap().name, "Sencha");
        }
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{number}: {:?}",
            begun.elapsed()
        );
    }
}
