//! A server that speaks the Redis protocol, of a test's own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::until;

/// A running `redis-server`.
pub(crate) struct Redis {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Drop for Redis {
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
    let mut programs = std::env::split_paths(&path).map(|folder| folder.join("redis-server"));
    programs.find(|program| program.is_file())
}

impl Redis {
    /// Starts a server and waits until it answers, or returns `None` if there is no program for it.
    pub(crate) async fn start() -> Option<Self> {
        let program = program()?;
        let mut server = Self::try_start(&program);
        let answers = async || {
            // Another program may have taken the port meanwhile.
            if server.child.try_wait().unwrap().is_some() {
                server = Self::try_start(&program);
            }
            server.size().map(drop)
        };
        until("redis-server answers", answers).await;
        Some(server)
    }

    fn try_start(program: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = port.local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        command.current_dir(&folder).stdout(Stdio::null());
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1"]);
        command.args(["--save", "", "--appendonly", "no"]);
        Self {
            child: command.spawn().unwrap(),
            port,
            _folder: folder,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Returns how many keys it has, if it answers.
    pub(crate) fn size(&self) -> Result<u64, String> {
        let failed = |error: std::io::Error| error.to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).map_err(failed)?;
        stream.write_all(b"DBSIZE\r\n").map_err(failed)?;
        let mut line = String::new();
        let read = BufReader::new(stream).read_line(&mut line);
        read.map_err(failed)?;
        let size = line.trim_start_matches(':').trim_end();
        size.parse().map_err(|_| line.clone())
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
