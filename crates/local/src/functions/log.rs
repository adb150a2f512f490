//! Where the functions' output goes.

use std::fs::File;
use std::io::{Write, stderr};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// Where the output of functions goes, each line behind the function's logical id.
#[derive(Clone, Debug, Default)]
pub enum Log {
    /// To the runner's standard error.
    #[default]
    Stderr,
    /// Nowhere.
    Silent,
    /// To a file.
    File(Arc<Mutex<File>>),
}

impl Log {
    /// What a process's output is connected to.
    pub(super) fn stdio(&self) -> Stdio {
        match self {
            Self::Silent => Stdio::null(),
            Self::Stderr | Self::File(_) => Stdio::piped(),
        }
    }

    /// Follows a process's output to its end.
    pub(super) fn follow(&self, function: &str, output: impl AsyncRead + Send + Unpin + 'static) {
        let (log, function) = (self.clone(), function.to_owned());
        tokio::spawn(async move {
            let mut lines = BufReader::new(output).split(b'\n');
            while let Ok(Some(line)) = lines.next_segment().await {
                log.write(&function, &line);
            }
        });
    }

    fn write(&self, function: &str, line: &[u8]) {
        let line = format!("[{function}] {}\n", String::from_utf8_lossy(line));
        // Output that cannot be written has nowhere else to go.
        let _ = match self {
            Self::Stderr => stderr().lock().write_all(line.as_bytes()),
            Self::Silent => Ok(()),
            Self::File(file) => file
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .write_all(line.as_bytes()),
        };
    }
}
