//! The process of one function, whose Runtime API this program is.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Error;

/// A function's process, and the connection on which it asks for work. It ends when dropped.
pub(crate) struct Process {
    child: Child,
    connection: BufReader<TcpStream>,
    /// From its start to its first request for work.
    pub(crate) start: Duration,
}

impl Process {
    /// Starts the process and waits until it asks for work.
    ///
    /// # Errors
    /// If it does not start, or does not ask for work.
    pub(crate) fn start(
        binary: &Path,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, Error> {
        let runtime_api = TcpListener::bind("127.0.0.1:0")?;
        let started = Instant::now();
        let child = Command::new(binary)
            .env_clear()
            .envs(environment)
            .env(
                "AWS_LAMBDA_RUNTIME_API",
                runtime_api.local_addr()?.to_string(),
            )
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", binary.display()))?;
        let (connection, _) = runtime_api.accept()?;
        connection.set_nodelay(true)?;
        let connection = BufReader::new(connection);
        let mut process = Self {
            child,
            connection,
            start: Duration::ZERO,
        };
        let (line, _) = process.read()?;
        process.start = started.elapsed();
        if line.contains("/runtime/invocation/next") {
            Ok(process)
        } else {
            Err("it did not ask for work".into())
        }
    }

    /// Returns the process's number for the operating system.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Gives the process, which has asked for work, an event. Returns how long its response took, after it has asked
    /// for work again.
    ///
    /// # Errors
    /// If it does not respond with success.
    pub(crate) fn request(&mut self, event: &str) -> Result<Duration, Error> {
        let started = Instant::now();
        let deadline = jiff::Timestamp::now().as_millisecond() + 10_000;
        self.write(
            "200 OK",
            &format!(
                "lambda-runtime-aws-request-id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
                 lambda-runtime-deadline-ms: {deadline}\r\n\
                 lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-central-1:000000000000:function:bench\r\n\
                 lambda-runtime-trace-id: Root=1-69a40558-3f2c1d0e9b8a7c6d5e4f3a2b\r\n"
            ),
            event,
        )?;
        let (_, response) = self.read()?;
        let took = started.elapsed();
        let response: Value = serde_json::from_slice(&response)?;
        if !matches!(response["statusCode"].as_u64(), Some(200..=299)) {
            return Err(format!("a request failed: {response}").into());
        }
        self.write("202 Accepted", "", "{\"status\":\"OK\"}")?;
        self.read()?;
        Ok(took)
    }

    fn write(&mut self, status: &str, headers: &str, body: &str) -> Result<(), Error> {
        let length = body.len();
        let response = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        Ok(self.connection.get_mut().write_all(response.as_bytes())?)
    }

    /// Reads one request and returns its first line and its body.
    fn read(&mut self) -> Result<(String, Vec<u8>), Error> {
        let (mut first, mut length) = (None, 0);
        loop {
            let mut line = String::new();
            if self.connection.read_line(&mut line)? == 0 {
                return Err("the function ended".into());
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
            if line.is_empty() {
                break;
            }
            first.get_or_insert(line);
        }
        let mut body = vec![0; length];
        self.connection.read_exact(&mut body)?;
        Ok((first.unwrap_or_default(), body))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
